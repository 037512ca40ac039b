"""Message extension."""

import pytest

from bot_testing import Chat

pytestmark = pytest.mark.chat(channel="msteams")


@pytest.mark.parametrize(
    ("typed", "found"),
    [("wav", ["The Waves"]), ("O", ["Orlando"]), ("nothing", [])],
)
async def test_search(chat: Chat, typed: str, found: list[str]) -> None:
    """The search finds the titles that contain what the user types."""
    query = {"commandId": "search", "parameters": [{"name": "title", "value": typed}]}
    answer = await chat.invoke("composeExtension/query", query)
    result = answer.body["composeExtension"]
    assert [each["content"]["title"] for each in result["attachments"]] == found


async def test_action(chat: Chat) -> None:
    """The form becomes a card."""
    form = {"commandId": "recommend", "data": {"title": "Orlando", "why": "It is funny."}}
    answer = await chat.invoke("composeExtension/submitAction", form)
    [card] = answer.body["composeExtension"]["attachments"]
    assert card["content"]["text"] == "It is funny."


async def test_a_message(chat: Chat) -> None:
    """The bot says where its commands are."""
    [text] = (await chat.say("hi")).texts
    assert "recommend" in text
