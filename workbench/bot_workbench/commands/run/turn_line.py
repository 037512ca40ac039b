"""The terminal's line about a turn: what it was and how it ended, without what users wrote."""

import time

from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_progress import FAILED, QUEUED

MAX_NAME_LENGTH = 34

DIM, RED, YELLOW, NORMAL = "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[0m"

_COLORS = {FAILED: RED, QUEUED: YELLOW}
_KINDS = {"proactive": "proactive ", "function": "function "}


def turn_line(turn: Turn, *, colors: bool) -> str:
    """The line.

    Args:
        turn: one that has ended, or waits in the queue.
        colors: whether the line may have colors.
    """
    at = time.strftime("%H:%M:%S", time.localtime(turn.at))
    took = "" if turn.ms is None else f"{turn.ms:.0f} ms"
    columns = f"{_name(turn):{MAX_NAME_LENGTH}}  {_length(turn):>18}"
    result = f"{_result(turn):>6}"
    rest = f"{took:>9}  {_calls(turn)}"
    note = turn.hint or turn.cause
    if not colors:
        return f"{at}  {columns}  {result}  {rest}  {note}".rstrip()
    color = _COLORS.get(turn.outcome, "")
    marked = f"{color}{result}{NORMAL}" if color else result
    return f"{DIM}{at}{NORMAL}  {columns}  {marked}  {rest}  {color}{note}{NORMAL}"


def rest_line(outcomes: dict[str, int]) -> str:
    """The line about turns that have none of their own, because there were too many.

    Args:
        outcomes: how many turns had which outcome.
    """
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return f"          {sum(outcomes.values())} more turns: {counts}"


def _name(turn: Turn) -> str:
    if turn.kind == "function":
        name = f"function {turn.function}"
    elif turn.type == "invoke":
        name = turn.name or "invoke"
    else:
        name = f"{_KINDS.get(turn.kind, '')}{turn.type or 'activity'} {turn.name}".rstrip()
    repeated = f"{name} (again)" if turn.replay_of else name
    printable = "".join(each if each.isprintable() else "?" for each in repeated)
    is_short = len(printable) <= MAX_NAME_LENGTH
    return printable if is_short else f"{printable[: MAX_NAME_LENGTH - 3]}..."


def _length(turn: Turn) -> str:
    if turn.text_length is None:
        return ""
    return f"{turn.text_length:,} character{'s'[: turn.text_length != 1]}"


def _result(turn: Turn) -> str:
    is_answer = turn.kind == "channel" and turn.status is not None
    hides_failure = turn.outcome == FAILED and (turn.status or 0) < 400
    return str(turn.status) if is_answer and not hides_failure else turn.outcome


def _calls(turn: Turn) -> str:
    if not turn.calls:
        return " " * 8
    return f"{turn.calls} call{'s'[: turn.calls != 1]}".ljust(8)
