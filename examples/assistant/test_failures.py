"""The assistant, when the language model fails, and what of it is in the log."""

import asyncio
import gc
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_testing import APOLOGY, Chat, ChatOptions, TurnResult

pytestmark = [
    pytest.mark.chat(channel="msteams", skip_waits=True),
    pytest.mark.filterwarnings("ignore:unclosed"),  # nothing closes the bot's client, as in Azure
]

SEARCH = ("search_documents", {"query": "canteen lunch"})


async def failure(chat: Chat, text: str = "When is lunch?") -> tuple[TurnResult, str]:
    """Say something that makes the model fail: what the user sees, and the error's text."""
    result = await chat.say(text, expect_error=Exception)
    [error] = result.errors
    assert type(error).__name__ == "ModelFailed"
    return result, str(error)


async def test_a_silent_model(chat: Chat) -> None:
    """After 60 seconds without a word, the user keeps the text, and gets the apology."""
    began = time.time()
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("The canteen", end="silent")
    result, text = await failure(chat)
    assert time.time() - began == pytest.approx(60, abs=10)
    assert result.texts == ["The canteen", APOLOGY]
    assert text == "TimeoutError, status -, request -"
    assert len(chat.model.requests) == 2
    assert (await chat.state.conversation())["history"] == []


async def test_a_model_that_does_not_respond(chat: Chat) -> None:
    """The same if not even a response begins."""
    chat.fail("model", silent=True)
    began = time.time()
    result, _ = await failure(chat)
    assert time.time() - began == pytest.approx(60, abs=10)
    assert result.texts == [APOLOGY]


@pytest.mark.parametrize(
    (),
    [
        pytest.param(id="Inline"),
        pytest.param(id="Queued", marks=pytest.mark.chat(turns="Queued", storage="azurite")),
    ],
)
async def test_a_dead_model(chat: Chat) -> None:
    """The user keeps what has come, and nothing is asked again, not even by a queue."""
    chat.model.answers("The canteen", end="dead")
    result, text = await failure(chat)
    assert result.texts == ["The canteen", APOLOGY]
    assert text.startswith("APIConnectionError")
    assert len(chat.model.requests) == 1


@pytest.mark.parametrize(("status", "requests"), [(429, 3), (500, 3), (401, 1), (404, 1)])
async def test_a_model_that_refuses(chat: Chat, status: int, requests: int) -> None:
    """It is asked twice more if that may help. The error has the status, and the request's id."""
    for _ in range(requests):
        chat.model.refuses(status)
    result, text = await failure(chat)
    assert result.texts == [APOLOGY]
    assert re.fullmatch(rf"\w+Error, status {status}, request [0-9a-f-]{{36}}", text)
    assert len(chat.model.requests) == requests


async def test_a_later_round_is_not_repeated(chat: Chat) -> None:
    """Once the user has read some text, no request is sent again."""
    chat.model.answers("Let me look.", calls=[SEARCH])
    chat.model.refuses(500)
    result, _ = await failure(chat)
    assert result.texts == ["Let me look.", APOLOGY]
    assert len(chat.model.requests) == 2


class OwnModel:
    """A model that writes the test's own lines, each a minute after the one before, or refuses."""

    def __init__(self) -> None:
        self.url = ""
        self.lines: list[str] = []
        self.pause = 0.0
        self.status = 200
        self.body = ""
        self.app = web.Application()
        self.app.router.add_post("/openai/v1/chat/completions", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.status >= 400:
            return web.Response(status=self.status, text=self.body, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for line in self.lines:
            await response.write(f"{line}\n\n".encode())
            await asyncio.sleep(self.pause)
        return response


def said(text: str, calls: Sequence[object] = ()) -> str:
    """A line of a stream."""
    delta = {"content": text, "tool_calls": [*calls]}
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    chunk = {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(chunk)}"


@pytest.fixture
async def own_model() -> AsyncIterator[OwnModel]:
    """In place of the stand-in."""
    model = OwnModel()
    async with TestServer(model.app) as server:
        model.url = str(server.make_url("/"))
        yield model


@pytest.fixture
def chat_options(chat_options: ChatOptions, request: pytest.FixtureRequest) -> ChatOptions:
    """The bot asks `own_model`, if the test uses it."""
    if "own_model" not in request.fixturenames:
        return chat_options
    settings = {"AzureOpenAIEndpoint": request.getfixturevalue("own_model").url}
    return replace(chat_options, settings=settings)


@pytest.mark.chat(turn_seconds=15)
async def test_a_model_that_never_ends(chat: Chat, own_model: OwnModel) -> None:
    """However much it writes, it is given three minutes."""
    own_model.lines, own_model.pause = [said(f"{number} ") for number in range(9)], 50
    began = time.time()
    result, _ = await failure(chat)
    assert time.time() - began == pytest.approx(180, abs=10)
    assert result.texts == ["0 1 2 3 ", APOLOGY]


@pytest.mark.chat(turn_seconds=15)
async def test_a_model_that_keeps_its_connection_alive(chat: Chat, own_model: OwnModel) -> None:
    """Lines that say nothing do not count."""
    own_model.lines, own_model.pause = [said("Well, "), *[": alive"] * 9], 40
    began = time.time()
    result, _ = await failure(chat)
    assert time.time() - began == pytest.approx(60, abs=10)
    assert result.texts == ["Well, ", APOLOGY]


async def test_a_stream_without_an_end(chat: Chat, own_model: OwnModel) -> None:
    """A proxy that ends an answer has not made it whole."""
    call = {"index": 0, "id": "1", "type": "function", "function": {"name": "current_time"}}
    own_model.lines = [said("The canteen", [call])]
    result, text = await failure(chat)
    assert result.texts == ["The canteen", APOLOGY]
    assert text == "The stream has no end"


ASKED, REMEMBERED, GIVEN = "quockerwodger", "xylocarp", "zoanthropy"
WRITTEN, QUOTED = "bibliopole", "snollygoster"
FOUND = "vegetarian"
"""A word of a document."""

FIND = ("search_documents", {"query": f"{FOUND} {GIVEN}"})


@pytest.fixture
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every logger writes what the app's own levels let it; none of the words may be in that."""
    caplog.set_level(logging.DEBUG)
    yield
    gc.collect()  # asyncio logs the errors of tasks, and of generators, that nobody has awaited
    shown = logging.Formatter()
    for record in [*caplog.get_records("call"), *caplog.records]:
        logged = f"{shown.format(record)} {record.msg!r} {record.args!r}"
        is_sdk = record.name.startswith(("openai", "httpx", "httpcore"))
        assert not is_sdk or record.levelno >= logging.WARNING
        for word in (ASKED, REMEMBERED, GIVEN, WRITTEN, QUOTED, FOUND):
            assert word not in logged.lower()


def a_success(model: Any) -> None:
    model.answers(WRITTEN, calls=[FIND])
    model.answers(f"{WRITTEN} [1]")


def a_wrong_call(model: Any) -> None:
    model.answers(calls=[("search_documents", f"{{{GIVEN}"), (GIVEN, {"query": GIVEN})])
    model.answers(WRITTEN)


def a_refusal_by_the_filter(model: Any) -> None:
    model.refuses(400, "content_filter")


def an_end_by_the_filter(model: Any) -> None:
    model.answers(WRITTEN, end="content_filter")


@pytest.mark.usefixtures("everything_is_logged")
@pytest.mark.parametrize(
    "script", [a_success, a_wrong_call, a_refusal_by_the_filter, an_end_by_the_filter]
)
async def test_an_answer_is_not_logged(chat: Chat, script: Callable[[Any], None]) -> None:
    """Nothing that users, documents and the model say is in the log."""
    chat.model.answers(REMEMBERED)
    await chat.say(REMEMBERED)
    script(chat.model)
    await chat.say(ASKED)
    assert REMEMBERED in json.dumps(chat.model.requests[-1])


@pytest.mark.usefixtures("everything_is_logged")
@pytest.mark.parametrize("end", ["silent", "dead", "error"])
async def test_a_failure_is_logged_without_words(chat: Chat, end: Any) -> None:
    """Nor is it if the model fails, although the bot's error is logged."""
    chat.model.answers(REMEMBERED)
    await chat.say(REMEMBERED)
    chat.model.answers(calls=[FIND])
    chat.model.answers(WRITTEN, end=end)
    result, _ = await failure(chat, ASKED)
    assert result.texts == [WRITTEN, APOLOGY]


@pytest.mark.usefixtures("everything_is_logged")
async def test_a_stopped_answer_is_not_logged(chat: Chat) -> None:
    """Nor if the user stops it."""
    chat.model.answers(calls=[FIND])
    chat.model.answers(WRITTEN, end="silent")
    await chat.say(ASKED, stop_after=2)


@pytest.mark.usefixtures("everything_is_logged")
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_what_the_models_error_quotes_is_not_logged(
    chat: Chat, own_model: OwnModel, status: int
) -> None:
    """The client's errors have the text of the model's, also in the middle of a stream."""
    error = json.dumps({"error": {"message": f"{QUOTED} {ASKED}", "code": None}})
    own_model.status, own_model.body = status, error
    own_model.lines = [said(WRITTEN), f"data: {error}"]
    await failure(chat, ASKED)
