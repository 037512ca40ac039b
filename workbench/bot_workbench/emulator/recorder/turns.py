"""Turns: where one starts, fails and ends; so with the run of a function of the user's own."""

import json
import re
import sys
import traceback
from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bot_workbench.emulator.recorder.preview import preview, text_preview
from bot_workbench.emulator.recorder.recording import (
    CHANNEL,
    FUNCTION,
    PROACTIVE,
    Facts,
    RecordedTurn,
    Recording,
    Watching,
    current_turn,
    new_turn_id,
    trace_id,
    within,
)

MESSAGES, SKILLS = "messages", "skills"
NO_TURNS = frozenset({"health", "identity", "turns"})
"""Functions of the base that are no turn; `turns` runs stored ones, each of which is one."""

DONE, FAILED, WAITS = "done", "failed", "queued"
ACCEPTED = 202

BOT = "bot_logic"
"""The package of the bot's own code."""

HERE = Path.cwd()
"""The working folder, before the worker changes it to the app's."""

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_ERROR_LINE = re.compile(r"[A-Za-z_][\w.]*(?::|$)")


async def invoke(
    recording: Recording, function: str, data: Any, trace_parent: str, run: Awaitable[Any]
) -> Any:
    """Await an invocation, which is a turn unless it is one of NO_TURNS, and return its response.

    Args:
        data: the `TypedData` that its trigger received.
        trace_parent: its `traceparent` (W3C Trace Context); empty: it has none.
    """
    if function in NO_TURNS:
        return await run
    kind = CHANNEL if function == MESSAGES else FUNCTION
    turn = RecordedTurn(trace_id(trace_parent) or new_turn_id(), kind, function)
    with recording.guarded():
        is_http = data.WhichOneof("data") == "http"
        _report_start(recording, turn, _body(data.http.body if is_http else data))
    with within(turn):
        response = await run
    with recording.guarded():
        _report_end(recording, turn, response)
    return response


def turn_ended(recording: Recording, turn: RecordedTurn, outcome: str, **fields: Any) -> None:
    """Report that a turn has ended."""
    recording.report(
        "turn_ended", turn, ms=turn.ms, outcome=outcome, error=turn.error or None, **fields
    )


def refusal(_: Recording, call: Facts) -> Watching:
    """The answer to a caller that the base refuses, with an error that a turn ends with."""
    turn = current_turn()
    if turn is not None and not turn.error:
        turn.error = summary(call["error"])
    yield


def failure(recording: Recording, call: Facts) -> Watching:
    """The adapter's policies for errors in a turn: `handle_error` and the others."""
    error = call["error"]
    is_raised = (yield).result
    turn = current_turn()
    if turn is None or turn.error or (is_raised and is_not_final(error)):
        return
    turn.error = summary(error)
    recording.report("error", turn, **tracebacks(error, call["context"].activity))


def blocking(recording: Recording, call: Facts) -> Watching:
    """A block of the event loop: from when the log names the bot's line until it ends."""
    task = call["task"]
    turn = task.get_context().copy().run(current_turn) if task else None
    recording.report("blocked", turn, place=call["place"])
    yield
    recording.report("blocked", turn, place="")


def proactive_message(recording: Recording, call: Facts) -> Watching:
    """A notification's message, or another in a known conversation: `send_proactively`."""
    yield from _proactive(recording, call["reference"])


def proactive_turn(recording: Recording, call: Facts) -> Watching:
    """A turn that the bot's code starts: `continue_conversation` or `create_conversation`."""
    yield from _proactive(recording, call["context"].activity)


def _proactive(recording: Recording, model: Any) -> Watching:
    """A turn in the conversation that an Activity or a ConversationReference names."""
    outer = current_turn()
    turn = RecordedTurn(
        new_turn_id(), PROACTIVE, outer.function if outer else "", outer.id if outer else None
    )
    written = sys.modules["cloud_adapter.codec"].write_value(model)
    recording.report(
        "turn_started",
        turn,
        at=turn.started_at,
        kind=PROACTIVE,
        function=turn.function,
        parent=turn.parent,
        activity={"type": "event", "name": "ContinueConversation", **written},
        conversation=model.conversation.id,
    )
    with within(turn):
        outcome = yield
    if outcome.error is not None and not turn.error:
        turn.error = summary(outcome.error)
    turn_ended(recording, turn, FAILED if turn.error else DONE)


def _report_start(recording: Recording, turn: RecordedTurn, body: bytes) -> None:
    content = preview(body)
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
    if fault := getattr(response.result, "exception", None):
        _report_fault(recording, turn, fault)
    value = getattr(response, "return_value", None)  # one that failed may have none
    if value is not None and value.WhichOneof("data") == "http":
        status, body = int(value.http.status_code), _body(value.http.body)
    outcome = FAILED if turn.error else WAITS if status == ACCEPTED else DONE
    turn_ended(recording, turn, outcome, status=status, response=preview(body))


def _report_fault(recording: Recording, turn: RecordedTurn, fault: Any) -> None:
    """Report what a function has raised, of which the worker keeps the trace."""
    trace = str(getattr(fault, "stack_trace", "") or fault.message).rstrip()
    lines = trace.splitlines() or ["the function failed"]
    text = next((line for line in reversed(lines) if _ERROR_LINE.match(line)), lines[-1])
    where = place_in((file, int(line)) for file, line in _FRAME.findall(trace))
    turn.error = turn.error or f"{where} {text.partition(':')[0]}".strip()
    recording.report(
        "error", turn, text=text, where=where, traceback=text_preview(trace), redacted=None
    )


def _body(data: Any) -> bytes:
    """The bytes in a `TypedData`."""
    if (kind := data.WhichOneof("data")) is None:
        return b""
    content = getattr(data, kind)
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else json.dumps(str(content)).encode()


def summary(error: BaseException) -> str:
    """An error in a line: where the bot's own code raised it, and its class.

    Its text may quote the user, unless the base has raised it.
    """
    kind = type(error).__name__
    if any(each.__module__ == "auth.errors" for each in type(error).__mro__):
        kind = f"{kind}: {error}"
    return f"{place_of(error)} {kind}".strip()


def place_of(error: BaseException) -> str:
    """The bot's last line on the way to an error, as `place_in` names it."""
    frames = traceback.walk_tb(error.__traceback__)
    return place_in((frame.f_code.co_filename, line) for frame, line in frames)


def place_in(frames: Iterable[tuple[str, int]]) -> str:
    """The bot's last line among those of frames, as `FILE:LINE`; empty: there is none.

    The file is named from the working folder, else from the one that contains the bot's folder.
    """
    package = sys.modules.get(BOT)
    folders = [Path(each).resolve() for each in package.__path__] if package else []
    found = ""
    for name, line in frames:
        file = Path(name)
        for folder in folders:
            if file.is_relative_to(folder):
                base = HERE if file.is_relative_to(HERE) else folder.parent
                found = f"{file.relative_to(base).as_posix()}:{line}"
    return found


def is_not_final(error: BaseException) -> bool:
    """Whether the turn runs again after an error, or has run before, if the policy raises it."""
    kinds: tuple[type[BaseException], ...] = sys.modules["cloud_adapter.adapter"].NOT_FINAL
    return isinstance(error, kinds)


def tracebacks(error: BaseException, activity: Any) -> dict[str, str]:
    """The report of an error: its text, place and traceback, and the text in Azure's log."""
    redacted = sys.modules["cloud_adapter.redaction"].redacted_traceback
    return {
        "text": text_preview(f"{type(error).__name__}: {error}"),
        "where": place_of(error),
        "traceback": text_preview("".join(traceback.format_exception(error))),
        "redacted": text_preview(redacted(error, activity, redact=True)),
    }
