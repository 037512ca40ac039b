"""The assistant, in front of a stand-in for the language model, which the tests script."""

from typing import Any

import pytest

from bot_testing import APOLOGY, Chat

pytestmark = [
    pytest.mark.chat(channel="msteams", skip_waits=True),
    pytest.mark.filterwarnings("ignore:unclosed"),  # nothing closes the bot's client, as in Azure
]

SEARCH = ("search_documents", {"query": "canteen lunch"})


def sent(chat: Chat) -> list[tuple[str, str]]:
    """The roles and texts of the messages in the last request, without the instructions."""
    messages = chat.model.requests[-1]["messages"]
    return [(each["role"], each.get("content") or "") for each in messages[1:]]


async def test_an_answer_is_streamed(chat: Chat) -> None:
    """The user sees the model's words as they come, labelled, with sources and feedback buttons."""
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("Lunch costs 6.50 [1].")
    [answer] = await chat.say("What does lunch cost?")
    assert answer.text == "Lunch costs 6.50 [1]."
    stream, message = answer.raw["entities"]
    assert stream["streamType"] == "final"
    assert message["additionalType"] == ["AIGeneratedContent"]
    [citation] = message["citation"]
    assert citation["appearance"]["name"] == "Canteen"
    assert answer.raw["channelData"] == {"feedbackLoop": {"type": "default"}}


@pytest.mark.chat(kind="groupChat")
async def test_a_group_chat(chat: Chat) -> None:
    """Elsewhere it is one message, and the model does not see that the bot was mentioned."""
    chat.model.answers("At 11:30.")
    assert (await chat.say("When is lunch?")).texts == ["At 11:30."]
    assert sent(chat) == [("user", "When is lunch?")]


async def test_tools(chat: Chat) -> None:
    """The model gets the result of each call, also of a wrong one."""
    wrong: list[tuple[str, Any]] = [
        ("search_documents", "{"),
        ("search_documents", {}),
        ("order_lunch", {}),
    ]
    chat.model.answers(calls=[SEARCH, ("current_time", {}), *wrong])
    chat.model.answers("It is open.")
    assert (await chat.say("Is the canteen open?")).texts == ["It is open."]
    found, time, *refused = [text for role, text in sent(chat) if role == "tool"]
    assert found.startswith("[1] Canteen: ")
    assert time.endswith("+00:00")
    assert refused == [
        "The arguments are not JSON.",
        *["There is no such tool, or an argument is missing."] * 2,
    ]


async def test_five_rounds(chat: Chat) -> None:
    """The fifth request does not allow the model to call tools; without text, nothing is kept."""
    for _ in range(5):
        chat.model.answers(calls=[SEARCH])
    await chat.say("Search on and on")
    choices = [each["tool_choice"] for each in chat.model.requests]
    assert choices == ["auto", "auto", "auto", "auto", "none"]
    chat.model.answers("At 11:30.")
    await chat.say("When is lunch?")
    assert sent(chat) == [("user", "When is lunch?")]


async def test_history(chat: Chat) -> None:
    """The model sees the earlier exchanges, without the marks of their sources."""
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("It costs 6.50 [1].")
    await chat.say("What does lunch cost?")
    chat.model.answers("At 14:00.")
    await chat.say("When does it end?")
    assert sent(chat) == [
        ("user", "What does lunch cost?"),
        ("assistant", "It costs 6.50."),
        ("user", "When does it end?"),
    ]


async def test_a_silent_model(chat: Chat) -> None:
    """The user keeps the text, and gets the apology; the exchange is not remembered."""
    chat.model.answers("The canteen", end="silent")
    failed = await chat.say("When is lunch?", expect_error=Exception)
    assert failed.texts == ["The canteen", APOLOGY]
    assert [str(error) for error in failed.errors] == ["APITimeoutError, status -"]
    chat.model.answers("At 11:30.")
    await chat.say("When is lunch?")
    assert sent(chat) == [("user", "When is lunch?")]


async def test_feedback(chat: Chat) -> None:
    """It is stored with the answer's id."""
    chat.model.answers("At 11:30.")
    [answer] = await chat.say("When is lunch?")
    value = {"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": "{}"}}
    content = {"type": "invoke", "name": "message/submitAction", "value": value}
    result = await chat.send({**content, "replyToId": answer.id})
    assert (result.status, result.body) == (200, {})
    state = await chat.state.conversation()
    assert state["feedback"] == [{"answer": answer.id, "reaction": "like"}]
