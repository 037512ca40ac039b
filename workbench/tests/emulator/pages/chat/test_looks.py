"""The chat page's looks and its accessibility, from phones to 4k, in light and dark."""

import datetime
import re
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.emulator.pages.chat.local_teams import LocalTeams, box, bubble, message, shoot
from tests.support.wire.chromium import say, violations

TEXT = (
    "Here they **are**:\n\n| Step | Before | After |\n|:--|--:|--:|\n| Save to answer | 3.5 s | "
    "0.6 s |\n\n- see [the docs](https://example.com/docs)\n- or run `make run`\n\n```\n"
    "await turn_context.send_activity('Hello')\n```"
)

SIZES = {"360": (360, 740), "1280": (1280, 860), "4k": (3840, 2160)}


def fill(teams: LocalTeams, page: Page) -> None:
    """Write a conversation that shows most of what there is."""
    say(page, "Good morning! Can you show me the figures of the last release?")
    expect(bubble(page, "You said: Good morning")).to_be_visible()
    said = teams.bot_says(page, TEXT)
    reactions = [{"type": "like", "user": "29:x"}]
    teams.update(page, said, reactions=reactions)
    actions = [{"type": "imBack", "title": "Thank you", "value": "Thank you"}]
    teams.bot_says(page, "Anything else?", suggestedActions={"actions": actions})
    expect(page.get_by_role("button", name="Thank you")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_size_and_scheme(
    teams: LocalTeams, browser: Browser, size: str, scheme: Literal["light", "dark"]
) -> None:
    """axe-core finds nothing, nothing is wider than the window, and the composer is in sight."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    teams.open(page)
    fill(teams, page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(box(page)).to_be_in_viewport(ratio=1)
    shoot(page, f"{scheme} {size}")
    page.close()


def test_the_list_of_conversations(page: Page) -> None:
    """It has no bullets."""
    conversations = page.get_by_role("navigation", name="Conversations").get_by_role("list")
    expect(conversations).to_have_css("list-style-type", "none")


def test_the_switch_for_colors(page: Page) -> None:
    """It goes from the system's colors to light, to dark, and is kept for all tabs."""
    dark = re.compile(r"rgb\((1?\d|2\d|3\d), ")
    expect(page.locator(".conversation")).not_to_have_css("background-color", dark)
    page.get_by_role("button", name="Colors: system").click()
    page.get_by_role("button", name="Colors: light").click()
    expect(page.locator(".conversation")).to_have_css("background-color", dark)
    page.reload()
    expect(page.locator(".conversation")).to_have_css("background-color", dark)
    page.get_by_role("button", name="Colors: dark").click()
    expect(page.locator(".conversation")).not_to_have_css("background-color", dark)


MENUS = ["New conversation", "Members, acting as", "More"]


@pytest.mark.parametrize("name", MENUS)
def test_menus_by_keyboard(page: Page, name: str) -> None:
    """Arrow keys walk through a menu, Escape closes it, and the focus goes back."""
    button = page.get_by_role("button", name=name).first
    button.focus()
    button.press("Enter")
    menu = page.get_by_role("menu")
    expect(menu.locator(":focus")).to_have_count(1)
    first = menu.locator(":focus").inner_text()
    assert violations(page) == []
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    expect(menu.locator(":focus")).to_have_text(first, use_inner_text=True)
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(button).to_be_focused()


def test_a_message_by_keyboard(teams: LocalTeams, page: Page) -> None:
    """A message's buttons are reached with Tab, and shown while they have the focus."""
    teams.bot_says(page, "Tab to me")
    react = message(page, "Tab to me").get_by_role("button", name="React")
    react.focus()
    expect(message(page, "Tab to me").locator(".message__tools")).to_have_css("opacity", "1")
    react.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Heart, 1")).to_be_visible()


def test_the_panels_of_a_phone(teams: LocalTeams, browser: Browser) -> None:
    """At 360 pixels, the list and the inspector cover the page, and can be closed."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    teams.open(page)
    page.get_by_role("button", name="Conversations").click()
    rail = page.get_by_role("navigation", name="Conversations")
    expect(rail).to_have_css("width", "360px")
    assert violations(page) == []
    shoot(page, "list 360")
    page.get_by_role("button", name="Close the list").click()
    expect(rail).to_be_hidden()
    page.get_by_role("button", name="Inspector").click()
    inspector = page.get_by_role("complementary", name="Inspector")
    expect(inspector).to_have_css("width", "360px")
    assert violations(page) == []
    shoot(page, "inspector 360")
    page.close()


def test_the_inspector_beside_the_chat(page: Page) -> None:
    """It shows the turns while it is open; its width is kept, as far as there is room."""
    page.get_by_role("button", name="Inspector").click()
    aside = page.get_by_role("complementary", name="Inspector")
    expect(aside).to_be_visible()
    say(page, "inspected")
    expect(aside).to_contain_text("inspected")
    assert violations(page) == []
    splitter = page.get_by_role("separator", name="Width of the inspector")
    splitter.focus()
    before = aside.bounding_box()
    splitter.press("ArrowLeft")
    expect(aside).to_have_css("width", f"{width_of(before) + 24:g}px")
    shoot(page, "inspector")
    page.reload()
    expect(aside).to_have_css("width", f"{width_of(before) + 24:g}px")
    page.set_viewport_size({"width": 800, "height": 860})
    expect(page.locator(".conversation")).to_have_css("width", "360px")
    page.get_by_role("button", name="Inspector", exact=True).click()
    expect(aside).to_have_count(0)


def width_of(place: Any) -> float:
    """The width of a bounding box."""
    return float(place["width"])


def test_motion_and_forced_colors(teams: LocalTeams, browser: Browser) -> None:
    """Animations stop where less motion is preferred; forced colors show borders."""
    page = browser.new_page(reduced_motion="reduce", forced_colors="active")
    teams.open(page)
    page.clock.set_fixed_time(datetime.datetime.now(datetime.UTC))
    teams.bot_sends(page, type="typing")
    dot = page.locator(".working span").first
    expect(dot).to_have_css("animation-iteration-count", "1")
    send = page.get_by_role("button", name="Send")
    expect(send).to_have_css("border-top-width", "1px")
    shoot(page, "forced colors")
    page.close()


def test_zoom(teams: LocalTeams, browser: Browser) -> None:
    """At 200 %, a window of 1280 pixels has room for 640: nothing is cut off."""
    page = browser.new_page(viewport={"width": 640, "height": 430}, device_scale_factor=2)
    teams.open(page)
    fill(teams, page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    expect(box(page)).to_be_in_viewport(ratio=1)
    page.close()
