"""Web calls: requests of the libraries that a bot's own code, and the Azure SDKs, send with.

A request that is sent again after it has failed is another attempt of the same call. Of httpx, with
which the libraries of AI services send, JSON and streamed events are shown; of the others, no body.
"""

import re
import time
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from bot_workbench.emulator.feed.secret_forms import is_secret_name
from bot_workbench.emulator.recorder.interception import Arguments, Observer
from bot_workbench.emulator.recorder.observers import httpx_bodies
from bot_workbench.emulator.recorder.observers.calls import (
    OTHER,
    attempt_failed,
    call_again,
    error_text,
    purpose_of,
    shown_url,
)
from bot_workbench.emulator.recorder.recording import Recording
from bot_workbench.emulator.recorder.turn import RecordedTurn, current_turn

BOT = "the bot's own"

_sending: ContextVar[str] = ContextVar("recorded_request", default="")
"""The method and URL of the request that is being sent."""


def aiohttp_request(recording: Recording, call: Arguments) -> Observer:
    """A request of an aiohttp.ClientSession, which may have a base URL."""
    url = str(call["self"]._build_url(call["str_or_url"]))
    yield from _web_call(recording, call["method"], url)


def requests_request(recording: Recording, call: Arguments) -> Observer:
    """A request of a requests.Session, whose response has its status under another name."""
    prepared = call["request"]
    yield from _web_call(recording, prepared.method, prepared.url, "status_code")


def httpx_request(recording: Recording, call: Arguments) -> Observer:
    """A request of a client of httpx or of httpx2, which the OpenAI library uses.

    The time of a response that is streamed is that until its headers; what the bot then reads of it
    is an event of its own.
    """
    request = call["request"]
    yield from _web_call(recording, request.method, str(request.url), "status_code", request)


def _web_call(
    recording: Recording, method: str, url: str, status: str = "status", request: Any = None
) -> Observer:
    """A request of any of the libraries.

    Args:
        status: the name of the response's attribute with the status.
        request: of httpx, whose body is shown, and that of its response; None: no bodies are.
    """
    turn, sent = current_turn(), f"{method} {url}"
    if turn is None or _sending.get() == sent:  # a library may send with another one
        return
    same_request = f"{sent} {hash(httpx_bodies.content_of(request))}"
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
        request=httpx_bodies.body_of(request) if shows_bodies else None,
        response=httpx_bodies.body_of(outcome.result) if shows_bodies else None,
    )
    if shows_bodies:
        _watch_stream(recording, turn, recorded.id, outcome.result)


def _watch_stream(recording: Recording, turn: RecordedTurn, call_id: str, response: Any) -> None:
    """Report what the bot will have read of a streamed response."""

    def ended(start: bytes, size: int) -> None:
        with recording.guarded():
            body = httpx_bodies.shown_content(response, start, size)
            recording.report("received", turn, id=call_id, response=body)

    httpx_bodies.watch_stream(response, ended)


def _may_be_repeated(status: int) -> bool:
    return status in {408, 409, 429} or status >= 500


def _names_secrets(url: str) -> bool:
    """Whether a URL says that it is about keys or tokens, as `/api_keys` and `/addPassword` do."""
    parts = urlsplit(url).path.split("/")
    return any(is_secret_name(part) or re.search("(?i)keys?$", part) for part in parts)
