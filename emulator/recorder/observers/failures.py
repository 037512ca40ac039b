"""Failures: the tracebacks of turns in which the bot's code raised."""

import sys
import traceback
from pathlib import Path
from typing import Any

from emulator.recorder.interception import Arguments, Observer
from emulator.recorder.recording import Recording
from emulator.recorder.shown import shown_text
from emulator.recorder.turn import current_turn

BOT = "bot_logic"
"""The package of the bot's own code."""


def failure(recording: Recording, call: Arguments) -> Observer:
    """The adapter's policies for errors in a turn: `handle_error` and the others."""
    error = call["error"]
    is_raised = (yield).result
    turn = current_turn()
    if turn is None or turn.error or (is_raised and isinstance(error, _not_final())):
        return
    turn.error = summary(error)
    if recording.is_detailed:
        recording.report("error", turn, **_tracebacks(error, call["context"].activity))


def summary(error: BaseException) -> str:
    """An error in a line: where the bot's own code raised it, and its class.

    Its text may quote the user, unless the base has raised it.
    """
    kind = type(error).__name__
    if any(each.__module__ == "auth.errors" for each in type(error).__mro__):
        kind = f"{kind}: {error}"
    return f"{place_of(error)} {kind}".strip()


def place_of(error: BaseException) -> str:
    """The bot's last line on the way to an error, as `FILE:LINE`; empty: there is none."""
    package = sys.modules.get(BOT)
    folders = [Path(each).resolve() for each in package.__path__] if package else []
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = Path(frame.f_code.co_filename)
        if any(folder in file.parents for folder in folders):
            own = next(folder for folder in folders if folder in file.parents)
            found = f"{BOT}/{file.relative_to(own).as_posix()}:{line}"
    return found


def _not_final() -> tuple[type[BaseException], ...]:
    """Errors after which the turn runs again, or has run before, if the policy raises them."""
    kinds: tuple[type[BaseException], ...] = sys.modules["cloud_adapter.adapter"].NOT_FINAL
    return kinds


def _tracebacks(error: BaseException, activity: Any) -> dict[str, str]:
    redacted = sys.modules["cloud_adapter.redacted_traceback"].redacted_traceback
    return {
        "text": shown_text(f"{type(error).__name__}: {error}"),
        "where": place_of(error),
        "traceback": shown_text("".join(traceback.format_exception(error))),
        "redacted": redacted(error, activity, redact=True),
    }
