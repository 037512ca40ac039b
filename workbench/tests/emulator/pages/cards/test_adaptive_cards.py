"""Adaptive Cards in the chat page, as a person uses them."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.emulator.pages.cards.chat_tab import ChatTab
from tests.support.wire.chromium import press_tool


def test_submit_sends_a_value(tab: ChatTab) -> None:
    """Action.Submit sends the inputs as a message's value without text, and shows no bubble."""
    tab.say("form")
    tab.page.get_by_label("Reason").fill("Lunch")
    tab.press("Reject")
    answer = "Value: [('color', 'r'), ('decision', 'no'), ('reason', 'Lunch')], text: None"
    expect(tab.message(answer)).to_be_visible()
    expect(tab.page.locator(".message--own")).to_have_count(1)
    expect(tab.page.get_by_label("Reason")).to_be_visible()


def test_a_required_input(tab: ChatTab) -> None:
    """An action needs the required inputs: its error is shown, and nothing is sent."""
    tab.say("form")
    tab.press("Approve")
    expect(tab.page.get_by_text("A reason is needed.")).to_be_visible()
    expect(tab.page.get_by_label("Reason")).to_be_focused()
    assert tab.invokes == []


def test_execute_replaces_the_card(tab: ChatTab) -> None:
    """Action.Execute sends verb, data and inputs; the answer's card replaces the card."""
    tab.say("form")
    tab.page.get_by_label("Reason").fill("Lunch")
    field = tab.page.get_by_role("textbox", name="Package")
    field.press_sequentially("fa")
    tab.page.get_by_text("FastAPI").click()
    expect(field).to_have_value("FastAPI")
    tab.press("Approve")
    expect(tab.message("Approved: Lunch, fastapi")).to_be_visible()
    expect(tab.page.get_by_label("Reason")).to_have_count(0)
    value = tab.sent("adaptiveCard/action")
    assert value["trigger"] == "manual"
    assert value["action"]["data"]["order"] == 7
    assert tab.sent("application/search")["queryOptions"] == {"skip": 0, "top": 15}


def test_text_of_cards(tab: ChatTab) -> None:
    """Markdown and mentions are shown, HTML is not; a card within a card opens."""
    tab.say("form")
    card = tab.page.locator(".card--adaptive")
    expect(card.get_by_text("Expense of @Ada")).to_be_visible()
    expect(card.locator("strong", has_text="Please")).to_be_visible()
    expect(card.get_by_text("<b>first</b>")).to_be_visible()
    tab.press("Comment")
    expect(card.get_by_text("A comment is welcome.")).to_be_visible()


def test_message_back(tab: ChatTab) -> None:
    """The bot gets the action's text, and the chat shows its display text."""
    tab.say("form")
    tab.page.get_by_label("Reason").fill("x")
    tab.press("Shout")
    expect(tab.message("text: loud")).to_be_visible()
    expect(tab.page.locator(".message--own", has_text="Shouted")).to_be_visible()


def test_data_that_is_a_text(tab: ChatTab) -> None:
    """It is sent without the inputs, which cannot be added to it."""
    tab.say("plain")
    tab.page.get_by_label("Note").fill("not sent")
    tab.press("Send a text")
    expect(tab.message("Value: only this, text: None")).to_be_visible()


def test_layouts(tab: ChatTab) -> None:
    """Tables, fallbacks and hidden elements work; the card says what it leaves out."""
    tab.say("layouts")
    card = tab.page.locator(".card--adaptive")
    expect(card.get_by_text("speed")).to_be_visible()
    expect(card.get_by_text("A fallback")).to_be_visible()
    expect(card.get_by_text("Hidden before")).to_be_hidden()
    tab.press("Reveal")
    expect(card.get_by_text("Hidden before")).to_be_visible()
    card.get_by_text("1 remark on this card").click()
    expect(card.get_by_text('Unknown element type "Unknown"')).to_be_visible()
    assert tab.box(tab.page.locator(".card-place--full"))["width"] > 500


def test_scripts_do_not_open(tab: ChatTab) -> None:
    """Action.OpenUrl opens web pages only, and the page says why it opens nothing."""
    tab.say("layouts")
    tab.page.get_by_role("link", name="Script").click()
    expect(tab.page.get_by_text("The URL is not an http(s) address")).to_be_visible()
    assert len(tab.page.context.pages) == 1


def test_a_version_that_is_too_new(tab: ChatTab) -> None:
    """The card's fallback text is shown."""
    tab.say("new")
    expect(tab.message("Too new")).to_be_visible()
    expect(tab.page.get_by_label("Reason")).to_have_count(0)


def test_refresh(tab: ChatTab) -> None:
    """A card refreshes itself once when its user sees it, and from the message's menu."""
    tab.say("view")
    message = tab.message("Seen")
    expect(message).to_contain_text(re.compile(r"Seen [1-9]"))
    assert [each["value"]["trigger"] for each in tab.invokes] == ["automatic"]
    seen = int(re.findall(r"Seen (\d+)", message.inner_text())[0])
    press_tool(message, "Message options")
    tab.page.get_by_role("menuitem", name="Refresh card").click()
    expect(message).to_contain_text(f"Seen {seen + 1} times")
    assert tab.sent("adaptiveCard/action")["trigger"] == "manual"


def test_what_an_action_may_answer(tab: ChatTab) -> None:
    """A message is shown below the card, and so is an error."""
    tab.say("view")
    tab.press("Say")
    expect(tab.page.locator(".card__outcome", has_text="Said.")).to_be_visible()
    tab.press("Fail")
    expect(tab.page.get_by_text("The bot refused the action (400)")).to_be_visible()
    expect(tab.page.get_by_text("BadRequest: Nothing to do")).to_be_visible()


def test_sign_in_within_a_card(tab: ChatTab) -> None:
    """An action whose answer is a sign-in request is sent again with the code."""
    tab.say("view")
    tab.page.locator(".card--adaptive").get_by_role("button", name="Sign in").click()
    prompt = tab.page.locator(".card__outcome")
    expect(prompt).to_contain_text("Please sign in to go on.")
    tab.sign_in(prompt.get_by_role("button", name="Sign in"), "The token service's page")
    tab.return_code("123456")
    expect(tab.message("Signed in with the code 123456")).to_be_visible()


def test_single_sign_on_within_a_card(tab: ChatTab) -> None:
    """With single sign-on, the action is sent again with a token, and the user is asked nothing."""
    tab.press("More")
    tab.page.get_by_role("menuitemcheckbox", name="Single sign-on").click()
    tab.say("view")
    tab.page.locator(".card--adaptive").get_by_role("button", name="Sign in").click()
    expect(tab.message("Signed in with a token")).to_be_visible()
    offered = tab.sent("adaptiveCard/action")["authentication"]
    assert (offered["id"], offered["connectionName"]) == ("exchange-1", "graph")
    assert offered["token"].startswith("eyJ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(browser: Browser, teams_bot: str, scheme: str) -> None:
    """Axe finds nothing in cards, light and dark, and at 360 px."""
    options = {"color_scheme": scheme, "viewport": {"width": 1000, "height": 1300}}
    with ChatTab.opened(browser, teams_bot, **options) as tab:
        for words in ("others", "layouts", "form"):
            tab.say(words)
        expect(tab.page.get_by_label("Reason")).to_be_visible()
        assert tab.violations() == []
        tab.shoot(f"cards_{scheme}.png")
        tab.page.set_viewport_size({"width": 360, "height": 900})
        expect(tab.page.get_by_role("button", name="Comment")).to_be_in_viewport(ratio=1)
        assert tab.violations() == []
        tab.shoot(f"cards_{scheme}_360.png")
