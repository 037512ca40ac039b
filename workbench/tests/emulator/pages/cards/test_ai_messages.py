"""Messages that AI has written, in the chat page, as a person sees them."""

from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, expect

from tests.emulator.pages.cards.chat_tab import ChatTab


@pytest.fixture
def ai_tab(browser: Browser, ai_bot: str) -> Iterator[ChatTab]:
    """The same, in front of the example with AI messages."""
    with ChatTab.opened(browser, ai_bot) as tab:
        yield tab


@pytest.fixture
def go_on(ai_tab: ChatTab, ai_bot: str) -> Iterator[Callable[[], None]]:
    """Delays each part of an answer, so that a busy browser sees it, until the test calls this."""
    url = urljoin(ai_bot, "/api/inspector/services/connector/faults")
    delay = partial(ai_tab.page.request.put, url, fail_on_status_code=True)
    delay(data={"latency": 8})

    def go_on() -> None:
        delay(data={})

    yield go_on
    go_on()


def test_streaming(ai_tab: ChatTab, go_on: Callable[[], None]) -> None:
    """One message grows: first what the bot does, then the text; Stop is gone at the end."""
    ai_tab.say("lunch?")
    expect(ai_tab.message("Reading the menu…")).to_be_visible()
    expect(ai_tab.page.get_by_role("button", name="Stop")).to_be_visible()
    expect(ai_tab.page.get_by_role("progressbar", name="The bot is writing")).to_be_visible()
    go_on()
    expect(ai_tab.message("there is soup 2.")).to_have_count(1)
    expect(ai_tab.message("Reading the menu…")).to_have_count(0)
    expect(ai_tab.page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(ai_tab.page.locator(".message")).to_have_count(2)


def test_stop(ai_tab: ChatTab, go_on: Callable[[], None]) -> None:
    """Stop ends the message where it is; the bot's next one is not affected."""
    ai_tab.say("lunch?")
    ai_tab.press("Stop")
    expect(ai_tab.page.get_by_text("You stopped this message.")).to_be_visible()
    go_on()
    ai_tab.say("and now?")
    expect(ai_tab.message("there is soup 2.")).to_have_count(1)
    expect(ai_tab.page.locator(".message")).to_have_count(4)
    expect(ai_tab.page.get_by_text("You stopped this message.")).to_be_visible()


def test_labels_and_citations(ai_tab: ChatTab) -> None:
    """The message is labelled; a citation opens by mouse and by keyboard, and Escape closes it."""
    ai_tab.say("lunch?")
    mark = ai_tab.page.get_by_role("button", name="Citation 1: Opening hours")
    expect(mark).to_be_visible()
    expect(ai_tab.page.get_by_text("AI generated")).to_be_visible()
    expect(ai_tab.page.locator(".badge", has_text="Internal")).to_be_visible()
    abstract = ai_tab.page.get_by_text("The canteen opens at 11:30 and closes")
    mark.hover()
    expect(abstract).to_be_visible()
    ai_tab.page.mouse.move(10, 10)
    expect(abstract).to_have_count(0)
    mark.press("Enter")
    expect(abstract).to_be_visible()
    ai_tab.page.keyboard.press("Escape")
    expect(abstract).to_have_count(0)
    expect(mark).to_be_focused()


def test_feedback(ai_tab: ChatTab) -> None:
    """What the user writes goes to the bot, and the button stays pressed, after a reload, too."""
    ai_tab.say("lunch?")
    ai_tab.press("Good response")
    form = ai_tab.dialog("Send feedback")
    form.get_by_label("What did you like?").fill("Quick!")
    form.get_by_role("button", name="Submit").click()
    expect(ai_tab.message("Thank you for your like: Quick!")).to_be_visible()
    button = ai_tab.page.get_by_role("button", name="Good response")
    expect(button).to_have_attribute("aria-pressed", "true")
    ai_tab.page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    sent = ai_tab.sent("message/submitAction")
    assert sent["actionName"] == "feedback"
    assert sent["actionValue"] == {"reaction": "like", "feedback": '{"feedbackText":"Quick!"}'}


def test_feedback_with_the_bots_form(tab: ChatTab) -> None:
    """The bot's form opens, and what the user enters is sent as JSON text."""
    tab.say("rate")
    tab.press("Bad response")
    form = tab.dialog("You chose dislike")
    form.get_by_label("Why?").fill("Slow")
    form.get_by_role("button", name="Send feedback").click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    button = tab.page.get_by_role("button", name="Bad response")
    expect(button).to_have_attribute("aria-pressed", "true")
    sent = tab.sent("message/submitAction")["actionValue"]
    assert sent == {"reaction": "dislike", "feedback": '{"why":"Slow"}'}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(browser: Browser, ai_bot: str, scheme: str) -> None:
    """Axe finds nothing with an open citation, light and dark, and at 360 px."""
    with ChatTab.opened(browser, ai_bot, color_scheme=scheme) as tab:
        tab.say("lunch?")
        for width in (1000, 360):
            tab.page.set_viewport_size({"width": width, "height": 740})
            tab.page.get_by_role("button", name="Citation 1: Opening hours").press("Enter")
            expect(tab.page.get_by_text("The canteen opens at 11:30 and closes")).to_be_visible()
            assert tab.violations() == []
            tab.shoot(f"ai_message_{scheme}_{width}.png")
            tab.page.keyboard.press("Escape")
