"""The states of the inspector's page: each is readable by everybody, on any screen."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.pages.inspector.inspected_bot import InspectedBot, choose, open_row, row
from tests.support.project import ROOT
from tests.support.wire.chromium import violations

TOO_WIDE = """
[...document.querySelectorAll("html, .pane__body, .turns__scroll, .inspector__head")]
  .filter((each) => each.scrollWidth > each.clientWidth)
  .map((each) => each.className)
"""
"""What must be scrolled sideways to be read."""

SCREENS = {
    "light": (1440, 900, "light"),
    "dark": (1440, 900, "dark"),
    "360": (360, 740, "light"),
    "4k": (3840, 2160, "light"),
}

TRACEBACK = """Traceback (most recent call last):
  File "/app/bot_logic/bot.py", line 12, in on_message_activity
    return prices[name]
Other frames:
  File "/app/cloud_adapter/adapter.py", line 238, in run
    await logic(context)
KeyError: 'blue'"""


def report_everything(inspected: InspectedBot) -> None:
    """Two turns that have all that a turn can have, and one that failed."""
    call = {
        "event": "call",
        "id": "c",
        "method": "POST",
        "url": "https://localhost/v3/conversations",
    }
    inspected.report_turn(
        {"event": "claims", "claims": {"iss": "https://api.botframework.com", "exp": 1.8e9}},
        {"event": "check", "name": "signature", "outcome": "passed", "detail": "RS256"},
        {"event": "check", "name": "tenant", "outcome": "skipped", "detail": "not set"},
        {"event": "span", "name": "authentication", "ms": 3.0},
        {"event": "span", "name": "the bot's on_turn", "ms": 80.0},
        {**call, "purpose": "reply", "status": 429, "ms": 20.0, "request": {"text": "hi"}},
        {**call, "purpose": "reply", "status": 201, "ms": 40.0, "response": {"id": "1"}},
        {"event": "state", "op": "read", "key": "k", "after": {"count": 1}, "ms": 4.0},
        {"event": "state", "op": "write", "key": "k", "before": {"a": 1}, "after": {"a": 2}},
        {"event": "log", "level": "WARNING", "logger": "bot", "text": "almost"},
        {"event": "log", "level": "DEBUG", "logger": "bot", "text": "detail"},
        {"event": "queue", "step": "wake_up", "detail": "", "ms": 4.0},
        ms=120.0,
        text="What does the blue one cost?",
    )
    inspected.report_turn(
        {"event": "check", "name": "audience", "outcome": "failed", "detail": "another bot"},
        {"event": "log", "level": "ERROR", "logger": "bot", "text": f"failed\n{TRACEBACK}"},
        {
            "event": "error",
            "text": "KeyError: 'blue'",
            "where": "bot_logic/bot.py:12",
            "traceback": TRACEBACK,
            "redacted": TRACEBACK,
        },
        error="bot_logic/bot.py:12 KeyError",
        text="crash",
    )


@pytest.mark.parametrize("screen", SCREENS)
def test_every_state_is_accessible(inspected: InspectedBot, page: Page, screen: str) -> None:
    """axe-core finds nothing in any pane, and nothing is wider than the screen."""
    width, height, scheme = SCREENS[screen]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert violations(page) == []  # empty
    report_everything(inspected)
    expect(row(page, "crash")).to_be_visible()
    assert violations(page) == []
    shoot(page, f"inspector_list_{screen}")
    for text in ("crash", "What does"):
        open_row(page, text)
        for tab in page.get_by_role("tab").all_inner_texts():
            content = choose(page, tab.strip("0123456789\n "))
            for summary in content.locator(".call > summary").all():
                summary.click()
            assert violations(page) == [], tab
            assert page.evaluate(TOO_WIDE) == [], tab
        choose(page, "Overview")
        shoot(page, f"inspector_{'failed' if text == 'crash' else 'turn'}_{screen}")
        page.keyboard.press("Escape")
    line = {"event": "log", "at": 1.8e9, "level": "WARNING", "logger": "auth.inbound"}
    inspected.report({**line, "text": "The signing keys cannot be fetched."})
    page.get_by_role("button", name="Log", exact=True).click()
    expect(page.get_by_text("cannot be fetched")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate(TOO_WIDE) == []
    page.get_by_role("button", name="Services").click()
    page.get_by_text("Other faults").first.click()
    page.get_by_role("group", name="Faults of Key Vault").get_by_text("500").click()
    expect(page.get_by_text("Faults are on")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate(TOO_WIDE) == []
    shoot(page, f"inspector_services_{screen}")
    page.get_by_role("button", name="New activity").click()
    page.get_by_role("textbox", name="Activity as JSON").fill('{"type": }')
    assert violations(page) == []
    shoot(page, f"inspector_send_{screen}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_states_with_nothing_to_show(inspected: InspectedBot, page: Page, scheme: Any) -> None:
    """axe-core finds nothing if no turn matches, a turn is unknown, or the page connects."""
    page.emulate_media(color_scheme=scheme)
    inspected.report_turn(text="a turn")
    expect(row(page, "a turn")).to_be_visible()
    page.get_by_role("searchbox", name="Search turns").fill("nowhere")
    expect(page.get_by_text("No turn matches")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{inspected.url}?turn=unknown")
    expect(page.get_by_text("This turn is not here")).to_be_visible()
    assert violations(page) == []
    page.route_web_socket(re.compile("/live"), lambda _: None)  # it opens, and nothing comes
    page.goto(inspected.url)
    expect(page.get_by_text("Connecting to the local cloud")).to_be_visible()
    assert violations(page) == []


def shoot(page: Page, name: str) -> None:
    """Keep a screenshot to look at."""
    page.screenshot(path=ROOT / "artifacts" / f"{name}.png", animations="disabled")


def test_a_save_that_does_not_load(inspected: InspectedBot, page: Page) -> None:
    """What is wrong is said in a line; the next save that loads takes it away."""
    text = "bot_logic/bot.py:109 SyntaxError: invalid syntax; fix and save"
    inspected.report({"event": "status", "state": "ready", "generation": 1, "ms": 300.0})
    inspected.report({"event": "status", "state": "broken", "text": text, "generation": 1})
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(text)
    expect(alert).to_contain_text("The code before it keeps answering.")
    expect(page.get_by_text("Broken")).to_be_visible()
    assert violations(page) == []
    inspected.report({"event": "status", "state": "ready", "generation": 2, "ms": 431.0})
    expect(alert).to_have_count(0)
    expect(page.get_by_text("Ready · 431 ms")).to_be_visible()


def test_a_blocked_event_loop(inspected: InspectedBot, page: Page) -> None:
    """What blocks it is said in a line for as long as it does, and in the turn's details."""
    place = "bot_logic/bot.py:12 in on_message_activity: time.sleep(60)"
    inspected.report({"event": "status", "state": "ready", "generation": 1, "ms": 300.0})
    turn = inspected.report_turn(text="sleep")
    inspected.report({"event": "blocked", "turn": turn, "place": place})
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(place)
    expect(page.locator(".bot-state")).to_have_text("Blocked")
    expect(open_row(page, "sleep")).to_contain_text(f"The event loop was blocked by {place}")
    assert violations(page) == []
    shoot(page, "inspector_blocked")
    inspected.report({"event": "blocked", "turn": turn, "place": ""})
    expect(alert).to_have_count(0)
    expect(page.locator(".bot-state")).to_have_text("Ready")


def test_a_card_without_what_the_schema_requires(inspected: InspectedBot, page: Page) -> None:
    """The overview of the turn names what is missing."""
    card = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock"}]}
    response = {"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": card}
    ended = {"event": "turn_ended", "response": response}
    inspected.report_turn(ended, type="invoke", name="adaptiveCard/action")
    pane = open_row(page, "adaptiveCard/action")
    missing = 'An Adaptive Card: body[0] (TextBlock) has no "text"'
    expect(pane.locator(".note", has_text=missing)).to_be_visible()
    assert violations(page) == []
    shoot(page, "inspector_card")


def test_a_lost_connection(inspected: InspectedBot, page: Page) -> None:
    """The turns stay, the page says that they are old, and connects again by itself."""
    inspected.report_turn(text="before")
    expect(row(page, "before")).to_be_visible()
    assert violations(page) == []  # loads axe-core, too
    inspected.thread.stop("chat")
    try:
        strip = page.get_by_role("status").filter(has_text="The local cloud does not answer")
        expect(strip).to_be_visible()
        expect(page.get_by_text("Disconnected")).to_be_visible()
        expect(row(page, "before")).to_be_visible()
        assert violations(page) == []
        row(page, "before").click()
        expect(page.get_by_text("Is make run still running?")).to_have_count(2)  # strip, details
        inspected.report_turn(text="meanwhile")
    finally:
        inspected.thread.start("chat")
    expect(row(page, "meanwhile")).to_be_visible()
    expect(strip).to_have_count(0)
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()


def test_colors_follow_the_switch(inspected: InspectedBot, page: Page) -> None:
    """The page is as dark as the system, until the switch says otherwise."""
    body = page.locator(".inspector")
    page.emulate_media(color_scheme="light")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    page.emulate_media(color_scheme="dark")
    expect(body).not_to_have_css("background-color", "rgb(255, 255, 255)")
    page.get_by_role("button", name="Colors: system").click()
    page.get_by_role("button", name="Colors: light").wait_for()
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    inspected.open(page)
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
