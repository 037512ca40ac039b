"""The assistant, when the language model fails, and what of it is in the log."""

import asyncio
import datetime
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace

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
    began = datetime.datetime.now(datetime.UTC)
    chat.model.answers(calls=[SEARCH])
    chat.model.answers("The canteen", end="silent")
    result, text = await failure(chat)
    assert 60 <= (datetime.datetime.now(datetime.UTC) - began).total_seconds() < 80
    assert result.texts == ["The canteen", APOLOGY]
    assert text == "TimeoutError, status -, request -"
    assert len(chat.model.requests) == 2
    assert "history" not in await chat.state.conversation()


async def test_a_model_that_does_not_respond(chat: Chat) -> None:
    """The same if not even a response begins."""
    chat.fail("model", silent=True)
    began = datetime.datetime.now(datetime.UTC)
    result, _ = await failure(chat)
    assert 60 <= (datetime.datetime.now(datetime.UTC) - began).total_seconds() < 80
    assert result.texts == [APOLOGY]


async def test_a_dead_model(chat: Chat) -> None:
    """The user keeps what has come, and nothing is asked again."""
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
        self.body = ""
        self.app = web.Application()
        self.app.router.add_post("/openai/v1/chat/completions", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.body:
            return web.Response(status=400, text=self.body, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for line in self.lines:
            await response.write(f"{line}\n\n".encode())
            await asyncio.sleep(self.pause)
        return response


def said(text: str) -> str:
    """A line of a stream."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
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


async def test_a_model_that_never_ends(chat: Chat, own_model: OwnModel) -> None:
    """However much it writes, it is given three minutes."""
    own_model.lines, own_model.pause = [said(f"{number} ") for number in range(9)], 50
    began = datetime.datetime.now(datetime.UTC)
    result, text = await failure(chat)
    assert 180 <= (datetime.datetime.now(datetime.UTC) - began).total_seconds() < 200
    assert result.texts == ["0 1 2 3 ", APOLOGY]


async def test_a_model_that_keeps_its_connection_alive(chat: Chat, own_model: OwnModel) -> None:
    """Lines that say nothing do not count."""
    own_model.lines, own_model.pause = [said("Well, "), *[": alive"] * 9], 25
    began = datetime.datetime.now(datetime.UTC)
    result, text = await failure(chat)
    assert 60 <= (datetime.datetime.now(datetime.UTC) - began).total_seconds() < 80
    assert result.texts == ["Well, ", APOLOGY]


async def test_a_stream_without_an_end(chat: Chat, own_model: OwnModel) -> None:
    """A proxy that ends an answer has not made it whole."""
    own_model.lines = [said("The canteen")]
    result, text = await failure(chat)
    assert result.texts == ["The canteen", APOLOGY]
    assert text == "The stream has no end"
