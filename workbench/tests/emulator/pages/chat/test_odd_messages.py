"""The chat page with malformed messages, with very many, and without its libraries."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.emulator.pages.chat.local_teams import LocalTeams, bubble, shoot
from tests.support.test_bot.bot import ADAPTIVE_CARD
from tests.support.wire.chromium import say, violations

ODD: list[dict[str, Any]] = [
    {"text": None},
    {"text": "a", "entities": None, "attachments": None},
    {"text": "b", "entities": [None, {}], "attachments": [None, {}]},
    {"text": "c", "textFormat": "none of these", "timestamp": "yesterday"},
    {"text": "d", "attachments": [{"contentType": "image/png", "contentUrl": 7}]},
    {"text": "e", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive"}]},
    {"text": "f", "suggestedActions": {"actions": "none"}},
    {"text": "g", "suggestedActions": {"actions": [{}]}},
    {"text": "<at>h", "entities": [{"type": "mention"}]},
]


def test_odd_messages(teams: LocalTeams, page: Page) -> None:
    """None of them keeps the page from showing the next one."""
    for message in ODD:
        teams.bot_sends(page, **{"type": "message", **message})
    say(page, "still there?")
    expect(bubble(page, "You said: still there?")).to_be_visible()
    expect(page.locator(".bubble", has_text="cannot be shown")).to_have_count(0)


def test_a_message_that_cannot_be_drawn(teams: LocalTeams, page: Page) -> None:
    """It says so in its place, and the page goes on."""
    teams.bot_sends(page, type="message", text="broken", attachments="none")
    expect(page.locator(".bubble", has_text="This message cannot be shown")).to_be_visible()
    say(page, "still there?")
    expect(bubble(page, "You said: still there?")).to_be_visible()


def test_a_card_without_what_the_schema_requires(teams: LocalTeams, page: Page) -> None:
    """The card is shown, with a remark on what is missing."""
    body = [{"type": "TextBlock"}, {"type": "TextBlock", "text": "Lunch"}]
    card = {"type": "AdaptiveCard", "version": "1.5", "body": body}
    teams.bot_says(page, attachments=[{"contentType": ADAPTIVE_CARD, "content": card}])
    shown = page.locator(".card--adaptive")
    expect(shown.get_by_text("Lunch")).to_be_visible()
    shown.get_by_text("1 remark on this card").click()
    missing = 'body[0] (TextBlock) has no "text", which Microsoft\'s schema requires.'
    expect(shown.get_by_text(missing)).to_be_visible()
    shoot(page, "card")
    assert violations(page) == []


def test_many_messages(teams: LocalTeams, page: Page) -> None:
    """The page stays usable with five hundred messages."""
    conversation = teams.conversation(page)
    sender = teams.thread.cloud.teams.directory.bot

    def fill() -> None:
        for number in range(500):
            conversation.add({"type": "message", "from": sender, "text": f"**number** {number}"})

    teams.thread.call(fill)
    expect(bubble(page, "number 499")).to_be_in_viewport()
    say(page, "and one more")
    expect(bubble(page, "You said: and one more")).to_be_in_viewport()


def test_without_libraries(browser: Browser, tmp_path: Path) -> None:
    """The page says what to do when its libraries are not there."""
    page = browser.new_page()
    with CloudThread(Cloud(tmp_path)) as thread:
        page.goto(f"{thread.cloud.pages.url}/")
        expect(page.locator("body")).to_contain_text(
            'run "make setup" or "run.py setup", then reload'
        )
    page.close()
