"""Requests that a bot sends with httpx, with httpx2, and with the OpenAI library."""

import asyncio
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from aiohttp import web

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.recorder.preview import MAX_BYTES, events_in
from bot_workbench.emulator.recorder.web_calls import watch_stream
from tests.emulator.recorder.conftest import FAULT
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.recording.calling_bot import API_KEY, BOT
from tests.support.recording.feed_thread import Event, FeedThread
from tests.support.recording.recorded_bot import RecordedBot
from tests.support.wire.scripted_service import Reply, ScriptedService

CLIENTS = ("httpx.Client", "httpx.AsyncClient", "httpx2.Client", "httpx2.AsyncClient")

each_client = pytest.mark.parametrize("client", CLIENTS)

FIRST, SECOND = b'data: {"text": "first"}\n\n', b'data: {"text": "second"}\n\n'


@pytest.fixture(scope="module")
def calling(
    own_cloud: CloudThread, feed: FeedThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RecordedBot]:
    """The bot, which is recorded from its start. It imports httpx in its turns."""
    folder = tmp_path_factory.mktemp("calling")
    app = app_with(folder / "app", {"bot_logic/__init__.py": BOT})
    settings = own_cloud.cloud.settings() | feed.settings
    with BotProcess(settings, folder / "bot.log", app) as process:
        yield RecordedBot(own_cloud, process.messages, feed)
    assert FAULT not in (folder / "bot.log").read_text()


@pytest.fixture
def service(own_cloud: CloudThread) -> Iterator[ScriptedService]:
    """The service that the bot sends to."""
    service = ScriptedService()
    own_cloud.do(service.start())
    yield service
    own_cloud.do(service.stop())


def do(calling: RecordedBot, method: str, **arguments: Any) -> list[Event]:
    """Let the bot do something in a turn, and return the calls of the turn."""
    turn = calling.say(json.dumps({"do": method, **arguments}))
    return calling.feed.of(turn, "call")


def send(calling: RecordedBot, client: str, *requests: dict[str, Any]) -> list[Event]:
    """Let the bot send requests, and return the calls of the turn."""
    return do(calling, "send", client=client, requests=requests)


@each_client
def test_a_request(calling: RecordedBot, service: ScriptedService, client: str) -> None:
    """A call has its status, its time, and both bodies; no key that is in a header or in them."""
    service.otherwise = Reply(json={"answer": "soup", "token": API_KEY})
    question = {"question": "lunch?", "password": API_KEY, "max_tokens": 5}
    url = f"{service.url}/v1/chat?api-key={API_KEY}"
    [call] = send(calling, client, {"method": "POST", "url": url, "json": question})
    assert service.seen[0].headers["api-key"] == API_KEY
    assert service.seen[0].json == question
    assert call["url"].partition("?")[0] == f"{service.url}/v1/chat"
    assert (call["method"], call["purpose"], call["attempt"]) == ("POST", "the bot's own", 1)
    assert (call["status"], call["error"]) == (200, None)
    assert call["ms"] > 0
    hidden = "(not shown)"
    assert call["request"] == {"question": "lunch?", "password": hidden, "max_tokens": 5}
    assert call["response"] == {"answer": "soup", "token": hidden}
    assert API_KEY not in calling.feed.text


@each_client
def test_attempts(calling: RecordedBot, service: ScriptedService, client: str) -> None:
    """A request that is sent again is the same call; one with another body is not."""
    service.script = [Reply(503), Reply(503), Reply(200), Reply(200)]
    one, other = ({"method": "POST", "url": service.url, "json": {"n": n}} for n in range(2))
    calls = send(calling, client, one, other, one, other)
    assert [each["status"] for each in calls] == [503, 503, 200, 200]
    assert [each["attempt"] for each in calls] == [1, 1, 2, 2]
    ids = [each["id"] for each in calls]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]


def test_requests_that_are_alike(calling: RecordedBot, service: ScriptedService) -> None:
    """A request that was answered, or refused for good, is not repeated by the next one."""
    service.script = [Reply(200), Reply(400), Reply(200)]
    calls = send(calling, CLIENTS[0], *[{"method": "GET", "url": service.url}] * 3)
    assert [each["attempt"] for each in calls] == [1, 1, 1]
    assert len({each["id"] for each in calls}) == 3


@each_client
def test_no_response(calling: RecordedBot, client: str) -> None:
    """A request without a response has its error."""
    with socket.socket() as silent:  # nobody listens
        silent.bind((LOOPBACK, 0))
        url = f"http://{LOOPBACK}:{silent.getsockname()[1]}/"
        [call] = send(calling, client, {"method": "GET", "url": url})
    assert call["status"] is None
    assert call["error"].startswith("ConnectError: ")
    assert (call["request"], call["response"]) == (None, None)


@pytest.mark.parametrize(
    "path",
    [
        "/oauth2/v2.0/token",
        "/oauth2/v2.0/devicecode",
        "/secrets/a",
        "/v1/client_secrets",
        "/addPassword",
        "/listKeys",
    ],
)
def test_paths_of_secrets(calling: RecordedBot, service: ScriptedService, path: str) -> None:
    """Bodies are not shown if the URL says that they have secrets."""
    service.otherwise = Reply(json={"value": "opaque"})
    request = {"method": "POST", "url": f"{service.url}{path}", "json": {"value": "opaque"}}
    [call] = send(calling, CLIENTS[0], request)
    assert call["status"] == 200
    assert (call["request"], call["response"]) == (None, None)


def test_other_types(calling: RecordedBot, service: ScriptedService) -> None:
    """Bodies that are no JSON are not shown."""
    service.otherwise = lambda _: answered(web.Response(text="opaque"))
    form = {"method": "POST", "url": service.url, "data": {"value": "opaque"}}
    [call] = send(calling, CLIENTS[0], form)
    assert (call["status"], call["request"], call["response"]) == (200, None, None)


async def answered(response: web.Response) -> web.StreamResponse:
    """A prepared response."""
    return response


def test_large_bodies(calling: RecordedBot, service: ScriptedService) -> None:
    """Of a large body, the start is shown, and how large it is."""
    service.otherwise = Reply(json={"text": "x" * 100_000})
    request = {"method": "POST", "url": service.url, "json": {"text": "y" * 200_000}}
    [call] = send(calling, CLIENTS[0], request)
    assert call["request"]["$cut"]["bytes"] > 200_000
    assert call["response"]["$cut"]["bytes"] > 100_000
    assert len(json.dumps(call)) < 30_000


@each_client
def test_a_body_that_is_made_while_it_is_sent(
    calling: RecordedBot, service: ScriptedService, client: str
) -> None:
    """It is sent as a whole, and not shown."""
    [call] = do(calling, "upload", client=client, url=service.url)
    assert service.seen[0].json == {"made": "while it is sent"}
    assert (call["status"], call["request"]) == (200, None)


class Events:
    """Sends an event, waits until it may go on, and sends the other one."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(FIRST)
        await self.go_on.wait()
        await response.write(SECOND)
        return response


def received(calling: RecordedBot, call: Event) -> Event:
    """The event that says what was read of a call's streamed response."""
    found = [each for each in calling.feed.kinds("received") if each["id"] == call["id"]]
    return found[0] if found else {}


@each_client
def test_a_stream(calling: RecordedBot, service: ScriptedService, client: str) -> None:
    """Nothing is read ahead: the bot gets each part at once, and the call is shown meanwhile."""
    service.otherwise = events = Events()
    order = {"client": client, "url": f"{service.url}/{client}", "lines": 9}

    def calls() -> list[Event]:
        url = order["url"]
        return [each for each in calling.feed.kinds("call") if each["url"] == url]

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(do, calling, "stream", **order)
        try:
            calling.feed.wait(lambda: calls() and lines_of(calling, calls()[0]))
            [call] = calls()
            assert (call["status"], call["response"]) == (200, None)
            assert call["request"] == {"stream": True}
            assert "second" not in str(lines_of(calling, call))
            assert not received(calling, call)
        finally:
            calling.cloud.call(events.go_on.set)
        assert done.result() == [call]
    calling.feed.wait(lambda: received(calling, call))
    assert received(calling, call)["response"] == [{"text": "first"}, {"text": "second"}]
    assert len(lines_of(calling, call)) == 4


def lines_of(calling: RecordedBot, call: Event) -> list[str]:
    """The lines that the bot has read in a call's turn."""
    texts = [each["text"] for each in calling.feed.of(call["turn"], "log")]
    return [text for text in texts if text.startswith("line ")]


@each_client
def test_a_stream_that_is_left(calling: RecordedBot, service: ScriptedService, client: str) -> None:
    """Of a stream that the bot does not read to its end, what it has read is shown."""
    service.otherwise = events = Events()
    [call] = do(calling, "stream", client=client, url=service.url, lines=1)
    calling.feed.wait(lambda: received(calling, call))
    assert received(calling, call)["response"] == [{"text": "first"}]
    calling.cloud.call(events.go_on.set)


@pytest.mark.parametrize("client", CLIENTS[-2:])
def test_a_long_stream(calling: RecordedBot, service: ScriptedService, client: str) -> None:
    """Of a long stream, the start is shown, and how long it was."""
    line = b"data: " + b"x" * 9_993 + b"\n"
    body = line * 30
    headers = {"Content-Type": "text/event-stream"}
    service.otherwise = lambda _: answered(web.Response(body=body, headers=headers))
    [call] = do(calling, "stream", client=client, url=service.url, lines=-1)
    calling.feed.wait(lambda: received(calling, call))
    cut = received(calling, call)["response"]["$cut"]
    assert cut["bytes"] == len(body)
    assert body.decode().startswith(cut["start"])
    assert 5_000 < len(cut["start"]) < 10_000


def test_server_sent_events() -> None:
    """Events are shown by their data, whatever their lines end with."""
    text = ': ping\n\nevent: a\r\ndata: {"n": 1}\r\n\r\ndata:two\ndata: lines\n\ndata: {"n":'
    assert events_in(text) == [{"n": 1}, "two\nlines", '{"n":']


def test_what_is_kept_of_a_stream() -> None:
    """No more than is shown; what the bot reads once more, or has been read, is left alone."""
    headers = {"Content-Type": "text/event-stream"}
    response = httpx2.Response(200, headers=headers, content=iter([b"x" * 1000] * 100))
    kept: list[tuple[int, int]] = []
    watch_stream(response, lambda start, size: kept.append((len(start), size)))
    assert len(b"".join(response.iter_bytes())) == 100_000
    with pytest.raises(httpx2.StreamConsumed):
        list(response.iter_bytes())
    read = httpx2.Response(200, headers=headers, content=FIRST)
    watch_stream(read, lambda start, size: kept.append((len(start), size)))
    assert b"".join(read.iter_bytes()) == FIRST
    assert kept == [(MAX_BYTES, 100_000)]


def chunk(text: str) -> bytes:
    """A part of an answer as the OpenAI API streams it."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "chef"}
    return f"data: {json.dumps({**head, 'choices': [choice]})}\n\n".encode()


ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "chef",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Soup."},
            "finish_reason": "stop",
        }
    ],
}

LIMITED = Reply(429, {"error": {"message": "Slow down."}}, {"retry-after-ms": "1"})


@pytest.mark.parametrize("client", ["OpenAI", "AsyncOpenAI", "aiohttp"])
def test_the_openai_library(calling: RecordedBot, service: ScriptedService, client: str) -> None:
    """An answer is one call with the library's attempts, with what was asked and answered."""
    service.script = [LIMITED, Reply(json=ANSWER)]
    calls = do(calling, "chat", client=client, url=f"{service.url}/v1", stream=False)
    assert [(each["status"], each["attempt"]) for each in calls] == [(429, 1), (200, 2)]
    assert len({each["id"] for each in calls}) == 1
    assert calls[0]["url"] == f"{service.url}/v1/chat/completions"
    assert calls[0]["response"] == {"error": {"message": "Slow down."}}
    assert calls[1]["request"]["messages"][0]["content"] == "What is for lunch?"
    assert calls[1]["response"] == ANSWER
    assert service.seen[0].headers["Authorization"] == f"Bearer {API_KEY}"
    assert API_KEY not in calling.feed.text


@pytest.mark.parametrize("client", ["OpenAI", "AsyncOpenAI", "aiohttp"])
def test_a_streamed_answer(calling: RecordedBot, service: ScriptedService, client: str) -> None:
    """A streamed answer is shown as the library has read it."""
    body = chunk("So") + chunk("up.") + b"data: [DONE]\n\n"
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    service.otherwise = lambda _: answered(web.Response(body=body, headers=headers))
    [call] = do(calling, "chat", client=client, url=f"{service.url}/v1", stream=True)
    assert (call["status"], call["response"]) == (200, None)
    calling.feed.wait(lambda: received(calling, call))
    parts = received(calling, call)["response"]
    assert [each["choices"][0]["delta"] for each in parts[:2]] == [
        {"content": "So"},
        {"content": "up."},
    ]
    assert parts[2:] == ["[DONE]"]
    answer = [each["text"] for each in calling.feed.of(call["turn"], "log")]
    assert "answer Soup." in answer
