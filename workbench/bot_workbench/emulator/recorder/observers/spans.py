"""Spans: the steps of a turn that take time."""

import time
from contextvars import ContextVar

from bot_workbench.emulator.recorder.interception import Arguments, Observe, Observer
from bot_workbench.emulator.recorder.recording import Recording
from bot_workbench.emulator.recorder.turn import current_turn

MIN_MS = 0.5
"""Waits that are shorter are not shown."""

BOT = "the bot's on_turn"

_current: ContextVar[str | None] = ContextVar("recorded_span", default=None)


def span(name: str) -> Observe:
    """An observer of a step."""

    def step(recording: Recording, _: Arguments) -> Observer:
        yield from _timed(recording, name)

    return step


def wait(name: str) -> Observe:
    """An observer of what takes no time as a rule: it is shown if it does."""

    def step(recording: Recording, _: Arguments) -> Observer:
        yield from _timed(recording, name, MIN_MS)

    return step


def middleware(recording: Recording, call: Arguments) -> Observer:
    """A middleware, with all within it; the innermost is the bot."""
    all_middleware, index = call["self"]._middleware, call["next_middleware_index"]
    is_bot = index == len(all_middleware)
    name = BOT if is_bot else type(all_middleware[index]).__name__
    yield from _timed(recording, name)


def _timed(recording: Recording, name: str, min_ms: float = 0.0) -> Observer:
    turn, parent = current_turn(), _current.get()
    token = _current.set(name)
    at, started = time.time(), time.perf_counter()
    outcome = yield
    ms = round((time.perf_counter() - started) * 1000, 3)
    _current.reset(token)
    if turn is not None and ms >= min_ms:
        error = type(outcome.error).__name__ if outcome.error else None
        recording.report("span", turn, at=at, name=name, ms=ms, parent=parent, error=error)
