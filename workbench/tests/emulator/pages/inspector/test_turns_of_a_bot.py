"""The inspector's page with a real bot that reports to it."""

import re
import time

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.emulator.pages.inspector.inspected_bot import InspectedBot, choose, open_row, row, rows
from tests.support.timing.condition import SECONDS

pytestmark = pytest.mark.usefixtures("running_bot")


def test_a_turn_appears_as_it_runs(
    inspected: InspectedBot, page: Page, complaints: list[str]
) -> None:
    """A row has the text, the status, the time, and how many calls the bot made."""
    expect(page.get_by_text("No turns yet")).to_be_visible()
    inspected.send(text="count")
    expect(row(page, "count")).to_have_accessible_name(
        re.compile(
            r"^message, count, User \d+, \d\d:\d\d:\d\d, done, "
            r"status 200, [\d.]+ m?s, .*\d call"
        )
    )
    assert complaints == []


def test_what_a_turn_did(inspected: InspectedBot, page: Page, complaints: list[str]) -> None:
    """The details have activity, reply, state, calls, checks and claims, and never the token."""
    inspected.send(text="count")
    inspected.send(text="count")
    expect(rows(page)).to_have_count(2)
    open_row(page, "count")
    expect(choose(page, "Activity").get_by_text("msteams")).to_be_visible()
    expect(choose(page, "Replies")).to_contain_text("Count: 2")
    state = choose(page, "State")
    expect(state.get_by_role("list", name="change")).to_contain_text("counter")
    expect(state.get_by_role("list", name="change")).to_contain_text("1→2")
    calls = choose(page, "Calls")
    calls.get_by_text("connector").click()
    expect(calls.get_by_role("row", name=re.compile(r"^1 \+.* 201"))).to_be_visible()
    expect(calls.get_by_text("Count: 2")).to_be_visible()
    caller = choose(page, "Caller")
    expect(caller.get_by_role("listitem").filter(has_text="signature")).to_contain_text("passed")
    expect(caller.get_by_role("listitem").filter(has_text="tenant")).to_contain_text(
        "AllowedTenants is not set"
    )
    expect(caller.get_by_text("https://api.botframework.com").last).to_be_visible()
    assert "eyJ" not in page.content()
    assert complaints == []


def test_the_waterfall(inspected: InspectedBot, page: Page) -> None:
    """Each span and call is a row with its place in the turn; pressing a call shows it."""
    inspected.send(text="hello")
    open_row(page, "hello")
    rows = page.get_by_role("list", name="Time line").get_by_role("listitem")
    expect(rows.first).to_contain_text(re.compile(r"Turn: starts at 0 ms, takes [\d.]+ m?s"))
    expect(rows.filter(has_text="authentication").first).to_be_visible()
    rows.filter(has_text="connector").get_by_role("button").click()
    expect(page.get_by_role("tab", name="Calls")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel").get_by_role("table")).to_be_visible()


def test_a_turn_that_fails(inspected: InspectedBot, page: Page) -> None:
    """The overview shows the error with the bot's own frame first; the row is marked."""
    inspected.send(text="fail")
    expect(row(page, "fail")).to_have_accessible_name(re.compile("failed.*2 errors"))
    pane = open_row(page, "fail")
    expect(pane.get_by_text("ValueError: as asked").first).to_be_visible()
    expect(pane.locator(".frame").first).to_contain_text(re.compile(r"bot\.py:\d+"))
    raised = pane.locator(".frame[data-own=true]").last
    expect(raised).to_contain_text('raise ValueError("as asked")')
    pane.get_by_role("button", name="As logged in Azure").click()
    expect(pane.get_by_text("ValueError").first).to_be_visible()


def test_replay(inspected: InspectedBot, page: Page) -> None:
    """Replay delivers the activity again, and shows the turn that it becomes."""
    inspected.send(text="once more")
    open_row(page, "once more")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("option", name=re.compile("once more.*replay"))).to_be_visible()
    expect(page.get_by_role("option", selected=True)).to_have_accessible_name(
        re.compile("once more.*replay")
    )
    page.get_by_role("button", name="the turn it repeats").click()
    expect(page.get_by_role("option", selected=True)).not_to_have_accessible_name(
        re.compile("replay")
    )


def test_copy_as_curl(inspected: InspectedBot, page: Page) -> None:
    """The command for a shell is copied, without a token."""
    inspected.send(text="by hand")
    open_row(page, "by hand")
    page.get_by_role("button", name="Copy as curl").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => /curl/.test(text))")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "by hand" in copied
    assert "eyJ" not in copied


def test_edit_and_send(inspected: InspectedBot, page: Page) -> None:
    """An activity is changed and sent; a mistake is named with its line, and is not sent."""
    inspected.send(text="first")
    open_row(page, "first")
    page.get_by_role("button", name="Edit and send").click()
    editor = page.get_by_role("textbox", name="Activity as JSON")
    expect(editor).to_have_value(re.compile('"text": "first"'))
    activity = editor.input_value()
    editor.fill(activity.replace('"text": "first"', '"text": "second",,'))
    expect(page.locator("#activity-problem")).to_contain_text(
        re.compile(r"^Line \d+, column \d+: ")
    )
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.get_by_role("button", name="Send", exact=True).press("Enter")
    editor.fill(activity.replace('"text": "first"', '"text": "second"'))
    expect(page.locator("#activity-problem")).to_have_text("Valid JSON")
    editor.press("Control+Enter")
    expect(page.get_by_role("heading", name="second")).to_be_focused()
    expect(choose(page, "Replies")).to_contain_text("You said: second")
    expect(page.get_by_role("button", name="the turn it repeats")).to_be_visible()
    assert len([url for url in sent if url.endswith("/send")]) == 1


def test_editing_what_has_a_token(inspected: InspectedBot, page: Page) -> None:
    """The form says that the token is not in what it would send."""
    token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJib3QifQ.c2lnbmF0dXJl"  # no secret
    inspected.send(text=f"with {token}")
    open_row(page, "with [token]")
    page.get_by_role("button", name="Edit and send").click()
    warning = page.get_by_text("Tokens are not shown")
    expect(warning).to_be_visible()
    editor = page.get_by_role("textbox", name="Activity as JSON")
    expect(editor).to_have_value(re.compile(r'"text": "with \[token\]"'))
    editor.fill('{"type": "message"}')
    expect(warning).to_have_count(0)


def test_a_new_activity(page: Page) -> None:
    """A template is sent, and what it lacks is filled in."""
    page.get_by_role("button", name="New activity").click()
    page.get_by_role("button", name="invoke: message extension").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(row(page, "composeExtension/query")).to_have_accessible_name(re.compile("status 501"))
    expect(page.get_by_text("write on_teams_messaging_extension_query")).to_be_visible()
    content = choose(page, "Activity")
    expect(content.get_by_role("treeitem", name=re.compile("serviceUrl"))).to_be_visible()


def test_faults(inspected: InspectedBot, page: Page) -> None:
    """A fault is switched on by a button, is warned of, shows in the turn, and is healed."""
    page.get_by_role("button", name="Services").click()
    presets = page.get_by_role("group", name="Faults of Bot Connector")
    presets.get_by_role("button", name="429 three times").click()
    strip = page.get_by_role("status").filter(has_text="Faults are on")
    expect(strip).to_contain_text("Bot Connector answers 429, Retry-After 1, 3 more")
    expect(presets.get_by_role("button", name="429 three times")).to_have_attribute(
        "aria-pressed", "true"
    )
    inspected.send(text="throttled")
    expect(strip).to_have_count(0)  # all three requests were faulty
    expect(row(page, "throttled")).to_have_accessible_name(re.compile(r"3 retries"))
    open_row(page, "throttled")
    calls = choose(page, "Calls")
    expect(calls.get_by_text("4 attempts")).to_be_visible()


def test_an_answer_that_is_out_of_date(page: Page) -> None:
    """What the page asked for before a fault was switched on does not hide the fault."""
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/inspector/services", lambda route: held.append((route, route.fetch())))
    page.get_by_role("button", name="Services").click()
    end = time.monotonic() + SECONDS
    while not held:
        page.wait_for_timeout(10)
        assert time.monotonic() < end
    page.get_by_role("group", name="Faults of Key Vault").get_by_role("button", name="500").click()
    strip = page.get_by_role("status").filter(has_text="Faults are on")
    expect(strip).to_contain_text("Key Vault answers 500")
    for route, response in held:
        with page.expect_response("**/api/inspector/services") as answered:
            route.fulfill(response=response)
        answered.value.finished()
    page.evaluate("fetch('/inspector').then((response) => response.text())")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    expect(strip).to_contain_text("Key Vault answers 500", timeout=1)


def test_a_service_that_is_stopped(inspected: InspectedBot, page: Page) -> None:
    """A stopped service is warned of; one button starts it again and makes all healthy."""
    page.get_by_role("button", name="Services").click()
    page.get_by_role("button", name="Stop User token service").click()
    other = page.get_by_role("group", name="Faults of Key Vault")
    other.get_by_role("button", name="500").click()
    strip = page.get_by_role("status").filter(has_text="Faults are on")
    expect(strip).to_contain_text("User token service stopped")
    expect(strip).to_contain_text("Key Vault answers 500")
    strip.get_by_role("button", name="Make all healthy").click()
    expect(strip).to_have_count(0)
    assert inspected.thread.cloud.servers["usertokens"].is_running


def test_a_fault_of_ones_own(page: Page) -> None:
    """The form switches any fault on, a button all off; what is not accepted is said."""
    page.get_by_role("button", name="Services").click()
    service = page.get_by_role("listitem").filter(has_text="Entra ID")
    service.get_by_text("Other faults").click()
    service.get_by_label("Status").fill("418")
    service.get_by_label("Path contains").fill("/token")
    service.get_by_role("button", name="Switch on").click()
    expect(service.get_by_text("answers 418, only /token")).to_be_visible()
    service.get_by_role("button", name="Reset Entra ID").click()
    expect(service.get_by_text("healthy")).to_be_visible()
    service.get_by_label("Status").fill("")
    service.get_by_label("Retry-After").fill("später")
    service.get_by_role("button", name="Switch on").click()
    expect(service.get_by_role("alert")).to_contain_text("retry_after must be")
