"""Signing in from the chat page, as in Teams: a card, a popup, and an invoke with the code."""

import pytest
from playwright.sync_api import Page, expect

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.channel.user_tokens import CONNECTION, UserConnection, sign_in_link
from tests.emulator.pages.chat.local_teams import LocalTeams, bubble
from tests.support.wire.chromium import say

OAUTH_CARD = "application/vnd.microsoft.card.oauth"


def card(link: str) -> Activity:
    """The attachment of a message that asks to sign in."""
    button = {"type": "signin", "title": "Sign in", "value": link}
    content = {"text": "Please sign in.", "connectionName": CONNECTION, "buttons": [button]}
    return {"contentType": OAUTH_CARD, "content": content}


def test_the_code_is_handed_over(teams: LocalTeams, page: Page) -> None:
    """The popup's code goes to the bot in `signin/verifyState`; what it answers is said."""
    cloud, conversation = teams.thread.cloud, teams.conversation(page)
    (user,) = conversation.people.values()
    target = UserConnection(user.id, CONNECTION, "msteams")
    sign_in = teams.thread.call(cloud.user_tokens.start_sign_in, target, user.name, conversation.id)
    teams.bot_says(page, attachments=[card(sign_in_link(cloud.pages.url, sign_in))])
    with page.expect_popup() as opening:
        page.get_by_role("button", name="Sign in", exact=True).click()
    popup = opening.value
    expect(popup.get_by_text(user.name)).to_be_visible()
    with page.expect_request(lambda sent: sent.url.endswith("/invoke")) as asking:
        popup.get_by_role("button", name="Sign in").click()
    invoke = asking.value.post_data_json or {}
    assert invoke["name"] == "signin/verifyState"
    code = popup.locator("output").inner_text()
    assert invoke["value"] == {"state": code}
    # The bot of these tests handles no invokes: the code stays in the popup, for typing.
    expect(page.get_by_role("alert")).to_contain_text("501")
    say(page, f"token {code}")
    expect(bubble(page, "There is a token.")).to_be_visible()
    popup.close()


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "about:blank"])
def test_a_link_that_is_no_page(teams: LocalTeams, page: Page, link: str) -> None:
    """A card's button opens http and https URLs only."""
    teams.bot_says(page, attachments=[card(link)])
    page.get_by_role("button", name="Sign in", exact=True).click()
    say(page, "still here")
    expect(bubble(page, "You said: still here")).to_be_visible()
    assert len(page.context.pages) == 1
