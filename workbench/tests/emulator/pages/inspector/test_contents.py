"""The inspector's page with content that people and bots send, however odd it is."""

import re
import time

from playwright.sync_api import Page, expect

from tests.emulator.pages.inspector.inspected_bot import InspectedBot, choose, open_row, row

MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def test_markup_is_text(inspected: InspectedBot, page: Page, complaints: list[str]) -> None:
    """Markup in any part of a turn is shown as it is, and never runs."""
    inspected.report_turn(
        {"event": "check", "name": MARKUP, "outcome": "failed", "detail": MARKUP},
        {"event": "claims", "claims": {MARKUP: MARKUP}},
        {"event": "log", "level": "INFO", "logger": MARKUP, "text": MARKUP},
        {"event": "state", "op": "write", "key": MARKUP, "before": {}, "after": {MARKUP: 1}},
        {"event": "queue", "step": MARKUP, "detail": MARKUP},
        {"event": "span", "name": MARKUP, "ms": 1.0},
        {
            "event": "call",
            "id": "c",
            "method": "GET",
            "url": f"javascript:{MARKUP}",
            "purpose": MARKUP,
            "status": 200,
            "ms": 1.0,
        },
        text=MARKUP,
        value={MARKUP: MARKUP},
    )
    open_row(page, MARKUP)
    for tab in ("Overview", "Activity", "State", "Calls", "Log", "Caller", "Queue"):
        expect(choose(page, tab)).to_contain_text("onerror")
    page.get_by_role("tab", name="Activity").click()
    page.get_by_role("button", name="Raw").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("onerror")
    assert page.title() == "The bot's turns (local)"
    assert page.locator(".inspector img, .inspector script").count() == 0
    assert complaints == []


def test_all_scripts(inspected: InspectedBot, page: Page) -> None:
    """Emoji and text from right to left are shown; they do not turn what is around them."""
    text = "🎉👩‍👩‍👧 שלום עולם مرحبا e\u0301"
    inspected.report_turn(text=text, value={"שם": "\u202eevil"})
    open_row(page, "שלום")
    expect(page.get_by_role("heading", level=2)).to_have_text(text)
    tree = choose(page, "Activity").get_by_role("tree", name="Activity")
    expect(tree.get_by_role("treeitem").filter(has_text="text")).to_contain_text(text)
    key = tree.locator("bdi").filter(has_text="שם")
    expect(key).to_have_css("unicode-bidi", "isolate")


def test_a_megabyte(inspected: InspectedBot, page: Page) -> None:
    """A huge text is shortened until it is asked for, and all of it is copied."""
    inspected.report_turn(text="start " + "x" * 1_000_000 + " end")
    open_row(page, "start")
    content = choose(page, "Activity")
    more = content.get_by_role("button", name="Show all 1.0 MB")
    expect(more).to_be_visible()
    assert len(content.inner_text()) < 5_000
    more.click()
    expect(content.get_by_text("copy to see all 1.0 MB")).to_be_visible()
    content.get_by_role("button", name="Copy Activity").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.length > 1000000)")
    content.get_by_role("button", name="Raw").click()
    expect(content.get_by_role("button", name="Show all 1.0 MB")).to_be_visible()


def test_deep_json(inspected: InspectedBot, page: Page) -> None:
    """500 levels are unfolded and searched; rows stay readable."""
    value: object = "the bottom"
    for _ in range(500):
        value = {"a": value}
    inspected.report_turn(text="deep", value=value)
    open_row(page, "deep")
    content = choose(page, "Activity")
    content.get_by_role("searchbox", name="Find in Activity").fill("the bottom")
    expect(content.get_by_text("1 of 1")).to_be_visible()
    found = content.get_by_role("treeitem").filter(has_text="the bottom").last
    expect(found).to_be_in_viewport()
    box = found.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 1440
    content.get_by_role("button", name="Collapse").click()
    content.get_by_role("button", name="Expand").click()
    expect(content.get_by_text("the bottom").last).to_be_attached()


def test_the_tree_by_keyboard(inspected: InspectedBot, page: Page) -> None:
    """Arrows move, fold and unfold; long lists are shown in parts."""
    inspected.report_turn(text="tree", value={"list": list(range(250))})
    open_row(page, "tree")
    tree = choose(page, "Activity").get_by_role("tree", name="Activity")
    tree.focus()
    tree.press("ArrowLeft")  # folds all of it
    expect(tree.get_by_role("treeitem")).to_have_count(1)
    tree.press("ArrowRight")
    tree.press("End")
    expect(tree.get_by_role("treeitem", selected=True)).to_contain_text("list: [ 250 ]")
    tree.press("ArrowRight")
    expect(tree.get_by_text("Show more (150 left)")).to_be_visible()
    tree.press("End")
    tree.press("Enter")
    expect(tree.get_by_text("249", exact=True).last).to_be_attached()


def test_search_in_json(inspected: InspectedBot, page: Page) -> None:
    """Enter goes from match to match, which are unfolded, marked and counted."""
    inspected.report_turn(text="needle", value={"a": {"b": {"c": "a needle"}}, "needle": 1})
    open_row(page, "needle")
    content = choose(page, "Activity")
    find = content.get_by_role("searchbox", name="Find in Activity")
    find.fill("NEEDLE")
    expect(content.get_by_text("1 of 3")).to_be_visible()
    expect(content.locator("mark").first).to_have_text("needle")
    find.press("Enter")
    expect(content.get_by_text("2 of 3")).to_be_visible()
    expect(content.locator("[data-match=true]")).to_contain_text("c: a needle")
    find.press("Shift+Enter")
    expect(content.get_by_text("1 of 3")).to_be_visible()


def test_changes_of_state(inspected: InspectedBot, page: Page) -> None:
    """Each path that a turn changed is a line: added, removed, or changed with both values."""
    before = {"count": 1, "name": "old", "gone": True}
    after = {"count": 2, "name": "old", "new": [1]}
    write = {
        "event": "state",
        "op": "write",
        "key": "k",
        "source": "blob",
        "etag": "0x1",
        "ms": 3.0,
    }
    inspected.report_turn({**write, "before": before, "after": after}, text="stateful")
    open_row(page, "stateful")
    changes = choose(page, "State").get_by_role("list").get_by_role("listitem")
    expect(changes).to_have_count(3)
    expect(changes.filter(has_text="count")).to_contain_text("count changed: 1→2")
    expect(changes.filter(has_text="gone")).to_contain_text("gone removed: true")
    expect(changes.filter(has_text="new")).to_contain_text("new added: [1]")
    page.get_by_role("button", name="Before").click()
    expect(page.get_by_role("tree", name="Before")).to_contain_text("gone: true")


def test_a_write_over_something_unknown(inspected: InspectedBot, page: Page) -> None:
    """If nobody knows what was stored before, nothing is said to be new."""
    write = {"event": "state", "op": "write", "key": "k", "before": None, "known": False}
    inspected.report_turn({**write, "after": {"count": 2}}, text="blind")
    open_row(page, "blind")
    state = choose(page, "State")
    expect(state.get_by_text("what it replaced is not known")).to_be_visible()
    expect(state.get_by_role("button", name="Changes")).to_have_count(0)
    state.get_by_role("button", name="Value").click()
    expect(state.get_by_role("tree", name="Value")).to_contain_text("count: 2")


def test_queue_steps(inspected: InspectedBot, page: Page) -> None:
    """A queued turn has its steps, with a dead letter marked."""
    steps = ("enqueued", "wake_up", "drain", "requeued", "dead_letter")
    inspected.report_turn(
        *({"event": "queue", "step": step, "ms": 4.0} for step in steps), text="queued"
    )
    open_row(page, "queued")
    lines = choose(page, "Queue").get_by_role("listitem")
    expect(lines).to_contain_text(["enqueued", "wake up", "drain", "requeued", "dead letter"])


def test_attempts_of_a_call(inspected: InspectedBot, page: Page) -> None:
    """Attempts are a table with results and times; failed ones are bars of their own."""
    call = {"event": "call", "id": "c", "method": "POST", "url": "https://x/v3", "purpose": "reply"}
    inspected.report_turn(
        {**call, "attempt": 1, "status": 429, "error": None, "ms": 5.0, "connect": True},
        {**call, "attempt": 2, "status": None, "error": "connection reset", "ms": 2.0},
        {**call, "attempt": 3, "status": 201, "ms": 3.0, "request": {"text": "hi"}},
        text="retried",
    )
    expect(row(page, "retried")).to_have_accessible_name(re.compile("2 retries"))
    open_row(page, "retried")
    line = page.get_by_role("list", name="Time line").get_by_role("listitem").last
    expect(line).to_contain_text("status 201, 3 attempts")
    expect(line.locator(".bar[data-failed=true]")).to_have_count(2)
    line.get_by_role("button").click()
    table = page.get_by_role("table", name="Attempts")
    expect(table.get_by_role("row")).to_have_count(4)
    expect(table.get_by_role("row").nth(1)).to_contain_text("429 (new connection)")
    expect(table.get_by_role("row").nth(2)).to_contain_text("connection reset")


def test_a_value_that_is_too_large(inspected: InspectedBot, page: Page) -> None:
    """Of a value that was not recorded as a whole, the start of its text and its size are shown."""
    large = {"$cut": {"bytes": 90_408, "start": '{"text": "zzz'}}
    call = {"event": "call", "id": "c", "method": "POST", "url": "https://localhost/v3"}
    inspected.report_turn(
        {**call, "purpose": "connector", "request": large, "response": {"$bytes": 12}},
        {"event": "state", "op": "write", "key": "k", "before": large, "after": {}},
        text="large",
    )
    open_row(page, "large")
    calls = choose(page, "Calls")
    calls.get_by_text("connector").click()
    expect(calls.get_by_text("The start of 90.4 KB; the rest was not recorded.")).to_be_visible()
    expect(calls.get_by_role("region", name="Request")).to_have_text('{"text": "zzz…')
    expect(calls.get_by_text("12 B of binary data")).to_be_visible()
    state = choose(page, "State")
    expect(state.get_by_text("too large to compare")).to_be_visible()
    expect(state.get_by_role("button", name="Changes")).to_have_count(0)
    state.get_by_role("button", name="Before").click()
    expect(state.get_by_role("region", name="Before")).to_contain_text("zzz")


def test_lines_outside_of_turns(inspected: InspectedBot, page: Page) -> None:
    """What is logged outside of turns is in a pane of its own, with the time of day."""
    button = page.get_by_role("button", name="Log", exact=True)
    expect(button).to_have_count(0)
    inspected.report({"event": "log", "at": 1.8e9, "level": "WARNING", "text": "no keys"})
    button.click()
    line = page.get_by_role("listitem").filter(has_text="no keys")
    expect(line).to_contain_text(re.compile(r"^\d\d:\d\d:\d\d\s*WARNING"))
    button.click()
    expect(line).to_have_count(0)


def test_details_follow_a_turn_that_never_rests(inspected: InspectedBot, page: Page) -> None:
    """The details of a running turn grow while it changes more often than they are fetched."""
    inspected.report({"event": "turn_started", "turn": "1", "kind": "queued"})
    row(page, "turn").click()
    page.get_by_role("tab", name="Log").click()
    lines = page.get_by_role("tabpanel").get_by_role("listitem")
    last = time.monotonic() + 30
    while lines.count() < 2:
        inspected.report({"event": "log", "turn": "1", "level": "INFO", "text": "still busy"})
        assert time.monotonic() < last
