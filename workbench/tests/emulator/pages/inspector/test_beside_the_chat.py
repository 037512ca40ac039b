"""The inspector beside the chat: a message leads to its turn, and a turn to its conversation."""

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.pages.chat.local_teams import bubble, choose, choose_for, message
from tests.emulator.pages.inspector.inspected_bot import InspectedBot
from tests.support.wire.chromium import say

pytestmark = pytest.mark.usefixtures("running_bot")


def test_a_message_leads_to_its_turn(inspected: InspectedBot, page: Page) -> None:
    """The menu of a message shows its turn, again after the details were closed."""
    page.goto(inspected.thread.cloud.pages.url)
    say(page, "which turn am I?")
    expect(bubble(page, "You said: which turn am I?")).to_be_visible()
    aside = page.get_by_role("complementary", name="Inspector")
    heading = aside.get_by_role("heading", name="which turn am I?")
    for _ in range(2):
        choose_for(message(page, "which turn am I?").first, "Message options", "Show the turn")
        expect(heading).to_be_visible()
        expect(aside.get_by_role("tab", name="Overview")).to_be_visible()
        aside.get_by_role("button", name="Close", exact=True).click()
        expect(heading).to_have_count(0)
    expect(aside.get_by_role("option", name="which turn am I?")).to_be_visible()


def test_a_turn_leads_to_its_conversation(inspected: InspectedBot, page: Page) -> None:
    """The details of a turn open its conversation, that of another user as that user."""
    page.goto(inspected.thread.cloud.pages.url)
    say(page, "from the first user")
    expect(bubble(page, "You said: from the first user")).to_be_visible()
    choose_for(message(page, "from the first user").first, "Message options", "Show the turn")
    user = page.locator(".rail__user-name")
    first = user.inner_text()
    choose(page, "New conversation", "New user, in a new chat with the bot")
    expect(user).not_to_have_text(first)
    aside = page.get_by_role("complementary", name="Inspector")
    aside.locator(".turn-facts__line").get_by_role("button").first.click()
    expect(user).to_have_text(first)
    expect(bubble(page, "You said: from the first user")).to_be_visible()
