"""Fixtures of the tests of cards: bots that run as `make run` runs them, and a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bot_workbench.emulator.loopback import free_port
from tests.emulator.pages.cards.chat_tab import ChatTab
from tests.emulator.pages.cards.page_server import PageServer
from tests.support.bots.make_target import MakeTarget
from tests.support.project import ROOT

CHAT = r"Chat: +(http://\S+)"
TEAMS_BOT = Path(__file__).with_name("teams_bot")


def run(bot: Path, folder: Path) -> MakeTarget:
    """`make run BOT=...` with ports that are free."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: the page's libraries cannot be set up")
    ports = {name: str(free_port()) for name in ("PORT", "CHAT_PORT")}
    variables = {"BOT": str(bot), "STORAGE": str(folder / "storage"), **ports}
    return MakeTarget("run", CHAT, folder / "output.txt", variables)


@pytest.fixture(scope="module")
def teams_bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the chat page in front of a bot that uses what Teams offers."""
    with run(TEAMS_BOT, tmp_path_factory.mktemp("teams_bot")) as running:
        yield running.found


@pytest.fixture(scope="module")
def ai_bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the chat page in front of the example with AI messages."""
    with run(ROOT / "examples" / "ai_messages", tmp_path_factory.mktemp("ai_bot")) as running:
        yield running.found


@pytest.fixture(scope="module")
def pages() -> Iterator[PageServer]:
    """Pages of the bot's, for dialogs."""
    with PageServer() as server:
        yield server


@pytest.fixture
def tab(browser: Browser, teams_bot: str) -> Iterator[ChatTab]:
    """A new user's tab; the test fails on an error in the browser's console."""
    with ChatTab.opened(browser, teams_bot) as tab:
        yield tab
