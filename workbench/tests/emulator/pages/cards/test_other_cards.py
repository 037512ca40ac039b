"""Cards of other kinds, and files that the bot offers, in the chat page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.emulator.pages.cards.chat_tab import ChatTab
from tests.emulator.pages.cards.conftest import run
from tests.support.project import ROOT


@pytest.fixture(scope="module")
def files_bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the chat page in front of the example with files."""
    with run(ROOT / "examples" / "files", tmp_path_factory.mktemp("files_bot")) as running:
        yield running.found


@pytest.fixture
def files_tab(browser: Browser, files_bot: str) -> Iterator[ChatTab]:
    """A new user's tab."""
    with ChatTab.opened(browser, files_bot) as tab:
        yield tab


def test_older_cards(tab: ChatTab) -> None:
    """Thumbnails and receipts are shown; of what Teams or the page does not show, it says so."""
    tab.say("others")
    expect(tab.page.get_by_role("img", name="A square")).to_be_visible()
    expect(tab.page.locator(".card__items")).to_contain_text("4 EUR")
    expect(tab.page.get_by_role("link", name="https://example.com/a.gif")).to_be_visible()
    expect(tab.page.get_by_text("Teams shows this card; this page does not.")).to_be_visible()
    expect(tab.page.get_by_text("Its content is missing")).to_be_visible()


def test_list_card(tab: ChatTab) -> None:
    """A row can be pressed; a section's title cannot."""
    tab.say("others")
    expect(tab.page.locator(".card__rows")).to_contain_text("A section")
    tab.page.get_by_role("button", name="A row Press it").click()
    expect(tab.message("You sent row")).to_be_visible()
    expect(tab.page.get_by_role("button", name="A section")).to_have_count(0)


def test_carousel(tab: ChatTab) -> None:
    """The cards of a carousel stand beside each other."""
    tab.say("carousel")
    first = tab.box(tab.page.locator(".card--classic", has_text="One"))
    second = tab.box(tab.page.locator(".card--classic", has_text="Two"))
    assert first["y"] == second["y"]
    assert first["x"] < second["x"]


def test_a_file_that_the_user_allows(files_tab: ChatTab) -> None:
    """The bot uploads the file, and the user can download it."""
    files_tab.say("menu")
    card = files_tab.page.locator(".card--file", has_text="This week's menu")
    expect(card).to_contain_text("menu.txt 30 bytes")
    card.get_by_role("button", name="Allow menu.txt").click()
    expect(card.get_by_text("You allowed the file.")).to_be_visible()
    link = files_tab.page.get_by_role("link", name="menu.txt")
    expect(link).to_be_visible()
    content = files_tab.page.request.get(link.get_attribute("href") or "").text()
    assert content == "Monday: soup. Tuesday: salad.\n"


def test_a_file_that_the_user_declines(files_tab: ChatTab) -> None:
    """The bot is asked for nothing more, and the user is not asked again after a reload."""
    files_tab.say("menu")
    files_tab.page.get_by_role("button", name="Decline menu.txt").click()
    expect(files_tab.page.get_by_text("You declined the file.")).to_be_visible()
    expect(files_tab.message("OK, I won't send it.")).to_be_visible()
    files_tab.page.reload()
    expect(files_tab.page.get_by_text("You declined the file.")).to_be_visible()
    expect(files_tab.page.get_by_role("button", name="Allow menu.txt")).to_have_count(0)
    assert files_tab.sent("fileConsent/invoke")["action"] == "decline"
