"""RecordedTurn: the turn, or the run of a function, that the running code belongs to."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

CHANNEL, QUEUED, PROACTIVE, FUNCTION = "channel", "queued", "proactive", "function"
"""What starts a turn: the channel's request, a stored activity, the bot itself; or no turn, but a
function of the user's own."""


@dataclass
class RecordedTurn:
    """One row of the inspector.

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


def trace_parent_of(turn: RecordedTurn) -> str:
    """A `traceparent` within a turn's trace."""
    return f"00-{turn.id}-{secrets.token_hex(8)}-01"
