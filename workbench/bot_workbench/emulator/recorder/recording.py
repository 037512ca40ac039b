"""Recording: turns, and the events that observers report of them to the local cloud."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

log = logging.getLogger("bot_workbench.emulator.recorder")

_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

CHANNEL, QUEUED, PROACTIVE, FUNCTION = "channel", "queued", "proactive", "function"
"""The start of a turn: the channel's request, a stored activity, the bot itself; or no turn, but a
function of the user's own."""


@dataclass
class RecordedTurn:
    """A turn, or the run of a function: one row of the inspector.

    Attributes:
        id: 32 hex digits: the trace id of the delivery that brought the activity.
        kind: CHANNEL, QUEUED, PROACTIVE or FUNCTION.
        function: the name of the function that runs it.
        parent: the id of the turn within which it runs; None: there is none.
        error: what failed, in a line without what users wrote; empty: nothing has.
        notes: what has been reported of it once, and is not reported again.
        started_at: seconds since the epoch.
    """

    id: str
    kind: str
    function: str = ""
    parent: str | None = None
    error: str = ""
    notes: set[str] = field(default_factory=set)
    started_at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.perf_counter)

    @property
    def ms(self) -> float:
        """Milliseconds since it started."""
        return round((time.perf_counter() - self.started) * 1000, 3)


_current: ContextVar[RecordedTurn | None] = ContextVar("recorded_turn", default=None)


def current_turn() -> RecordedTurn | None:
    """The turn that the running code belongs to; None: it belongs to none."""
    return _current.get()


@contextmanager
def within(turn: RecordedTurn | None) -> Iterator[None]:
    """The block belongs to a turn, and so do the tasks and callbacks that it starts."""
    token = _current.set(turn)
    try:
        yield
    finally:
        _current.reset(token)


def trace_id(trace_parent: str | None) -> str:
    """The trace id in a `traceparent` (W3C Trace Context); empty: it is not valid."""
    found = _TRACE_PARENT.fullmatch(trace_parent or "")
    return found["trace"] if found else ""


def new_turn_id() -> str:
    """The id of a turn that no delivery has named."""
    return secrets.token_hex(16)


class Outcome(NamedTuple):
    """The end of a call: its result, or what it has raised."""

    result: Any = None
    error: BaseException | None = None


Facts = Mapping[str, Any]
"""A call's arguments by parameter name, `self` included."""

Watching = Generator[None, Outcome]
"""Watches one call: runs to its `yield` before the function does, and gets the outcome there. One
that ends before has nothing to watch."""

Observe = Callable[["Recording", Facts], Watching]

Ended = Callable[[Any, BaseException | None], None]
Watch = Callable[[Facts], Ended | None]
"""See the app's `http_client.observer`, which is not imported: an app may lack it."""

_NOTHING = object()


class Recording:
    """Sends events.

    Args:
        send: takes an event for the feed.
    """

    def __init__(self, send: Callable[[Mapping[str, Any]], None]) -> None:
        self._send = send
        self._has_failed = False

    def report(self, event: str, turn: RecordedTurn | None, **fields: Any) -> None:
        """Report an event of a turn; a field `at` replaces the current time."""
        head = {"event": event, "turn": turn and turn.id, "at": time.time()}
        self._send({**head, **fields})

    def watch(self, observe: Observe) -> Watch:
        """Watch a moment with a generator for each call."""

        def begin(facts: Facts) -> Ended | None:
            watching = observe(self, facts)

            def ended(result: Any, error: BaseException | None) -> None:
                with self.guarded(), suppress(StopIteration):
                    watching.send(Outcome(result, error))

            with self.guarded():
                return None if next(watching, _NOTHING) is _NOTHING else ended
            return None

        return begin

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Let no fault of the recorder reach the bot; the first one is logged."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # the bot must run on, whatever it is
            if not self._has_failed:
                self._has_failed = True
                log.warning(
                    "The inspector could not record something: %s: %s", type(error).__name__, error
                )
