"""Dialogs (task modules) in the chat page, as a person uses them."""

import pytest
from playwright.sync_api import Browser, expect

from tests.emulator.pages.cards.chat_tab import ChatTab
from tests.emulator.pages.cards.page_server import PageServer
from tests.support.timing.condition import until
from tests.support.wire.chromium import PAINTS_LATE


def test_a_chain_of_cards(tab: ChatTab) -> None:
    """A card's button opens a dialog, its form another one, and that ends with a text."""
    tab.say("dialogs")
    tab.press("Book a room")
    dialog = tab.dialog("Book a room")
    dialog.get_by_label("Room").fill("Blue")
    assert tab.box(dialog)["width"] == 400
    dialog.get_by_role("button", name="Book").click()
    second = tab.dialog("When in Blue?")
    second.get_by_label("Time").fill("12:30")
    second.get_by_role("button", name="Confirm").click()
    expect(second.get_by_text("Thanks.")).to_be_visible()
    second.get_by_role("button", name="OK").click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(tab.message("Submitted: [('step', 'time'), ('time', '12:30')]")).to_be_visible()
    data = {"msteams": {"type": "task/fetch"}, "dialog": "card"}
    assert tab.sent("task/fetch") == {"data": data, "context": {"theme": "default"}}


def test_a_dialog_that_fails(tab: ChatTab) -> None:
    """An error is shown above the form, which keeps what was entered."""
    tab.say("dialogs")
    tab.press("Book a room")
    dialog = tab.dialog("Book a room")
    dialog.get_by_label("Room").fill("Blue")
    dialog.get_by_role("button", name="Fail").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The bot answered 500")
    expect(dialog.get_by_label("Room")).to_have_value("Blue")


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ("Wrong answer", 'task.type is "open"'),
        ("Unhandled", "The bot does not handle task/fetch"),
    ],
)
def test_an_answer_that_is_none(tab: ChatTab, button: str, said: str) -> None:
    """The page says what is wrong with the bot's answer."""
    tab.say("dialogs")
    tab.press(button)
    expect(tab.page.get_by_role("dialog").get_by_role("alert")).to_contain_text(said)


def test_a_dialog_of_another_bot(tab: ChatTab) -> None:
    """What the user enters goes to the bot of completionBotId, so this one does not get it."""
    tab.say("dialogs")
    tab.press("Another bot")
    dialog = tab.dialog("For another bot")
    dialog.get_by_role("button", name="Book").click()
    expect(dialog.get_by_role("alert")).to_contain_text("the bot another (completionBotId)")
    assert "task/submit" not in [each["name"] for each in tab.invokes]


def test_the_keyboard(tab: ChatTab) -> None:
    """The focus moves into the dialog and stays there; Escape closes it, and returns the focus."""
    tab.say("dialogs")
    tab.press("Book a room")
    dialog = tab.dialog("Book a room")
    expect(dialog.get_by_label("Room")).to_be_visible()
    behind = "() => document.querySelector('.conversation').contains(document.activeElement)"
    for _ in range(8):
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate(behind) is False
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Book a room")).to_be_focused()


def test_a_page_that_submits(tab: ChatTab, pages: PageServer) -> None:
    """A page in a dialog gets TeamsJS's handshake, and its result goes to the bot."""
    tab.say(f"dialog {pages.url('submits')}")
    tab.press("Open a page")
    frame = tab.page.frame_locator("dialog iframe")
    expect(frame.get_by_text("task web default")).to_be_visible()
    frame.get_by_role("button", name="Submit").click()
    expect(tab.dialog("A page").get_by_text("Thanks.")).to_be_visible()
    assert tab.sent("task/submit")["data"] == {"from": "the page"}


def test_a_page_that_speaks_at_once(browser: Browser, teams_bot: str, pages: PageServer) -> None:
    """It is answered, even if the dialog around it has not been painted yet."""
    with ChatTab.opened(browser, teams_bot) as tab:
        tab.page.add_init_script(PAINTS_LATE)
        tab.page.reload()
        tab.say(f"dialog {pages.url('submits')}")
        tab.press("Open a page")
        frame = tab.page.frame_locator("dialog iframe")
        expect(frame.get_by_text("task web default")).to_be_visible()


def test_a_page_cannot_reach_the_chat(tab: ChatTab, pages: PageServer) -> None:
    """Neither the chat page's content nor its address is open to a page in a dialog."""
    tab.say(f"dialog {pages.url('reaches')}")
    tab.press("Open a page")
    frame = tab.page.frame_locator("dialog iframe")
    button, said = frame.get_by_role("button", name="Reach"), frame.locator("#said")

    def is_said() -> bool:
        button.click()
        return bool(said.text_content())

    until(is_said)  # on a busy machine, a click may miss while the dialog opens
    expect(said).to_have_text("refused, refused")
    expect(tab.page.get_by_role("textbox", name="Type a message")).to_be_attached()
    tab.console_errors.clear()  # the browser says so, too


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(browser: Browser, teams_bot: str, scheme: str) -> None:
    """Axe finds nothing in an open dialog, light and dark, and at 360 px."""
    with ChatTab.opened(browser, teams_bot, color_scheme=scheme) as tab:
        tab.say("dialogs")
        tab.press("Book a room")
        expect(tab.dialog("Book a room").get_by_label("Room")).to_be_visible()
        assert tab.violations() == []
        tab.shoot(f"dialog_{scheme}.png")
        tab.page.set_viewport_size({"width": 360, "height": 740})
        assert tab.violations() == []
        tab.shoot(f"dialog_{scheme}_360.png")
