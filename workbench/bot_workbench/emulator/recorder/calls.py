"""Calls: the HTTP requests that the bot's process sends through its HTTP client."""

import itertools
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bot_workbench.emulator.recorder.preview import preview
from bot_workbench.emulator.recorder.recording import (
    Facts,
    RecordedTurn,
    Recording,
    Watching,
    current_turn,
)

CONNECTOR, USER_TOKENS, SKILL, STORAGE = "connector", "user token service", "skill", "storage"
TOKEN, KEY_VAULT, KEYS, OTHER = "token", "key vault", "signing keys", "other"

SHOWN_BODIES = frozenset({CONNECTOR, SKILL})
"""Calls whose JSON is shown: activities. Others carry tokens, keys, or what `state` shows."""

SHOWN_PARAMETERS = frozenset(
    {"comp", "restype", "prefix", "include", "numofmessages", "visibilitytimeout", "messagettl"}
    | {"pageSize", "continuationToken", "api-version", "resource", "connectionName", "channelId"}
)
"""Query parameters whose values are shown."""

RETRY_SECONDS = 30.0
"""A request that repeats a failed one within this time is another attempt of the same call."""

_numbers = itertools.count(1)


@dataclass
class RecordedCall:
    """A call, which may take several attempts.

    Attributes:
        purpose: what it is for; empty: the URL says it.
        url: of the service: what other URLs are sent meanwhile belongs to other calls.
        attempts: how many attempts have started.
    """

    purpose: str
    url: str = ""
    id: str = field(default_factory=lambda: f"call-{next(_numbers)}")
    attempts: int = 0


@dataclass
class _Attempt:
    connects: bool = False


_call: ContextVar[RecordedCall | None] = ContextVar("recorded_call", default=None)
_attempt: ContextVar[_Attempt | None] = ContextVar("recorded_attempt", default=None)
_failed: dict[tuple[str, str], tuple[RecordedCall, float]] = {}
"""By turn and request: the calls whose last attempt failed, and when."""


def connector_call(_: Recording, call: Facts) -> Watching:
    """A call to the channel's services: the connector, or the user token service."""
    is_user_tokens = call["path"][0] == "api"
    purpose = USER_TOKENS if is_user_tokens else CONNECTOR
    yield from _within(RecordedCall(purpose, call["service"].base_url))


def storage_call(_: Recording, call: Facts) -> Watching:
    """A call to the storage account."""
    endpoints = call["self"]._endpoints
    yield from _within(RecordedCall(STORAGE, endpoints.urls[call["request"].service]))


def skill_call(_: Recording, call: Facts) -> Watching:
    """A call to a skill."""
    yield from _within(RecordedCall(SKILL, call["to_url"]))


def _within(recorded: RecordedCall) -> Watching:
    token = _call.set(recorded)
    yield
    _call.reset(token)


def opening(_: Recording, __: Facts) -> Watching:
    """A new connection."""
    if attempt := _attempt.get():
        attempt.connects = True
    yield


def request(recording: Recording, call: Facts) -> Watching:
    """A request of the HTTP client."""
    turn = current_turn()
    if turn is None:
        return
    recorded = _call_of(turn, call["method"], call["url"])
    recorded.attempts += 1
    number, attempt = recorded.attempts, _Attempt()
    token = _attempt.set(attempt)
    at, started = time.time(), time.perf_counter()
    outcome = yield
    ms = round((time.perf_counter() - started) * 1000, 3)
    _attempt.reset(token)
    response, error = outcome.result, outcome.error
    url = shown_url(call["url"])
    _note(turn, recorded, call, is_done=response is not None and response.status < 400)
    shows_bodies = recorded.purpose in SHOWN_BODIES
    recording.report(
        "call",
        turn,
        at=at,
        id=recorded.id,
        method=call["method"],
        url=url,
        purpose=recorded.purpose or purpose_of(url),
        attempt=number,
        status=response.status if response is not None else None,
        error=error_text(error),
        ms=ms,
        connect=attempt.connects,
        request=preview(call["body"]) if shows_bodies else None,
        response=preview(response.body) if shows_bodies and response is not None else None,
    )


def _call_of(turn: RecordedTurn, method: str, url: str) -> RecordedCall:
    """The call that a request is an attempt of."""
    running = _call.get()
    if running is not None and url.startswith(running.url):
        return running
    return call_again(turn, f"{method} {url}")


def _note(turn: RecordedTurn, recorded: RecordedCall, call: Facts, *, is_done: bool) -> None:
    if not is_done and recorded is not _call.get():
        attempt_failed(turn, f"{call['method']} {call['url']}", recorded)


def call_again(turn: RecordedTurn, request: str) -> RecordedCall:
    """The call whose attempt with the same request has just failed; otherwise a new one."""
    known, failed_at = _failed.pop((turn.id, request), (None, 0.0))
    if known is not None and time.monotonic() - failed_at < RETRY_SECONDS:
        return known
    return RecordedCall("")


def attempt_failed(turn: RecordedTurn, request: str, recorded: RecordedCall) -> None:
    """Remember a failed attempt: the next one with its request is of the same call."""
    now = time.monotonic()
    for key, (_, failed_at) in list(_failed.items()):
        if now - failed_at >= RETRY_SECONDS:
            del _failed[key]
    _failed[turn.id, request] = recorded, now


def error_text(error: BaseException | None) -> str | None:
    """Why there was no response; None: there was one."""
    if error is None:
        return None
    cause = error.__cause__
    because = f" ({type(cause).__name__}: {cause})" if cause else ""
    return f"{type(error).__name__}: {error}{because}"


def shown_url(url: str) -> str:
    """A URL without its user and password, and without what may be secret in its query."""
    parts = urlsplit(url)
    fields = [
        (name, text if name in SHOWN_PARAMETERS else "...")
        for name, text in parse_qsl(parts.query, keep_blank_values=True)
    ]
    host, query = parts.netloc.rpartition("@")[2], urlencode(fields, safe=".:/")
    return urlunsplit(parts._replace(netloc=host, query=query, fragment=""))


def purpose_of(url: str) -> str:
    """The purpose of a request that no part of the bot has announced."""
    parts = urlsplit(url)
    path = parts.path.lower()
    if "/oauth2/" in path or "/msi/" in path or path.endswith("/token"):
        return TOKEN
    if path.startswith(("/secrets/", "/certificates/", "/keys/")):
        return KEY_VAULT
    if ".well-known" in path or "/keys" in path:
        return KEYS
    return OTHER
