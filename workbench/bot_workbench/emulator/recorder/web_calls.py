"""Web calls: requests of the libraries that a bot's own code, and the Azure SDKs, send with.

A request that is sent again after it has failed is another attempt of the same call. Of httpx, with
which the libraries of AI services send, JSON and streamed events are shown; of the others, no body.
Looking at bodies changes nothing for the bot.
"""

import contextlib
import re
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from bot_workbench.emulator.feed.secret_forms import is_secret_name
from bot_workbench.emulator.recorder.calls import (
    OTHER,
    attempt_failed,
    call_again,
    error_text,
    purpose_of,
    shown_url,
)
from bot_workbench.emulator.recorder.preview import MAX_BYTES, events_in, preview
from bot_workbench.emulator.recorder.recording import (
    Facts,
    RecordedTurn,
    Recording,
    Watching,
    current_turn,
)

BOT = "the bot's own"

_JSON = re.compile(r"(?i)application/(?:[\w.-]+\+)?(?:json|jsonl|x-ndjson)\s*(?:;|$)")
"""Content types whose bodies are shown."""
_EVENTS = re.compile(r"(?i)text/event-stream\s*(?:;|$)")
"""Another one: server-sent events."""

Read = Callable[[bytes, int], None]
"""Called with the start of what was read, and how many bytes it was. It must not raise."""

_sending: ContextVar[str] = ContextVar("recorded_request", default="")
"""The method and URL of the request that is being sent."""


def aiohttp_request(recording: Recording, call: Facts) -> Watching:
    """A request of an aiohttp.ClientSession, which may have a base URL."""
    url = str(call["self"]._build_url(call["str_or_url"]))
    yield from _web_call(recording, call["method"], url)


def requests_request(recording: Recording, call: Facts) -> Watching:
    """A request of a requests.Session, whose response has its status under another name."""
    prepared = call["request"]
    yield from _web_call(recording, prepared.method, prepared.url, "status_code")


def httpx_request(recording: Recording, call: Facts) -> Watching:
    """A request of a client of httpx or of httpx2, which the OpenAI library uses.

    The time of a response that is streamed is that until its headers; what the bot then reads of it
    is an event of its own.
    """
    request = call["request"]
    yield from _web_call(recording, request.method, str(request.url), "status_code", request)


def _web_call(
    recording: Recording, method: str, url: str, status: str = "status", request: Any = None
) -> Watching:
    """A request of any of the libraries.

    Args:
        status: the name of the response's attribute with the status.
        request: of httpx, whose body is shown, and that of its response; None: no bodies are.
    """
    turn, sent = current_turn(), f"{method} {url}"
    if turn is None or _sending.get() == sent:  # a library may send with another one
        return
    same_request = f"{sent} {hash(content_of(request))}"
    recorded, token = call_again(turn, same_request), _sending.set(sent)
    recorded.attempts += 1
    named = {"id": recorded.id, "attempt": recorded.attempts, "method": method}
    at, started = time.time(), time.perf_counter()
    outcome = yield
    ms = round((time.perf_counter() - started) * 1000, 3)
    _sending.reset(token)
    code, purpose = getattr(outcome.result, status, None), purpose_of(url)
    if code is None or _may_be_repeated(code):
        attempt_failed(turn, same_request, recorded)
    shows_bodies = request is not None and purpose == OTHER and not _names_secrets(url)
    recording.report(
        "call",
        turn,
        **named,
        at=at,
        url=shown_url(url),
        purpose=BOT if purpose == OTHER else purpose,
        status=code,
        error=error_text(outcome.error),
        ms=ms,
        connect=None,
        request=body_of(request) if shows_bodies else None,
        response=body_of(outcome.result) if shows_bodies else None,
    )
    if shows_bodies:
        _watch_stream(recording, turn, recorded.id, outcome.result)


def _watch_stream(recording: Recording, turn: RecordedTurn, call_id: str, response: Any) -> None:
    """Report what the bot will have read of a streamed response."""

    def ended(start: bytes, size: int) -> None:
        with recording.guarded():
            body = shown_content(response, start, size)
            recording.report("received", turn, id=call_id, response=body)

    watch_stream(response, ended)


def _may_be_repeated(status: int) -> bool:
    return status in {408, 409, 429} or status >= 500


def _names_secrets(url: str) -> bool:
    """Whether a URL says that it is about keys or tokens, as `/api_keys` and `/addPassword` do."""
    parts = urlsplit(url).path.split("/")
    return any(is_secret_name(part) or re.search("(?i)keys?$", part) for part in parts)


def content_of(message: Any) -> bytes:
    """The body of httpx's request or response; empty: there is none, or it is not read."""
    try:
        content: bytes = message.content if message is not None else b""
    except RuntimeError:  # RequestNotRead, ResponseNotRead
        return b""
    return content


def body_of(message: Any) -> Any:
    """The JSON or the events in a message, as shown; None: it has none, or it is not read."""
    return shown_content(message, content_of(message))


def shown_content(message: Any, content: bytes, size: int | None = None) -> Any:
    """The preview of a message's content, or of the start of it; `size` is that of the whole."""
    if not _is_shown(message):
        return None
    found = preview(content, size)
    is_text_of_events = isinstance(found, str) and _EVENTS.match(_content_type(message))
    return events_in(found) if is_text_of_events else found


def watch_stream(response: Any, ended: Read) -> None:
    """Look at a response that has not been read yet, part by part, as the bot reads it.

    Nothing is read ahead, held back, or kept beyond what is shown.

    Args:
        ended: called when the bot has read it, or reads no further.
    """
    if _is_shown(response) and not response.is_closed:
        _Stream(response, ended)


def _is_shown(message: Any) -> bool:
    content_type = _content_type(message)
    return bool(_JSON.match(content_type) or _EVENTS.match(content_type))


def _content_type(message: Any) -> str:
    return str(message.headers.get("Content-Type", "")) if message is not None else ""


class _Stream:
    """Takes the place of the two methods that all others read with."""

    def __init__(self, response: Any, ended: Read) -> None:
        self._response, self._ended = response, ended
        self._parts, self._async_parts = response.iter_bytes, response.aiter_bytes
        self._start = bytearray()
        self._size = 0
        response.iter_bytes, response.aiter_bytes = self._read, self._read_async

    def _read(self, chunk_size: int | None = None) -> Generator[bytes]:
        with self._until_the_end(), contextlib.closing(self._parts(chunk_size)) as parts:
            for part in parts:
                self._add(part)
                yield part

    async def _read_async(self, chunk_size: int | None = None) -> AsyncGenerator[bytes]:
        with self._until_the_end():
            async with contextlib.aclosing(self._async_parts(chunk_size)) as parts:
                async for part in parts:
                    self._add(part)
                    yield part

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        self._start += part[: MAX_BYTES - len(self._start)]

    @contextlib.contextmanager
    def _until_the_end(self) -> Generator[None]:
        try:
            yield
        finally:
            # Whoever reads it again gets what was read, or the library's own error.
            for name in ("iter_bytes", "aiter_bytes"):
                vars(self._response).pop(name, None)
            self._ended(bytes(self._start), self._size)
