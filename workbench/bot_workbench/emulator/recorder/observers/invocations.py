"""Invocations: where a turn, or the run of another function, starts and ends.

azure-functions-runtime, the library of Azure's Python worker, runs each invocation.
"""

import json
import re
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from bot_workbench.emulator.recorder.interception import Arguments, Observer
from bot_workbench.emulator.recorder.observers.failures import (
    is_not_final,
    place_in,
    summary,
    tracebacks,
)
from bot_workbench.emulator.recorder.recording import Recording
from bot_workbench.emulator.recorder.shown import shown, shown_text
from bot_workbench.emulator.recorder.turn import (
    CHANNEL,
    FUNCTION,
    RecordedTurn,
    current_turn,
    new_turn_id,
    trace_id,
    within,
)

MESSAGES, SKILLS, NOTIFICATIONS = "messages", "skills", "notifications"
NO_TURNS = frozenset({"health", "identity", "turns"})
"""Functions of the base that are no turn; `turns` runs stored ones, each of which is one."""

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_ERROR_LINE = re.compile(r"[A-Za-z_][\w.]*(?::|$)")

DONE, FAILED, WAITS = "done", "failed", "queued"
ACCEPTED = 202


def invocation(recording: Recording, call: Arguments) -> Observer:
    """An invocation of any function."""
    request = call["request"].request.invocation_request
    turn = _turn_of(request)
    if turn.function in NO_TURNS:
        return
    _report_start(recording, turn, request, _http(request))
    with within(turn):
        outcome = yield
    _report_end(recording, turn, outcome.result)


def turn_here() -> RecordedTurn | None:
    """The turn that the running code belongs to; None: it belongs to none.

    While turns are not recorded in detail, invocations are not observed. Then the invocation is
    looked for among the frames that wait for this call: only what fails or is queued needs it.
    """
    if turn := current_turn():
        return turn
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "invocation_request" and "invoc_request" in frame.f_locals:
            turn = _turn_of(frame.f_locals["invoc_request"])
            return None if turn.function in NO_TURNS else turn
        frame = frame.f_back
    return None


def _turn_of(request: Any) -> RecordedTurn:
    """The turn of an invocation."""
    name, http = _function_name(request.function_id), _http(request)
    headers = http.headers if http else {}
    own_id = trace_id(headers.get("traceparent")) or trace_id(request.trace_context.trace_parent)
    return RecordedTurn(own_id or new_turn_id(), CHANNEL if name == MESSAGES else FUNCTION, name)


def turn_ended(recording: Recording, turn: RecordedTurn, outcome: str, **fields: Any) -> None:
    """Report that a turn has ended."""
    recording.report(
        "turn_ended", turn, ms=turn.ms, outcome=outcome, error=turn.error or None, **fields
    )


def refusal(recording: Recording, call: Arguments) -> Observer:
    """The answer to a caller that the base refuses, with an error that a turn ends with."""
    turn = turn_here()
    if turn is None or turn.error:
        return
    turn.error = summary(call["error"])
    if turn is not current_turn():
        turn_ended(recording, turn, FAILED)
    yield


def failure(recording: Recording, call: Arguments) -> Observer:
    """The adapter's policies for errors in a turn: `handle_error` and the others."""
    error = call["error"]
    is_raised = (yield).result
    turn = turn_here()
    if turn is None or turn.error or (is_raised and is_not_final(error)):
        return
    turn.error = summary(error)
    if turn is not current_turn():
        turn_ended(recording, turn, FAILED)
    elif recording.is_detailed:
        recording.report("error", turn, **tracebacks(error, call["context"].activity))


def _report_start(recording: Recording, turn: RecordedTurn, request: Any, http: Any | None) -> None:
    content = shown(_body(http.body if http else _trigger_data(request)))
    activity = content if turn.function in {MESSAGES, SKILLS} else None
    recording.report(
        "turn_started",
        turn,
        at=turn.started_at,
        kind=turn.kind,
        function=turn.function,
        activity=activity if isinstance(activity, Mapping) else None,
        input=None if turn.kind == CHANNEL else content,
    )


def _report_end(recording: Recording, turn: RecordedTurn, response: Any) -> None:
    status, body = None, b""
    if response.result.status != _library().protos.StatusResult.Success:
        _report_failure(recording, turn, response.result.exception)
    value = getattr(response, "return_value", None)  # one that failed may have none
    if value is not None and value.WhichOneof("data") == "http":
        status, body = int(value.http.status_code), _body(value.http.body)
    outcome = FAILED if turn.error else WAITS if status == ACCEPTED else DONE
    turn_ended(recording, turn, outcome, status=status, response=shown(body))


def _report_failure(recording: Recording, turn: RecordedTurn, fault: Any) -> None:
    """Report what a function has raised, of which the worker keeps the trace."""
    trace = str(getattr(fault, "stack_trace", "") or fault.message).rstrip()
    lines = trace.splitlines() or ["the function failed"]
    text = next((line for line in reversed(lines) if _ERROR_LINE.match(line)), lines[-1])
    where = place_in((file, int(line)) for file, line in _FRAME.findall(trace))
    turn.error = turn.error or f"{where} {text.partition(':')[0]}".strip()
    recording.report(
        "error", turn, text=text, where=where, traceback=shown_text(trace), redacted=None
    )


def _function_name(function_id: str) -> str:
    name: str = _library()._functions.get_function(function_id).name
    return name


def _library() -> Any:
    return sys.modules["azure_functions_runtime.handle_event"]


def _http(request: Any) -> Any | None:
    data = _trigger_data(request)
    return data.http if data is not None and data.WhichOneof("data") == "http" else None


def _trigger_data(request: Any) -> Any:
    return next((each.data for each in request.input_data), None)


def _body(data: Any) -> bytes:
    """The bytes in a `TypedData`."""
    if data is None or (kind := data.WhichOneof("data")) is None:
        return b""
    content = getattr(data, kind)
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else json.dumps(str(content)).encode()
