"""Streamed messages in the chat page: what it draws while they grow, and when they end."""

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.emulator.channel.stream_parts import cited, part
from tests.emulator.pages.chat.local_teams import LocalTeams, bubble, choose, message, shoot
from tests.support.wire.chromium import violations

TEXT = "The canteen opens at **11:30**"
UNFINISHED = "The bot has not finished this message."


def stream(teams: LocalTeams, page: Page, activity: Any) -> str:
    """Have the bot send a part, without a rate limit; returns the id of a new stream."""
    conversation = teams.conversation(page)
    conversation.streams.part_seconds = 0
    sent = {"from": teams.thread.cloud.teams.directory.bot, **activity}
    return teams.thread.call(conversation.accept, sent).activity_id


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_stream_from_its_start_to_its_end(
    teams: LocalTeams, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """Informative update, growing text beside typing, whole text: axe-core finds nothing."""
    page = browser.new_page(viewport={"width": 1000, "height": 740}, color_scheme=scheme)
    teams.open(page)
    stop = page.get_by_role("button", name="Stop")
    stream_id = stream(teams, page, part(1, kind="informative", text="Reading the menu…"))
    expect(message(page, "Reading the menu…")).to_be_visible()
    expect(stop).to_be_visible()
    assert violations(page) == []
    shoot(page, f"stream informative {scheme}")
    teams.bot_sends(page, type="typing")
    stream(teams, page, part(2, stream_id, text=TEXT))
    expect(message(page, "The canteen opens at 11:30")).to_be_visible()
    expect(bubble(page, "Reading the menu…")).to_have_count(0)
    expect(page.get_by_text("is typing")).to_be_attached()
    expect(page.get_by_role("progressbar", name="The bot is writing")).to_be_visible()
    assert violations(page) == []
    shoot(page, f"stream typing {scheme}")
    final = part(None, stream_id, "final", text=f"{TEXT} [1].")
    final["entities"] += cited({"name": "Opening hours", "abstract": "From 11:30."})
    stream(teams, page, final)
    expect(page.get_by_role("button", name="Citation 1: Opening hours")).to_be_visible()
    expect(stop).to_have_count(0)
    expect(page.get_by_text("is typing")).to_have_count(0)
    assert violations(page) == []
    shoot(page, f"stream final {scheme}")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_stopped_stream(
    teams: LocalTeams, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """It keeps its text so far, also after a reload."""
    page = browser.new_page(viewport={"width": 1000, "height": 740}, color_scheme=scheme)
    teams.open(page)
    stream(teams, page, part(1, text=TEXT))
    page.get_by_role("button", name="Stop").click()
    stopped = page.get_by_text("You stopped this message.")
    expect(stopped).to_be_visible()
    page.reload()
    expect(stopped).to_be_visible()
    expect(message(page, "The canteen opens at 11:30")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert violations(page) == []
    shoot(page, f"stream stopped {scheme}")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_stream_whose_bot_has_died(
    teams: LocalTeams, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """After a while without a part, its text so far stays, without an indicator."""
    page = browser.new_page(viewport={"width": 1000, "height": 740}, color_scheme=scheme)
    page.clock.install()
    teams.open(page)
    stream(teams, page, part(1, text=TEXT))
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.clock.fast_forward("00:50")
    expect(page.get_by_text(UNFINISHED)).to_be_visible()
    expect(message(page, "The canteen opens at 11:30")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    page.clock.resume()
    assert violations(page) == []
    shoot(page, f"stream dead {scheme}")
    page.close()


def test_the_switch_for_a_second_delivery(teams: LocalTeams, page: Page) -> None:
    """The menu shows whether it is on, also after a reload."""
    item = page.get_by_role("menuitemcheckbox", name="Deliver again after 15 s")
    choose(page, "More", "Deliver again after 15 s")
    page.get_by_role("button", name="More", exact=True).click()
    expect(item).to_be_checked()
    assert teams.conversation(page).redelivers
    page.reload()
    page.get_by_role("button", name="More", exact=True).click()
    expect(item).to_be_checked()
    assert violations(page) == []
    shoot(page, "second delivery")
    item.click()
    page.get_by_role("button", name="More", exact=True).click()
    expect(item).not_to_be_checked()
    assert not teams.conversation(page).redelivers
