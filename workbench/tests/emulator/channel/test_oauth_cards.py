"""OAuthCards: sign-in cards get their links from the channel, as on Web Chat."""

from typing import Any

import pytest

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.channel.oauth_cards import CONTENT_TYPE, OAuthCards
from bot_workbench.emulator.channel.user_tokens import UserConnection, UserTokens
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from tests.emulator.registered_bot import APP_ID, TENANT

PAGE = "http://localhost:1"
BUTTON = {"type": "signin", "title": "Sign in"}


@pytest.fixture
def users(issuer: TokenIssuer) -> UserTokens:
    return UserTokens(issuer, Registration(APP_ID, TENANT, "SingleTenant"))


@pytest.fixture
def cards(users: UserTokens) -> OAuthCards:
    return OAuthCards(users, lambda: PAGE)


def message(*buttons: Any, channel_id: str = "webchat") -> Activity:
    """A message with a sign-in card, as OAuthPrompt sends it."""
    content = {"text": "Please sign in.", "connectionName": "graph", "buttons": list(buttons)}
    return {
        "type": "message",
        "channelId": channel_id,
        "recipient": {"id": "user-1", "name": "Ada"},
        "attachments": [{"contentType": CONTENT_TYPE, "content": content}],
    }


def buttons_of(activity: Activity) -> Any:
    return activity["attachments"][0]["content"]["buttons"]


@pytest.mark.parametrize("value", [{}, {"value": None}, {"value": ""}])
@pytest.mark.parametrize("channel_id", ["webchat", "directline"])
def test_a_button_without_a_link(
    cards: OAuthCards, users: UserTokens, channel_id: str, value: dict[str, Any]
) -> None:
    """It gets one for its user, and stays a sign-in button; the bot's activity is not changed."""
    sent = message({**BUTTON, **value}, channel_id=channel_id)
    (button,) = buttons_of(cards.linked(sent, "c|1"))
    assert buttons_of(sent) == [{**BUTTON, **value}]
    link, _, sign_in_id = button.pop("value").partition("?signin=")
    assert (link, button) == (f"{PAGE}/api/oauth/signin", BUTTON)
    sign_in = users.find_sign_in(sign_in_id)
    assert sign_in is not None
    assert sign_in.target == UserConnection("user-1", "graph", channel_id)
    assert (sign_in.user_name, sign_in.conversation_id) == ("Ada", "c|1")


@pytest.mark.parametrize(
    "sent",
    [
        message(BUTTON, channel_id="msteams"),
        message({**BUTTON, "value": "https://example.com"}),
        message({**BUTTON, "type": "openUrl"}),
        message("x"),
        {**message(BUTTON), "attachments": None},
        {**message(BUTTON), "attachments": ["x", {"contentType": CONTENT_TYPE, "content": "x"}]},
        {**message(BUTTON), "attachments": [{"contentType": "image/png", "content": {}}]},
        {"type": "message", "text": "x"},
    ],
)
def test_other_activities(cards: OAuthCards, sent: Activity) -> None:
    """A card with a link, for another channel or of another kind is left alone."""
    assert cards.linked(sent, "c|1") == sent


def test_an_unknown_connection(cards: OAuthCards, users: UserTokens) -> None:
    """The card is shown without a link."""
    users.unknown_connections.add("graph")
    (button,) = buttons_of(cards.linked(message(BUTTON), "c|1"))
    assert button["value"] is None


async def test_through_the_connector(sdk_client: Any, connector: Any) -> None:
    """Cards that are sent and cards that are updated get links."""
    conversation = connector.conversations.create([{"id": "user-1"}])
    sent = await sdk_client.conversations.send_to_conversation(conversation.id, message(BUTTON))
    (first,) = buttons_of(conversation.find(sent.id))
    await sdk_client.conversations.update_activity(conversation.id, sent.id, message(BUTTON))
    (second,) = buttons_of(conversation.find(sent.id))
    assert first["value"].startswith(f"{PAGE}/api/oauth/signin?signin=")
    assert second["value"].startswith(f"{PAGE}/api/oauth/signin?signin=")
    assert first != second
