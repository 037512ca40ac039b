"""The inspector's list: live rows, keyboard, filters, search, and a thousand turns."""

import statistics

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.pages.inspector.inspected_bot import InspectedBot, choose, row, rows

FRAMES_OF_MESSAGES = """
window.frameTimes = [];
const NativeSocket = window.WebSocket;
window.WebSocket = class extends NativeSocket {
  constructor(url) {
    super(url);
    this.addEventListener("message", () => {
      const start = performance.now();
      const drawn = () => window.frameTimes.push(performance.now() - start);
      requestAnimationFrame(() => setTimeout(drawn));
    });
  }
};
"""
"""Measures the milliseconds from each message of the live connection until it is drawn."""

STEPS_OF_SCROLLING = """
async (steps) => {
  const list = document.querySelector("[role=listbox]");
  const times = [];
  for (let step = 0; step < steps; step += 1) {
    const start = performance.now();
    list.scrollTop = (list.scrollHeight / steps) * step;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    times.push(performance.now() - start);
  }
  times.sort((one, other) => one - other);
  return { median: times[steps / 2], worst: times.at(-1) };
}
"""
"""Scrolls through the list; milliseconds of a step, which takes two frames: 33 ms at best."""


def test_the_keyboard(inspected: InspectedBot, page: Page) -> None:
    """Arrows move, Enter opens, Escape closes, and a slash goes to the search."""
    for text in ("one", "two", "three"):
        inspected.report_turn(turn=f"the-{text}", text=text)
    expect(rows(page)).to_have_count(3)
    turns = page.get_by_role("listbox", name="Turns")
    turns.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(turns).to_have_attribute("aria-activedescendant", "turn-the-two")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="two")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="two")).to_have_count(0)
    expect(turns).to_be_focused()
    page.keyboard.press("Enter")
    turns.focus()
    page.keyboard.press("ArrowDown")  # with details open, they follow
    expect(page.get_by_role("heading", name="three")).to_be_visible()
    expect(turns).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search turns")).to_be_focused()


def test_tabs_by_keyboard(inspected: InspectedBot, page: Page) -> None:
    """Arrows move between the tabs of the details, and a tab keeps the focus."""
    inspected.report_turn(text="one")
    row(page, "one").click()
    overview = page.get_by_role("tab", name="Overview")
    overview.focus()
    overview.press("ArrowRight")
    expect(page.get_by_role("tab", name="Activity")).to_be_focused()
    expect(page.get_by_role("tab", name="Activity")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Caller")).to_be_focused()


def test_filters(inspected: InspectedBot, page: Page) -> None:
    """Turns are filtered by type, conversation, and failure; one press shows all again."""
    inspected.report_turn(text="in a team", conversation={"id": "19:x", "name": "Design"})
    inspected.report_turn(type="event", name="reminder")
    inspected.report_turn({"event": "log", "level": "ERROR", "text": "no"}, text="bad")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Type").select_option("message")
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Conversation").select_option("Design")
    expect(rows(page)).to_have_count(1)
    expect(row(page, "in a team")).to_be_visible()
    expect(page.get_by_text("1 of 3 turns")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Failed only").check()
    expect(rows(page)).to_have_count(1)
    expect(row(page, "bad")).to_be_visible()


def test_search(inspected: InspectedBot, page: Page) -> None:
    """Rows are found by what they show, and by what only their details have."""
    inspected.report_turn(text="hello", value={"order": "Zürich 4711"})
    inspected.report_turn(text="world")
    expect(rows(page)).to_have_count(2)
    search = page.get_by_role("searchbox", name="Search turns")
    search.fill("WORLD")
    expect(rows(page)).to_have_count(1)
    expect(row(page, "world")).to_be_visible()
    search.fill("zürich 4711")
    expect(row(page, "hello")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    search.fill("nowhere")
    expect(page.get_by_text("No turn matches")).to_be_visible()
    search.press("Escape")
    expect(rows(page)).to_have_count(2)


def test_pause_and_clear(inspected: InspectedBot, page: Page) -> None:
    """While paused, the list stays as it is; clearing removes all turns."""
    inspected.report_turn(text="before")
    expect(row(page, "before")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    inspected.report_turn(text="meanwhile")
    inspected.report({"event": "status", "state": "loading"})
    expect(page.get_by_text("Reloading")).to_be_visible()
    inspected.report({"event": "status", "state": "ready"})
    expect(page.get_by_text("Ready")).to_be_visible()  # so it has heard of the turn before
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Pause").click()
    expect(row(page, "meanwhile")).to_be_visible()
    page.get_by_role("button", name="Clear all turns").click()
    expect(page.get_by_text("No turns yet")).to_be_visible()


def test_the_newest_turn_is_followed(inspected: InspectedBot, page: Page) -> None:
    """The list stays at its end, unless it is scrolled away; a button goes back there."""
    for number in range(40):
        inspected.report_turn(text=f"number {number:02}")
    expect(row(page, "number 39")).to_be_in_viewport()
    page.get_by_role("listbox").evaluate("(list) => { list.scrollTop = 200; }")
    top = rows(page).filter(has_text="number 05")
    expect(top).to_be_in_viewport()
    for number in range(40, 43):
        inspected.report_turn(text=f"number {number:02}")
    newer = page.get_by_role("button", name="3 new")
    expect(newer).to_be_visible()
    expect(top).to_be_in_viewport()
    newer.click()
    expect(row(page, "number 42")).to_be_in_viewport()
    expect(newer).to_have_count(0)


def test_a_link_to_a_turn(inspected: InspectedBot, page: Page) -> None:
    """A turn can be opened by its id before it is known; the address has the id of what is open."""
    page.goto(f"{inspected.url}?turn=later")
    expect(page.get_by_text("This turn is not here")).to_be_visible()
    inspected.report_turn(turn="later", text="here I am")
    expect(page.get_by_role("heading", name="here I am")).to_be_visible()
    expect(choose(page, "Activity")).to_contain_text("here I am")
    inspected.report_turn(turn="another", text="another one")
    row(page, "another one").click()
    expect(page).to_have_url(f"{inspected.url}?turn=another")
    page.reload()
    expect(page.get_by_role("heading", name="another one")).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page).to_have_url(inspected.url)


@pytest.mark.timed
def test_a_thousand_turns(inspected: InspectedBot, page: Page) -> None:
    """A thousand rows are shown, changed and scrolled as quickly as a few."""
    for number in range(1000):
        inspected.report_turn(text=f"number {number:04}")
    page.add_init_script(FRAMES_OF_MESSAGES)
    page.goto("about:blank")
    inspected.open(page)
    expect(page.get_by_text("1000 turns")).to_be_visible()
    expect(row(page, "number 0999")).to_be_in_viewport()
    assert rows(page).count() < 60
    for number in range(1000, 1020):
        inspected.report_turn(text=f"number {number:04}")
        expect(row(page, f"number {number}")).to_be_in_viewport()
    greeting, *updates = page.evaluate("window.frameTimes")
    scrolling = page.evaluate(STEPS_OF_SCROLLING, 40)
    update = statistics.median(updates)
    print(f"1,000 turns: shown in {greeting:.0f} ms, an update {update:.1f} ms,")
    print(f"a step of scrolling {scrolling['median']:.1f} ms, the slowest {scrolling['worst']:.0f}")
    assert greeting < 3000
    assert update < 300
    assert scrolling["median"] < 300
