"""Messages that AI has written."""

import pytest

from bot_testing import Chat

pytestmark = pytest.mark.chat(channel="msteams")


async def test_answer(chat: Chat) -> None:
    """The final message has the label, and a source for each mark in its text."""
    [*_, answer] = await chat.say("When is lunch?")
    [stream, message] = chat.activities[-1]["entities"]
    assert stream["streamType"] == "final"
    assert message["additionalType"] == ["AIGeneratedContent"]
    assert all(f"[{each['position']}]" in answer.text for each in message["citation"])


async def test_feedback(chat: Chat) -> None:
    """The bot thanks for what the user writes."""
    value = {"reaction": "like", "feedback": '{"feedbackText": "Quick!"}'}
    given = {"actionName": "feedback", "actionValue": value}
    answer = await chat.invoke("message/submitAction", given)
    assert answer.texts == ["Thank you for your like: Quick!"]
