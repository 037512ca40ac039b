"""Message extensions in the chat page, as a person uses them."""

import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.emulator.pages.cards.chat_tab import ChatTab
from tests.emulator.pages.cards.page_server import CANCELS, SIGNS_IN
from tests.support.wire.chromium import press_tool


def open_command(tab: ChatTab, name: str) -> Locator:
    """Choose a command in the composer; returns its dialog."""
    tab.press("Message extensions")
    tab.page.get_by_role("menuitem", name=name).click()
    return tab.page.get_by_role("dialog")


def test_a_menu_that_grows(browser: Browser, teams_bot: str) -> None:
    """Commands that the page knows only once the menu is open are in sight, too."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    asked: list[Route] = []
    page.route("**/api/chat/app", lambda route: asked.append(route))
    with page.expect_request("**/api/chat/app"):
        page.goto(teams_bot)
    page.get_by_role("button", name="Message extensions").click()
    expect(page.get_by_role("menuitem")).to_have_count(1)
    for route in asked:
        route.continue_()
    settings = page.get_by_role("menuitem", name="Settings")
    expect(settings).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("menuitem").first).to_be_in_viewport(ratio=1)
    page.close()


def test_a_command_before_the_session(browser: Browser, teams_bot: str) -> None:
    """What a user asks of the bot before the session has begun is sent once it has."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    tab = ChatTab(page)
    asked: list[Route] = []
    page.route("**/api/chat/session", lambda route: asked.append(route))
    with page.expect_request("**/api/chat/session"):
        page.goto(teams_bot)
    tab.press("More")
    page.get_by_role("menuitemcheckbox", name="Single sign-on").click()
    box = open_command(tab, "Find my books")
    box.get_by_label("Title").fill("silent")
    expect(box.get_by_role("status")).to_have_text("Searching…")
    for route in asked:
        route.continue_()
    expect(box.get_by_role("button", name="For a token")).to_be_visible()
    assert tab.console_errors == []
    page.close()


def test_search(tab: ChatTab) -> None:
    """The first results come at once, more follow, and typing finds others."""
    box = open_command(tab, "Find books")
    expect(box.get_by_role("status")).to_have_text("25 results")
    assert tab.sent("composeExtension/query") == {
        "commandId": "search",
        "parameters": [{"name": "initialRun", "value": "true"}],
        "queryOptions": {"skip": 0, "count": 25},
    }
    box.get_by_role("button", name="More results").click()
    expect(box.get_by_role("listitem")).to_have_count(40)
    box.get_by_label("Title").fill("Book 12")
    expect(box.get_by_role("status")).to_have_text("1 result")
    box.get_by_label("Title").fill("Shelf")
    expect(box.get_by_role("status")).to_have_text("No results found")


def test_a_result_becomes_a_message(tab: ChatTab) -> None:
    """Choosing a result asks the bot for its card, which is sent with the next message."""
    box = open_command(tab, "Find books")
    box.get_by_role("button", name="Book 2 A novel").click()
    tray = tab.page.get_by_role("list", name="To be sent")
    expect(tray.get_by_text("Chosen: Book 2")).to_be_visible()
    tab.say("look")
    expect(tab.page.locator(".message--own").get_by_text("Chosen: Book 2")).to_be_visible()
    expect(tab.message("You sent look ['application/vnd.microsoft.card.adaptive'")).to_be_visible()
    assert tab.sent("composeExtension/selectItem") == {"title": "Book 2"}


def test_a_grid_and_a_wrong_answer(tab: ChatTab) -> None:
    """Results may be a grid; the page says what is wrong with an answer."""
    box = open_command(tab, "Find books")
    box.get_by_label("Title").fill("grid")
    expect(box.locator(".results--grid")).to_be_visible()
    box.get_by_label("Title").fill("wrong")
    expect(box.get_by_role("alert")).to_contain_text("composeExtension.attachments is an object")


def test_nothing_is_asked_before_the_user_types(tab: ChatTab) -> None:
    """A command without initialRun starts, and ends, with an empty box."""
    box = open_command(tab, "Find my books")
    expect(box.get_by_role("status")).to_have_text("Type to search.")
    box.get_by_label("Title").fill("Book 12")
    expect(box.get_by_role("button", name="Book 12")).to_be_visible()
    box.get_by_label("Title").fill("")
    expect(box.get_by_role("status")).to_have_text("Type to search.")
    expect(box.get_by_role("listitem")).to_have_count(0)
    sent = [each["value"]["parameters"] for each in tab.invokes]
    assert sent == [[{"name": "title", "value": "Book 12"}]]


def test_sign_in(tab: ChatTab) -> None:
    """A search that needs a sign-in is sent again with what the bot's page returns."""
    box = open_command(tab, "Find books")
    box.get_by_label("Title").fill("login")
    tab.sign_in(box.get_by_role("button", name="Sign in"), SIGNS_IN)
    expect(box.get_by_role("button", name="For 123456 of authentication")).to_be_visible()


def test_a_sign_in_that_fails(tab: ChatTab) -> None:
    """The page says why, and the user can try again."""
    box = open_command(tab, "Find books")
    box.get_by_label("Title").fill("login")
    tab.sign_in(box.get_by_role("button", name="Sign in"), CANCELS)
    expect(box.get_by_role("alert")).to_contain_text("The page reported a failure: 123456")
    expect(box.get_by_role("button", name="Sign in")).to_be_visible()


def test_silent_sign_in(tab: ChatTab) -> None:
    """With single sign-on, the search is sent again with a token, and the user is asked nothing."""
    tab.press("More")
    tab.page.get_by_role("menuitemcheckbox", name="Single sign-on").click()
    box = open_command(tab, "Find books")
    box.get_by_label("Title").fill("silent")
    expect(box.get_by_role("button", name="For a token")).to_be_visible()
    assert tab.sent("composeExtension/query")["authentication"]["token"].startswith("eyJ")
    box.get_by_label("Title").fill("refused")
    expect(box.get_by_role("button", name="Sign in")).to_be_visible()


def test_settings(tab: ChatTab) -> None:
    """The bot gets what its settings page returns."""
    prompt = open_command(tab, "Settings")
    tab.sign_in(prompt.get_by_role("button", name="Settings of books"), SIGNS_IN)
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    assert tab.sent("composeExtension/setting") == {"state": "123456 of authentication"}


def test_action(tab: ChatTab) -> None:
    """An action's form becomes a card in the composer."""
    form = open_command(tab, "Make a note")
    expect(form.get_by_text("On compose:")).to_be_visible()
    form.get_by_label("Note").fill("Buy milk")
    form.get_by_role("button", name="Insert").click()
    tray = tab.page.get_by_role("list", name="To be sent")
    expect(tray.get_by_text("Note: Buy milk")).to_be_visible()
    sent = tab.sent("composeExtension/submitAction")
    assert sent["commandId"] == "note"
    assert sent["data"] == {"note": "Buy milk"}


def test_static_parameters(tab: ChatTab) -> None:
    """An action without a dialog of the bot's has a form of the manifest's parameters."""
    form = open_command(tab, "Lend a book")
    form.get_by_label("Title").fill("Waves")
    form.get_by_label("Days").fill("3")
    form.get_by_label("Reason").fill("Holiday")
    form.get_by_label("In a hurry").check()
    form.get_by_label("Shelf").select_option("Upper")
    form.get_by_role("button", name="Submit").click()
    tray = tab.page.get_by_role("list", name="To be sent")
    expect(tray.get_by_text("Lent:")).to_be_visible()
    assert tab.sent("composeExtension/submitAction")["data"] == {
        "title": "Waves",
        "days": "3",
        "reason": "Holiday",
        "hurry": "true",
        "shelf": "up",
    }


def test_a_button_of_a_sent_card(tab: ChatTab) -> None:
    """Action.Submit of a card that the extension made goes to the extension, not into the chat."""
    form = open_command(tab, "Make a note")
    form.get_by_label("Note").fill("Buy milk")
    form.get_by_role("button", name="Insert").click()
    expect(tab.page.get_by_role("list", name="To be sent")).to_contain_text("Note: Buy milk")
    tab.say("look")
    expect(tab.message("You sent look")).to_be_visible()
    with tab.page.expect_response("**/invoke") as answered:
        tab.page.locator(".message--own").get_by_role("button", name="Done").click()
    assert answered.value.json()["status"] == 200
    assert tab.sent("composeExtension/onCardButtonClicked") == {"note": "Buy milk"}


def test_action_on_a_message(tab: ChatTab) -> None:
    """The bot gets the message that the command was chosen on."""
    tab.say("hello")
    message = tab.message("You sent hello")
    press_tool(message, "Message options")
    tab.page.get_by_role("menuitem", name="Make a note").click()
    dialog = tab.dialog("A note")
    expect(dialog.get_by_text("On message: You sent hello")).to_be_visible()
    payload = tab.sent("composeExtension/fetchTask")["messagePayload"]
    assert payload["from"]["application"]["applicationIdentityType"] == "bot"


def test_preview(tab: ChatTab) -> None:
    """A preview can be edited, and sent by the bot."""
    form = open_command(tab, "Make a note")
    form.get_by_label("Note").fill("Tea")
    form.get_by_role("button", name="Preview").click()
    preview = tab.dialog("Preview")
    expect(preview.get_by_text("Note: Tea")).to_be_visible()
    preview.get_by_role("button", name="Edit").click()
    form = tab.dialog("A note")
    form.get_by_label("Note").fill("Coffee")
    form.get_by_role("button", name="Preview").click()
    expect(preview.get_by_text("Note: Coffee")).to_be_visible()
    preview.get_by_role("button", name="Send").click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    sent = tab.sent("composeExtension/submitAction")
    assert sent["botMessagePreviewAction"] == "send"
    assert sent["botActivityPreview"][0]["attachments"]


def test_link_unfurling(tab: ChatTab) -> None:
    """A link of the app's domain becomes a card in the composer; other links do not."""
    box = tab.page.get_by_role("textbox", name="Type a message")
    box.fill("see https://other.example/1")
    box.fill("see https://books.example/1")
    tray = tab.page.get_by_role("list", name="To be sent")
    expect(tray.get_by_text("Unfurled")).to_be_visible()
    links = [each["value"] for each in tab.invokes if each["name"] == "composeExtension/queryLink"]
    assert links == [{"url": "https://books.example/1"}]


def test_a_command_that_the_manifest_does_not_name(tab: ChatTab) -> None:
    """Another command can be entered."""
    form = open_command(tab, "Another command")
    form.get_by_label("Command ID").fill("search")
    form.get_by_label("Parameter name").fill("title")
    form.get_by_role("button", name="Open").click()
    expect(tab.dialog("search").get_by_role("status")).to_have_text("25 results")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(browser: Browser, teams_bot: str, scheme: str) -> None:
    """Axe finds nothing in the search box, light and dark, and at 360 px."""
    with ChatTab.opened(browser, teams_bot, color_scheme=scheme) as tab:
        box = open_command(tab, "Find books")
        expect(box.get_by_role("status")).to_have_text("25 results")
        assert tab.violations() == []
        tab.shoot(f"search_{scheme}.png")
        tab.page.set_viewport_size({"width": 360, "height": 740})
        assert tab.violations() == []
        tab.shoot(f"search_{scheme}_360.png")
