"""LanguageModel: scripted answers, as the unmodified OpenAI library reads them."""

import asyncio
import json

import pytest
from openai import APIConnectionError, APIError, AsyncOpenAI, InternalServerError
from openai.types.chat import ChatCompletionChunk

from bot_workbench.emulator.language_model.answer import End
from bot_workbench.emulator.language_model.language_model import DEPLOYMENT, LanguageModel
from tests.emulator.language_model.asking import (
    QUESTION,
    calls_of,
    complete,
    read_into,
    stream,
    text_of,
)
from tests.support.timing.condition import comes_true

USAGE = {"stream_options": {"include_usage": True}}
FILTERS = {"hate", "self_harm", "sexual", "violence"}


async def test_a_stream(model: LanguageModel, client: AsyncOpenAI) -> None:
    """First what the filter says of the prompt, then the role, the text in pieces, the end."""
    model.answers("Soup and bread.")
    filtered, role, *pieces, last = await stream(client)
    [results] = filtered.model_dump()["prompt_filter_results"]
    assert (filtered.choices, filtered.id, filtered.model) == ([], "", "")
    assert results["content_filter_results"].keys() == FILTERS | {"jailbreak"}
    assert (role.choices[0].delta.role, role.choices[0].delta.content) == ("assistant", "")
    assert [each.choices[0].delta.content for each in pieces] == ["Soup", " and", " bre", "ad."]
    for each in pieces:
        assert each.choices[0].model_dump()["content_filter_results"].keys() == FILTERS
    assert last.choices[0].finish_reason == "stop"
    assert last.choices[0].delta.model_dump(exclude_unset=True) == {}
    assert {each.id for each in (role, *pieces, last)} == {role.id}
    assert "usage" not in last.model_fields_set
    assert DEPLOYMENT not in role.model


async def test_usage(model: LanguageModel, client: AsyncOpenAI) -> None:
    """If it is asked for, it comes last, without choices; until then it is null."""
    model.answers("Soup and bread.")
    *others, last = await stream(client, **USAGE)
    assert all("usage" in each.model_fields_set and each.usage is None for each in others)
    assert last.choices == []
    assert last.usage is not None
    # A token has four characters.
    counted = last.usage.prompt_tokens, last.usage.completion_tokens, last.usage.total_tokens
    assert counted == (2, 4, 6)


async def test_calls(model: LanguageModel, client: AsyncOpenAI) -> None:
    """Each call comes with its id and name, then its arguments in pieces."""
    model.answers(calls=[("search_documents", {"query": "lunch"}), ("current_time", {})])
    _, role, *deltas, last = await stream(client)
    assert role.choices[0].delta.content is None
    calls = [call for each in deltas for call in each.choices[0].delta.tool_calls or ()]
    first = [call for call in calls if call.index == 0]
    second = [call for call in calls if call.index == 1]
    for opening, *others in (first, second):
        assert (opening.type, opening.function and opening.function.arguments) == ("function", "")
        assert opening.id
        assert all(each.id is None and each.type is None for each in others)
    names = [opening.function and opening.function.name for opening in (first[0], second[0])]
    assert names == ["search_documents", "current_time"]
    written = "".join(call.function.arguments or "" for call in first if call.function)
    assert json.loads(written) == {"query": "lunch"}
    assert last.choices[0].finish_reason == "tool_calls"


async def test_without_a_stream(model: LanguageModel, client: AsyncOpenAI) -> None:
    """The same in one response."""
    model.answers("Soup.")
    completion = await complete(client)
    assert completion.choices[0].message.content == "Soup."
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 4
    model.answers(calls=[("search_documents", '{"query": ')])
    completion = await complete(client)
    assert completion.choices[0].message.content is None
    # Models write invalid JSON, too.
    assert calls_of(completion) == [("search_documents", '{"query": ')]
    assert completion.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("end", ["content_filter", "length"])
async def test_ends(model: LanguageModel, client: AsyncOpenAI, end: End) -> None:
    """An answer that the content filter, or its length, ends in the middle."""
    for _ in range(2):
        model.answers("Soup and", end=end)
    chunks = await stream(client)
    assert text_of(chunks) == "Soup and"
    choice = chunks[-1].choices[0]
    assert choice.finish_reason == end
    is_filtered = "'filtered': True" in str(choice.model_dump()["content_filter_results"])
    assert is_filtered == (end == "content_filter")
    assert (await complete(client)).choices[0].finish_reason == end


@pytest.mark.parametrize("limit", ["max_completion_tokens", "max_tokens"])
async def test_a_limit(model: LanguageModel, client: AsyncOpenAI, limit: str) -> None:
    """A request may limit the answer's tokens."""
    model.answers("Soup and bread.")
    chunks = await stream(client, **{limit: 2})
    assert (text_of(chunks), chunks[-1].choices[0].finish_reason) == ("Soup and", "length")
    model.answers("Soup and")
    assert (await complete(client, **{limit: 2})).choices[0].finish_reason == "stop"


async def test_silence(model: LanguageModel, client: AsyncOpenAI) -> None:
    """After its text the model says nothing more, until the caller gives up."""
    model.answers("Soup", end="silent")
    found: list[ChatCompletionChunk] = []
    reading = asyncio.create_task(read_into(found, client))
    await comes_true(lambda: text_of(found) == "Soup" and model.server.faults.held == 1)
    assert not reading.done()
    reading.cancel()
    await comes_true(lambda: model.server.under_way == 0)


async def test_death(model: LanguageModel, client: AsyncOpenAI) -> None:
    """After its text, the connection is cut."""
    model.answers("Soup and bread.", end="dead")
    found: list[ChatCompletionChunk] = []
    with pytest.raises(APIConnectionError):
        await read_into(found, client)
    assert text_of(found) == "Soup and bread."
    model.answers("Soup", end="dead")
    with pytest.raises(APIConnectionError):
        await complete(client)


async def test_a_failure_in_the_stream(model: LanguageModel, client: AsyncOpenAI) -> None:
    """The stream says that the model has failed; without a stream, it is a 500."""
    model.answers("Soup", end="error")
    found: list[ChatCompletionChunk] = []
    with pytest.raises(APIError) as raised:
        await read_into(found, client)
    assert raised.value.type == "server_error"
    assert text_of(found) == "Soup"
    model.answers("Soup", end="error")
    with pytest.raises(InternalServerError):
        await complete(client)


async def test_a_caller_that_goes(
    model: LanguageModel, client: AsyncOpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    """Who closes a stream in its middle ends the answer, and nobody complains."""
    model.answers("Soup. " * 100)
    model.pause = 0.005
    found: list[ChatCompletionChunk] = []
    reading = asyncio.create_task(read_into(found, client))
    await comes_true(lambda: text_of(found) != "")
    reading.cancel()
    await comes_true(lambda: model.server.under_way == 0)
    assert caplog.records == [] or {each.levelname for each in caplog.records} <= {"INFO", "DEBUG"}


@pytest.mark.parametrize("end", ["silent", "stop"])
async def test_a_server_that_stops(model: LanguageModel, client: AsyncOpenAI, end: End) -> None:
    """No answer outlives its server."""
    model.answers("Soup. " * 1000, end=end)
    model.pause = 0.0 if end == "silent" else 0.01
    before = asyncio.all_tasks()
    found: list[ChatCompletionChunk] = []
    reading = asyncio.create_task(read_into(found, client))
    await comes_true(lambda: text_of(found).startswith("Soup"))
    await model.server.stop()
    assert model.server.under_way == 0
    assert asyncio.all_tasks() - before <= {reading}
    with pytest.raises(APIConnectionError):
        await reading


async def test_a_caller_that_went_before(model: LanguageModel, client: AsyncOpenAI) -> None:
    """Nor does an answer whose caller has just gone."""
    model.answers("Soup", end="silent")
    before = asyncio.all_tasks()
    reading = asyncio.create_task(stream(client))
    await comes_true(lambda: model.server.faults.held == 1)
    reading.cancel()
    await asyncio.wait({reading})
    await model.server.stop()
    assert (model.server.under_way, asyncio.all_tasks() - before) == (0, set())


async def test_the_script(model: LanguageModel, client: AsyncOpenAI) -> None:
    """Another thread fills it; requests are kept; `reset` forgets both."""
    for at in range(3):
        await asyncio.to_thread(model.answers, str(at))
    said = [text_of(await stream(client)) for _ in range(2)]
    assert said == ["0", "1"]
    assert [each["messages"] for each in model.requests] == [QUESTION] * 2
    model.pause = 1.0
    model.reset()
    assert (model.requests, model.pause) == ([], 0.0)
    assert "stand-in" in text_of(await stream(client))
