"""What the tests of the chat page share: a local cloud, a bot, and a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from bot_testing.cloud.cloud_thread import CloudThread
from emulator.cloud import Cloud
from emulator.setup.page_libraries import LIBRARIES, PAGE_LIBRARIES, install
from tests.emulator.pages.chat.local_teams import LocalTeams
from tests.support.bots.bot_process import BotProcess
from tests.support.wire import chromium


@pytest.fixture(scope="module")
def libraries() -> Path:
    """The folder with the pages' libraries."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: the pages' libraries cannot be set up")
    for library in LIBRARIES:
        install(PAGE_LIBRARIES, library)
    return PAGE_LIBRARIES


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
            yield LocalTeams(thread, libraries / "axe.js")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser; not asynchronous, as these tests are."""
    if chromium.PROGRAM is None:
        pytest.skip(chromium.MISSING)
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says: warnings, errors, breaches of the page's policy."""
    return []


@pytest.fixture
def page(teams: LocalTeams, browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """The chat page of a new user, who has been greeted."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-GB")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    teams.open(page)
    yield page
    context.close()
