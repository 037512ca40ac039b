"""Failures: what is reported of turns in which the bot's code raised."""

import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot_workbench.emulator.recorder.shown import shown_text

BOT = "bot_logic"
"""The package of the bot's own code."""

HERE = Path.cwd()
"""The working folder, before the worker changes it to the app's."""


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
    """What is reported of an error: text, place, traceback, and what Azure's log has."""
    redacted = sys.modules["cloud_adapter.redaction"].redacted_traceback
    return {
        "text": shown_text(f"{type(error).__name__}: {error}"),
        "where": place_of(error),
        "traceback": shown_text("".join(traceback.format_exception(error))),
        "redacted": shown_text(redacted(error, activity, redact=True)),
    }
