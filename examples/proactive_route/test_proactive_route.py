"""Proactive route."""

from typing import Any

import pytest

from bot_testing import Chat


async def test_a_message(chat: Chat) -> None:
    """Another system writes to the conversation that the bot has named."""
    [reply] = await chat.say("hi")
    conversation = reply.text.removeprefix("Write to me here: ")
    answer = await chat.call("POST", "notify", {"to": conversation, "text": "Your parcel is here."})
    assert answer.status_code == 202
    assert (await chat.next_reply()).text == "Your parcel is here."


@pytest.mark.parametrize(
    ("body", "status"), [({"to": "nobody", "text": "hi"}, 404), ({"to": "x"}, 400), ([], 400)]
)
async def test_a_bad_request(chat: Chat, body: Any, status: int) -> None:
    """The caller learns what is wrong, and nothing is sent."""
    answer = await chat.call("POST", "notify", body)
    assert answer.status_code == status
    assert chat.replies == []
