"""The redacted traceback of a failed turn, for the log, without what the user sent."""

import itertools
import os
import re
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any

from cloud_adapter.redaction import CUT_MARK, redacted
from cloud_adapter.state.objects.bot_classes import PACKAGE

MAX_ERRORS = 8
"""How many errors of a chain or group are shown."""

MAX_FRAMES = 50
"""How many frames of one error are shown."""

MAX_ERROR_BYTES = 8 * 1024
"""The size limit of one error, frames included."""

MAX_TEXT_LENGTH, MAX_TOTAL_LENGTH = 2_000, 4_000
"""The number of characters that are shown of one error's text, and of all errors' texts."""

HEADER = "Traceback (most recent call last):\n"
"""As Python's, so that editors and log viewers find the files and lines under it."""

OTHER_FRAMES = "Other frames:\n"
"""Comes after the frames of the bot's own code."""

Frame = tuple[FrameType, int]
"""A frame and its line number."""

_HEADINGS_BYTES = 128
_LAST_WORD = re.compile(r"[\w\\%]*\Z")


def redacted_traceback(error: BaseException, activity: Any, *, redact: bool = True) -> str:
    """The frames and texts of an error and of the errors that led to it, oldest first.

    Frames show source code, which is not redacted. The line that a SyntaxError quotes is left out,
    because the user may have sent it.

    Args:
        error: the error as caught.
        activity: the turn's activity; its strings are replaced in the errors' texts and notes.
        redact: whether to redact; False on a developer's machine.
    """
    errors, omitted = _chain(error)
    max_length = min(MAX_TEXT_LENGTH, MAX_TOTAL_LENGTH // len(errors))
    texts = [_cut(_text(each), max_length) for each in errors]
    if redact:
        texts = redacted(texts, activity)
    parts = [_formatted(each, text) for each, text in zip(errors, texts, strict=True)]
    if omitted:
        parts.insert(0, f"({omitted} more errors)")
    return "\nwhich led to:\n".join(parts)


def _chain(error: BaseException) -> tuple[list[BaseException], int]:
    """An error and those that led to it, oldest first; and the number of errors left out."""
    found: dict[int, BaseException] = {}
    pending = [error]
    while pending:
        each = pending.pop()
        if id(each) in found:
            continue  # `raise error from error` is its own cause
        found[id(each)] = each
        if isinstance(each, BaseExceptionGroup):
            pending.extend(each.exceptions)
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        if cause is not None:
            pending.append(cause)
    errors = list(found.values())[:MAX_ERRORS]
    return errors[::-1], len(found) - len(errors)


def _text(error: BaseException) -> str:
    """An error's text, and its notes."""
    notes = getattr(error, "__notes__", None)
    try:
        lines = [error, *notes] if isinstance(notes, list) else [error]
        return "\n".join(str(each) for each in lines)
    except Exception:  # noqa: BLE001  # the bot's own error class may raise anything in __str__
        return "(it has no text)"


def _cut(text: str, max_length: int) -> str:
    """The start of a text, without a word that the cut would split."""
    return text if len(text) <= max_length else _LAST_WORD.sub("", text[:max_length]) + CUT_MARK


def _formatted(error: BaseException, text: str) -> str:
    """One error, with its frames.

    Further lines of its text are indented, so that the last line without indent names the error.
    """
    summary = f"{type(error).__name__}: {text}".replace("\n", "\n    ").encode(errors="replace")
    summary = summary[: MAX_ERROR_BYTES // 2]
    frames = _frames(error, MAX_ERROR_BYTES - len(summary) - _HEADINGS_BYTES)
    return "".join((*frames, summary.decode(errors="ignore")))


def _frames(error: BaseException, max_bytes: int) -> list[str]:
    """An error's frames: the bot's own first, then the others, both in call order.

    The frames closest to the place where the error was raised are shown, within `max_bytes`.
    """
    frames = list(traceback.walk_tb(error.__traceback__))
    folders = _bot_folders()
    own = [each for each in frames if _file(each).startswith(folders)]
    others = [each for each in frames if not _file(each).startswith(folders)]
    shown, bytes_left = _closest(own, MAX_FRAMES, max_bytes)
    more, _ = _closest(others, MAX_FRAMES - len(shown), bytes_left)
    separator = [OTHER_FRAMES] if shown and more else []
    return [HEADER, *shown, *separator, *more] if frames else []


def _bot_folders() -> tuple[str, ...]:
    """The path prefixes of the bot's files; empty if no bot is imported."""
    package = sys.modules.get(PACKAGE)
    return tuple(f"{path}{os.sep}" for path in package.__path__) if package else ()


def _file(frame: Frame) -> str:
    return frame[0].f_code.co_filename


def _closest(frames: Sequence[Frame], max_frames: int, max_bytes: int) -> tuple[list[str], int]:
    """The last frames as text, preceded by how many are left out; and the bytes still available."""
    lines: list[str] = []
    omitted = len(frames)
    for _, run in itertools.groupby(reversed(frames), lambda each: (each[0].f_code, each[1])):
        same = list(run)
        [line] = traceback.StackSummary.extract(iter(same[:1])).format()
        if len(same) > 1:
            line += f"  (the same {len(same) - 1} more times)\n"
        size = len(line.encode(errors="replace"))
        if len(lines) == max_frames or size > max_bytes:
            break
        lines.append(line)
        omitted -= len(same)
        max_bytes -= size
    if omitted:
        lines.append(f"  ({omitted} more frames)\n")
    return lines[::-1], max_bytes
