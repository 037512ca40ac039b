"""The assistant, in front of a stand-in for the language model, which the tests script."""

import asyncio
import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest

from bot_testing import Chat

pytestmark = [
    pytest.mark.chat(channel="msteams", skip_waits=True),
    pytest.mark.filterwarnings("ignore:unclosed"),  # nothing closes the bot's client, as in Azure
]

SEARCH = ("search_documents", {"query": "canteen lunch"})


def sent(chat: Chat, request: int = -1) -> list[tuple[str, str]]:
    """The roles and texts of the messages in a request, without the instructions."""
    messages = chat.model.requests[request]["messages"]
    return [(each["role"], each.get("content") or "") for each in messages[1:]]


async def comes_true(condition: Callable[[], bool]) -> None:
    """Wait for something that the bot or the model does in the meantime."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # it happens in another thread
            await asyncio.sleep(0.001)


async def test_an_answer_is_streamed(chat: Chat) -> None:
    """The user sees the model's words as they come, labelled, with buttons for feedback."""
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("The canteen opens at 11:30, and closes at 14:00.")
    [answer] = await chat.say("When is lunch?")
    assert answer.text == "The canteen opens at 11:30, and closes at 14:00."
    stream, message = answer.raw["entities"]
    assert stream["streamType"] == "final"
    assert message["additionalType"] == ["AIGeneratedContent"]
    assert answer.raw["channelData"] == {"feedbackLoop": {"type": "default"}}


@pytest.mark.chat(kind="groupChat")
async def test_a_group_chat(chat: Chat) -> None:
    """Elsewhere it is one message, and the model does not see that the bot was mentioned."""
    chat.model.answers("At 11:30.")
    assert (await chat.say("When is lunch?")).texts == ["At 11:30."]
    assert sent(chat) == [("user", "When is lunch?")]


async def test_a_message_without_words(chat: Chat) -> None:
    """A picture alone is not answered by the model."""
    picture = {"contentType": "image/png", "contentUrl": "https://contoso.com/a.png"}
    [reply] = await chat.say("", attachments=[picture])
    assert reply.text.startswith("Please ask a question in words")
    assert not chat.model.requests


async def test_citations(chat: Chat) -> None:
    """A document has one number in an answer, and is cited if the text refers to it."""
    chat.model.answers(calls=[SEARCH, ("search_documents", {"query": "badge salary"})])
    chat.model.answers("Lunch costs 6.50 [1].")
    [answer] = await chat.say("What does lunch cost?")
    results = [text for role, text in sent(chat) if role == "tool"]
    titles = re.findall(r"^\[(\d)\] (\w+)", "\n".join(results), re.MULTILINE)
    assert ("1", "Canteen") in titles
    assert len({number for number, _ in titles}) == len({title for _, title in titles}) > 1
    [citation] = answer.raw["entities"][1]["citation"]
    assert citation["appearance"]["name"] == "Canteen"
    assert (
        "Lunch" in citation["appearance"]["abstract"]
        or "lunch" in citation["appearance"]["abstract"]
    )


async def test_tools(chat: Chat) -> None:
    """The model gets the result of each call, and what it wrote before is a paragraph."""
    chat.model.answers("Let me look.", calls=[SEARCH, ("current_time", {})])
    chat.model.answers("It is open.")
    [answer] = await chat.say("Is the canteen open?")
    assert answer.text == "Let me look.\n\nIt is open."
    [_, _, request, documents, time] = chat.model.requests[1]["messages"]
    assert request["content"] == "Let me look."
    assert [each["function"]["name"] for each in request["tool_calls"]] == [
        "search_documents",
        "current_time",
    ]
    assert [documents["tool_call_id"], time["tool_call_id"]] == [
        each["id"] for each in request["tool_calls"]
    ]
    assert documents["content"].count("[1] Canteen: ") >= 1
    assert datetime.datetime.fromisoformat(time["content"]).tzinfo is datetime.UTC
    assert [each.text for each in chat.replies] == [answer.text]


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (("search_documents", "{query: "), "The arguments are not JSON."),
        (("search_documents", {"words": "lunch"}), "The argument query is missing."),
        (("search_documents", {"query": 7}), "The argument query is missing."),
        (("search_documents", {"query": "zyzzyva"}), "No document has these words."),
        (("order_lunch", {}), "There is no such tool."),
    ],
)
async def test_wrong_calls(chat: Chat, call: Any, result: str) -> None:
    """The model is told what is wrong with its call, and goes on."""
    chat.model.answers(calls=[call])
    chat.model.answers("I do not know.")
    assert (await chat.say("hi")).texts == ["I do not know."]
    assert sent(chat)[-1] == ("tool", result)


async def test_five_rounds(chat: Chat) -> None:
    """The fifth request does not allow the model to call tools; if it does, nothing follows."""
    for _ in range(5):
        chat.model.answers(calls=[SEARCH])
    [answer] = await chat.say("Search on and on")
    assert answer.text.startswith("I have no answer to that.")
    assert (await chat.state.conversation())["history"] == []
    choices = [each["tool_choice"] for each in chat.model.requests]
    assert choices == ["auto", "auto", "auto", "auto", "none"]


async def test_history(chat: Chat) -> None:
    """The model sees the earlier exchanges, without the marks of their sources."""
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("It costs 6.50 [1], or 9.80 [1].")
    await chat.say("What does lunch cost?")
    chat.model.answers("At 14:00.")
    await chat.say("When does it end?")
    assert sent(chat) == [
        ("user", "What does lunch cost?"),
        ("assistant", "It costs 6.50, or 9.80."),
        ("user", "When does it end?"),
    ]


async def test_the_history_is_cut(chat: Chat) -> None:
    """The older half is left out, once the model has reported more than 8,000 tokens."""
    kept: list[str] = []
    for number in range(8):
        if number == 2:  # what the tools get and return is not remembered, so it does not count
            chat.model.answers(calls=[("search_documents", {"query": "x" * 8_000})])
        chat.model.answers("Thank you.")
        await chat.say(f"{number} {'x' * 8_000}")  # 2,000 tokens, as the stand-in counts them
        kept.append("".join(text[0] for role, text in sent(chat) if role == "user"))
    assert kept == ["0", "01", "012", "0123", "234", "2345", "456", "4567"]


async def test_a_question_that_is_too_long(chat: Chat) -> None:
    """It is left out like any other, also if it is alone."""
    for _ in range(2):
        chat.model.answers("Thank you.")
        await chat.say("x" * 40_000)
    history = (await chat.state.conversation())["history"]
    assert [each["role"] for each in history] == ["user", "assistant"]


async def test_the_filter_refuses(chat: Chat) -> None:
    """The user reads a sentence, and the next question is asked without the refused one."""
    chat.model.refuses(400, "content_filter")
    [answer] = await chat.say("Something bad")
    assert answer.text.startswith("The content filter")
    chat.model.answers("At 11:30.")
    assert (await chat.say("When is lunch?")).texts == ["At 11:30."]
    assert sent(chat) == [("user", "When is lunch?")]


async def test_the_filter_ends_an_answer(chat: Chat) -> None:
    """The sentence follows what the user has read; the exchange is not remembered."""
    chat.model.answers("It began well, but", end="content_filter")
    [answer] = await chat.say("Tell me a story")
    assert re.fullmatch(r"It began well, but\n\nThe content filter .*", answer.text)
    chat.model.answers("At 11:30.")
    await chat.say("When is lunch?")
    assert sent(chat) == [("user", "When is lunch?")]


async def test_the_filter_ends_a_call(chat: Chat) -> None:
    """The tool is not called, and the model is not asked again."""
    chat.model.answers(calls=[SEARCH], end="content_filter")
    assert (await chat.say("Something bad")).texts[0].startswith("The content filter")
    assert len(chat.model.requests) == 1


async def test_an_answer_that_is_too_long(chat: Chat) -> None:
    """The user reads that it is not complete."""
    chat.model.answers("The canteen opens", end="length")
    [answer] = await chat.say("When is lunch?")
    assert answer.text == "The canteen opens\n\nThe answer ends here, because it is too long."


async def test_stop(chat: Chat) -> None:
    """The model's stream is closed, and what the user has seen is remembered."""
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("The canteen", end="silent")
    [reply] = await chat.say("When is lunch?", stop_after=2)
    assert reply.text == "The canteen"
    await comes_true(lambda: not chat.model.server.under_way)
    chat.model.answers("At 14:00.")
    await chat.say("When does it end?")
    assert sent(chat)[:2] == [("user", "When is lunch?"), ("assistant", "The canteen")]


async def test_stop_before_the_answer(chat: Chat) -> None:
    """An answer of which the user has seen nothing is not remembered, nor its question."""
    chat.model.answers(end="silent")
    await chat.say("When is lunch?", stop_after=1)
    await comes_true(lambda: not chat.model.server.under_way)
    assert (await chat.state.conversation())["history"] == []


async def test_two_conversations(chat: Chat) -> None:
    """At the same time, each gets its own answer, and has its own history."""
    grace = chat.new_conversation(user="Grace")
    chats = {"canteen": chat, "travel": grace}
    for _ in range(2):
        answers = await asyncio.gather(*(each.say(f"{word}?") for word, each in chats.items()))
        for word, [answer] in zip(chats, answers, strict=True):
            assert f"[1] {word.capitalize()}" in answer.text
    for word, each in chats.items():
        history = (await each.state.conversation())["history"]
        assert [each["content"] for each in history[::2]] == [f"{word}?"] * 2


@pytest.mark.chat(turns="Queued", storage="azurite")
async def test_a_process_that_dies(chat: Chat) -> None:
    """The turn runs again: its answer takes the place of the first, and is remembered once."""
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("The canteen opens", end="silent")
    [begun] = await chat.crash("When is lunch?", parts=2)
    assert begun.text == "The canteen opens"
    chat.model.answers("It opens at 11:30.")
    again = await chat.redeliver()
    assert [(each.id, each.text) for each in again.updated] == [(begun.id, "It opens at 11:30.")]
    [_, answer] = (await chat.state.conversation())["history"]
    assert answer["content"] == "It opens at 11:30."


async def test_feedback(chat: Chat) -> None:
    """It is stored with the answer's id, also while another answer is being streamed."""
    chat.model.answers("At 11:30.")
    [answer] = await chat.say("When is lunch?")
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("It ends at 14:00. " * 5)
    chat.model.pause = 0.05
    saying = asyncio.create_task(chat.say("When does it end?"))
    await comes_true(lambda: len(chat.model.requests) == 3)
    given = {"reaction": "dislike", "feedback": '{"feedbackText": "Too short"}'}
    value = {"actionName": "feedback", "actionValue": given}
    content = {"type": "invoke", "name": "message/submitAction", "value": value}
    result = await chat.send({**content, "replyToId": answer.id})
    assert (result.status, result.body, len(result)) == (200, {}, 0)
    assert not saying.done()
    assert len(await saying) == 1
    state = await chat.state.conversation()
    expected = {"answer": answer.id, "reaction": "dislike", "comment": "Too short"}
    assert state["feedback"] == [expected]
    questions = [each["content"] for each in state["history"][::2]]
    assert questions == ["When is lunch?", "When does it end?"]
