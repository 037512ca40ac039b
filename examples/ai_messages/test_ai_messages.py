"""Messages that AI has written."""

import pytest

from bot_testing import Chat

pytestmark = pytest.mark.chat(channel="msteams")


async def test_answer(chat: Chat) -> None:
    """In a personal chat the answer is streamed; its end has the label, and each source's mark."""
    await chat.say("When is lunch?")
    [answer] = chat.replies
    print(answer.raw)
    [stream, message] = answer.raw["entities"]
    assert stream["streamType"] == "final"
    assert message["additionalType"] == ["AIGeneratedContent"]
    assert all(f"[{each['position']}]" in answer.text for each in message["citation"])


@pytest.mark.chat(kind="groupChat")
async def test_answer_in_a_group_chat(chat: Chat) -> None:
    """In a group chat the answer is one message, with the same label and sources."""
    [answer] = await chat.say("When is lunch?")
    print(answer.raw)
    [message] = answer.raw["entities"]
    assert message["usageInfo"]["name"] == "Internal"
    assert [each["appearance"]["name"] for each in message["citation"]] == ["Opening hours", "Menu"]


async def test_feedback(chat: Chat) -> None:
    """The bot thanks for what the user writes."""
    value = {"reaction": "like", "feedback": '{"feedbackText": "Quick!"}'}
    given = {"actionName": "feedback", "actionValue": value}
    answer = await chat.invoke("message/submitAction", given)
    assert answer.texts == ["Thank you for your like: Quick!"]
