"""The inspector beside the chat: a message leads to its turn, and a turn to its conversation."""

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.pages.chat.local_teams import choose_for, message
from tests.emulator.pages.inspector.inspected_bot import InspectedBot

pytestmark = pytest.mark.usefixtures("running_bot")


def test_a_message_leads_to_its_turn(inspected: InspectedBot, page: Page) -> None:
    """The menu of a message shows its turn, again after the details were closed."""
    page.goto(inspected.thread.cloud.pages.url)
    box = page.get_by_role("textbox", name="Type a message")
    box.fill("which turn am I?")
    box.press("Enter")
    messages = page.get_by_role("region", name="Messages")
    expect(messages.get_by_text("You said: which turn am I?")).to_be_visible()
    aside = page.get_by_role("complementary", name="Inspector")
    heading = aside.get_by_role("heading", name="which turn am I?")
    for _ in range(2):
        choose_for(message(page, "which turn am I?").first, "Message options", "Show the turn")
        expect(heading).to_be_visible()
        expect(aside.get_by_role("tab", name="Overview")).to_be_visible()
        aside.get_by_role("button", name="Close", exact=True).click()
        expect(heading).to_have_count(0)
    expect(aside.get_by_role("option", name="which turn am I?")).to_be_visible()
