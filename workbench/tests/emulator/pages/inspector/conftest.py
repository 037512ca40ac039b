"""Fixtures of the inspector's tests: a local cloud, a bot that reports to it, and a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.emulator.pages.inspector.inspected_bot import InspectedBot
from tests.support.bots.bot_process import BotProcess
from tests.support.test_bot import NO_TYPING
from tests.support.timing.condition import until
from tests.support.wire import chromium


@pytest.fixture(scope="module")
def watched(libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudThread]:
    """A local cloud whose inspector watches the bot."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"), libraries=libraries)) as thread:
        thread.call(thread.cloud.watch)
        yield thread


@pytest.fixture(scope="module")
def inspected(watched: CloudThread) -> InspectedBot:
    """The local cloud without a bot: whoever needs one asks for `running_bot`, too."""
    return InspectedBot(watched)


@pytest.fixture(scope="module")
def running_bot(
    watched: CloudThread,
    inspected: InspectedBot,
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """The bot of the base's tests in front of the local cloud, to whose feed it reports.

    It learns a moment after a page is opened that turns are to be recorded, so a page of the
    fixture's own stays open, and tests begin once a turn has been recorded.
    """
    cloud = watched.cloud
    settings = cloud.settings() | cloud.inspector.feed.address.settings() | NO_TYPING
    with (
        BotProcess(settings, tmp_path_factory.mktemp("bot") / "bot.log") as bot,
        chromium.tab(browser, [], 1440, 900) as page,
    ):
        cloud.channel.bot_endpoint = bot.messages
        inspected.open(page)
        until(inspected.has_recorded_more)
        yield


@pytest.fixture
def page(inspected: InspectedBot, browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """The inspector's page, without turns of earlier tests and without faults."""
    inspected.reset()
    with chromium.tab(browser, complaints, 1440, 900) as page:
        inspected.open(page)
        yield page
