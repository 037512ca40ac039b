"""Messages that AI has written."""

import pytest

from bot_testing import Chat

pytestmark = pytest.mark.chat(channel="msteams", skip_waits=True)


async def test_answer(chat: Chat) -> None:
    """In a personal chat, the answer is a stream, whose end has labels, sources and feedback."""
    [answer] = await chat.say("When is lunch?")
    [stream, message] = answer.raw["entities"]
    assert stream["streamType"] == "final"
    assert message["additionalType"] == ["AIGeneratedContent"]
    assert [each["position"] for each in message["citation"]] == [1, 2]
    assert answer.text.endswith("soup [2].")
    assert answer.raw["channelData"] == {"feedbackLoop": {"type": "default"}}


@pytest.mark.chat(kind="groupChat")
async def test_answer_in_a_group_chat(chat: Chat) -> None:
    """In a group chat, the answer is one message, with the same labels and sources."""
    [answer] = await chat.say("When is lunch?")
    [message] = answer.raw["entities"]
    assert message["usageInfo"]["name"] == "Internal"
    assert [each["appearance"]["name"] for each in message["citation"]] == ["Opening hours", "Menu"]


async def test_feedback(chat: Chat) -> None:
    """The bot thanks for what the user writes."""
    value = {"reaction": "like", "feedback": '{"feedbackText": "Quick!"}'}
    given = {"actionName": "feedback", "actionValue": value}
    answer = await chat.invoke("message/submitAction", given)
    assert answer.texts == ["Thank you for your like: Quick!"]
