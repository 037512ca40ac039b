"""Fixtures of the tests of the chat page: a local cloud, a bot, and a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.emulator.pages.chat.local_teams import LocalTeams
from tests.support.bots.bot_process import BotProcess
from tests.support.wire import chromium


@pytest.fixture(scope="module")
def teams(libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTeams]:
    """The local cloud, in front of the bot of the base's tests."""
    folder = tmp_path_factory.mktemp("cloud")
    with CloudThread(Cloud(folder, libraries=libraries)) as thread:
        thread.call(thread.cloud.watch)
        cloud = thread.cloud
        feed = cloud.inspector.feed.address.settings()
        with BotProcess(cloud.settings() | feed, folder / "bot.log") as bot:
            cloud.channel.bot_endpoint = bot.messages
            yield LocalTeams(thread)


@pytest.fixture
def page(teams: LocalTeams, browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """The chat page of a new user, who has been greeted."""
    with chromium.tab(browser, complaints, 1280, 860) as page:
        teams.open(page)
        yield page
