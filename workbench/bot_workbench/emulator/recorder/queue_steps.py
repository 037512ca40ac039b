"""Queue steps: the way of an activity that is answered 202, and whose turn runs later.

The id of its turn travels with the stored activity, as the trace context does with telemetry: a
process that is started later continues the row.
"""

import json
import secrets
import sys
import time
from collections import OrderedDict
from contextvars import ContextVar
from typing import Any

from bot_workbench.emulator.recorder.recording import (
    QUEUED,
    Facts,
    RecordedTurn,
    Recording,
    Watching,
    current_turn,
    new_turn_id,
    trace_id,
    within,
)
from bot_workbench.emulator.recorder.turns import (
    DONE,
    FAILED,
    WAITS,
    summary,
    turn_ended,
)

TURNS, POISON = "bot-turns", "bot-turns-poison"
"""The queues of wake-up messages."""

MAX_KNOWN = 1000

_known: OrderedDict[str, str] = OrderedDict()
"""The turn ids of stored activities, by the activities' ids in their inboxes."""

_enqueued: ContextVar[RecordedTurn | None] = ContextVar("enqueued_turn", default=None)
"""The turn of the activity that is being stored."""

_deliveries: ContextVar[int] = ContextVar("wake_up_deliveries", default=0)
"""The deliveries so far of the message that the invocation handles; 0: there is none."""

_number: ContextVar[int] = ContextVar("attempt_number", default=0)
"""Which attempt at a turn it is, from 1; 0: it is not known."""

ATTEMPTS = {
    "NOT_LAST": "attempt",
    "LAST": "last attempt",
    "WITHOUT_BOT": "no attempt is left, so the bot's code does not run",
}
"""The names of attempts in words."""


def enqueuing(recording: Recording, call: Facts) -> Watching:
    """An activity is stored; its turn's id is stored with it, see `trace_parent`."""
    turn = current_turn()
    if turn is None:
        return
    activity_id = sys.modules["cloud_adapter.state.turn"].turn_id(call["activity"])
    _remember(activity_id, turn.id)
    started, token = time.perf_counter(), _enqueued.set(turn)
    outcome = yield
    _enqueued.reset(token)
    if outcome.error is None:
        _report(recording, turn, "enqueued", activity_id, started)


def trace_parent() -> str:
    """A `traceparent` in the trace of the turn whose activity is being stored; else empty."""
    turn = _enqueued.get()
    return f"00-{turn.id}-{secrets.token_hex(8)}-01" if turn else ""


def putting(recording: Recording, call: Facts) -> Watching:
    """A message is put into a queue: it names activities, or one that was set aside."""
    queue = call["self"].name
    if queue not in {TURNS, POISON}:
        return
    started = time.perf_counter()
    outcome = yield
    if outcome.error is not None:
        return
    message, delay = json.loads(call["text"]), call["delay"]
    set_aside = message.get("activity", "").partition("/")[2]
    later = f"visible in {delay:g} s" if delay else ""
    for activity_id in message.get("activities", ()):
        _report_of(recording, activity_id, "wake_up", later, started)
    if set_aside and queue == POISON:
        _report_of(recording, set_aside, "dead_letter", f"a message in {POISON}", started)
    elif set_aside:
        _report_of(recording, set_aside, "requeued", later, started)


def message_handling(_: Recording, call: Facts) -> Watching:
    """An invocation for a wake-up message."""
    token = _deliveries.set(call["message"].dequeue_count)
    yield
    _deliveries.reset(token)


def attempting(_: Recording, call: Facts) -> Watching:
    """An attempt at the turn of a stored activity."""
    token = _number.set(call["stored"].attempts + 1)
    yield
    _number.reset(token)


def counting(recording: Recording, call: Facts) -> Watching:
    """An activity is set aside, and an attempt at it is counted."""
    stored, started = call["stored"], time.perf_counter()
    outcome = yield
    if outcome.error is None:
        text = f"attempts so far: {stored.attempts + 1}"
        _report(recording, _turn_of(stored), "set_aside", text, started)


def dead_lettering(recording: Recording, call: Facts) -> Watching:
    """An activity gets no further attempt."""
    stored, started = call["stored"], time.perf_counter()
    outcome = yield
    if outcome.error is None:
        reason = call["failure"].rstrip().rpartition("\n")[2]
        _report(recording, _turn_of(stored), "dead_letter", reason, started)


def stored_turn(recording: Recording, call: Facts) -> Watching:
    """The turn of a stored activity."""
    accepted, attempt = call["accepted"], call["attempt"]
    activity_id = sys.modules["cloud_adapter.state.turn"].turn_id(accepted.activity)
    own_id = trace_id(accepted.trace_parent) or _known.get(activity_id) or new_turn_id()
    turn = RecordedTurn(own_id, QUEUED, "turns")
    waited = max(0.0, time.time() - accepted.accepted_at / 1e9) if accepted.accepted_at else 0.0
    _report_start(recording, turn, accepted.activity, _attempt_text(attempt.name), waited)
    with within(turn):
        outcome = yield
    error = outcome.error
    repeated = type(error).__name__ == "TurnRepeated"
    if error is not None and not repeated and not turn.error:
        turn.error = summary(error)
    is_tried_again = error is not None and not repeated and _is_tried_again(error, attempt)
    result = WAITS if is_tried_again else FAILED if turn.error else DONE
    turn_ended(recording, turn, result)


def _report_start(
    recording: Recording, turn: RecordedTurn, activity: Any, attempt: str, waited: float
) -> None:
    recording.report(
        "turn_started",
        turn,
        at=turn.started_at,
        kind=QUEUED,
        function=turn.function,
        activity=sys.modules["cloud_adapter.codec"].write_value(activity),
        conversation=activity.conversation.id,
        attempt=attempt,
    )
    deliveries = _deliveries.get()
    again = f"; the wake-up message was delivered {deliveries} times" if deliveries > 1 else ""
    waited_ms = round(waited * 1000, 3)
    recording.report("queue", turn, step="drain", detail=attempt + again, ms=waited_ms)


def _attempt_text(name: str) -> str:
    number = _number.get()
    return f"{ATTEMPTS[name]} {number}" if number and name == "NOT_LAST" else ATTEMPTS[name]


def _is_tried_again(error: BaseException, attempt: Any) -> bool:
    unavailable = any(each.__name__ == "Unavailable" for each in type(error).__mro__)
    return unavailable or attempt.name == "NOT_LAST"


def _turn_of(stored: Any) -> RecordedTurn:
    """The turn of a stored activity, which runs or ran elsewhere."""
    try:
        trace_parent = str(json.loads(stored.content).get("trace", ""))
    except (ValueError, AttributeError):
        trace_parent = ""
    own_id = trace_id(trace_parent) or _known.get(stored.id) or new_turn_id()
    return RecordedTurn(own_id, QUEUED)


def _remember(activity_id: str, turn_id: str) -> None:
    _known[activity_id] = turn_id
    if len(_known) > MAX_KNOWN:
        _known.popitem(last=False)


def _report_of(
    recording: Recording, activity_id: str, step: str, detail: str, started: float
) -> None:
    if own_id := _known.get(activity_id):
        _report(recording, RecordedTurn(own_id, QUEUED), step, detail, started)


def _report(
    recording: Recording, turn: RecordedTurn, step: str, detail: str, started: float
) -> None:
    ms = round((time.perf_counter() - started) * 1000, 3)
    recording.report("queue", turn, step=step, detail=detail, ms=ms)
