"""Watches: the moments that the recorder watches, by name, and who observes each.

A moment is a function of the app that its `http_client.observer` lets others watch.
"""

import time
from collections.abc import Mapping
from contextvars import ContextVar

from bot_workbench.emulator.recorder import (
    callers,
    calls,
    libraries,
    queue_steps,
    stored_blobs,
    turns,
    web_calls,
)
from bot_workbench.emulator.recorder.recording import (
    Facts,
    Observe,
    Recording,
    Watching,
    current_turn,
)

MIN_MS = 0.5
"""Waits that are shorter are not shown."""

BOT = "the bot's on_turn"

_current: ContextVar[str | None] = ContextVar("recorded_span", default=None)


def span(name: str, min_ms: float = 0.0) -> Observe:
    """Observe a step; if it is shorter than `min_ms`, it is not shown."""

    def step(recording: Recording, _: Facts) -> Watching:
        yield from _timed(recording, name, min_ms)

    return step


def wait(name: str) -> Observe:
    """Observe a step that takes no time as a rule: it is shown if it does."""
    return span(name, MIN_MS)


def middleware(recording: Recording, call: Facts) -> Watching:
    """A middleware, with all within it; the innermost is the bot."""
    all_middleware, index = call["self"]._middleware, call["next_middleware_index"]
    is_bot = index == len(all_middleware)
    name = BOT if is_bot else type(all_middleware[index]).__name__
    yield from _timed(recording, name)


def _timed(recording: Recording, name: str, min_ms: float = 0.0) -> Watching:
    turn, parent = current_turn(), _current.get()
    token = _current.set(name)
    at, started = time.time(), time.perf_counter()
    outcome = yield
    ms = round((time.perf_counter() - started) * 1000, 3)
    _current.reset(token)
    if turn is not None and ms >= min_ms:
        error = type(outcome.error).__name__ if outcome.error else None
        recording.report("span", turn, at=at, name=name, ms=ms, parent=parent, error=error)


EVENTS: Mapping[str, Observe] = {
    "refusal": turns.refusal,
    "turn.error": turns.failure,
    "worker.blocked": turns.blocking,
    "proactive.send": turns.proactive_message,
    "proactive.turn": turns.proactive_turn,
    "queued.turn": queue_steps.stored_turn,
    "queued.enqueue": queue_steps.enqueuing,
    "caller.authenticate": callers.authentication,
    "caller.authorize": callers.authorization,
    "caller.authenticate_skill": callers.skill_authentication,
    "connector.call": calls.connector_call,
    "skill.call": calls.skill_call,
    "storage.call": calls.storage_call,
    "http.request": calls.request,
    "http.connect": calls.opening,
    libraries.AIOHTTP: web_calls.aiohttp_request,
    libraries.REQUESTS: web_calls.requests_request,
    libraries.HTTPX: web_calls.httpx_request,
    libraries.THREAD: libraries.thread_start,
    "blob.read": stored_blobs.reading,
    "blob.write": stored_blobs.writing,
    "blob.delete": stored_blobs.deletion,
    "state.load": stored_blobs.loading,
    "queue.put": queue_steps.putting,
    "queued.wake_up": queue_steps.message_handling,
    "queued.attempt": queue_steps.attempting,
    "queued.set_aside": queue_steps.counting,
    "queued.dead_letter": queue_steps.dead_lettering,
}
"""The moments in a turn, and those that start one."""

SPANS: Mapping[str, Observe] = {
    "app.ready": wait("warm-up"),
    "caller.authenticate": span("authentication"),
    "activity.read": span("read activity"),
    "caller.authorize": span("authorization"),
    "queued.enqueue": span("enqueue"),
    "connector.sign_in": span("sign in"),
    "middleware": middleware,
    "state.lock": wait("wait for lock"),
    "state.load": wait("load state"),
    "state.save": wait("save state"),
}
"""The steps that take time."""
