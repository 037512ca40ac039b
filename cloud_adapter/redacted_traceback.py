"""The redacted traceback: what the log says of a failed turn, without what the user sent."""

import itertools
import re
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any

from cloud_adapter.redaction import CUT, redacted

MAX_ERRORS = 8
"""Errors that are shown of a chain or a group."""

MAX_FRAMES = 50
"""Frames that are shown of one error."""

MAX_ERROR_BYTES = 8 * 1024
"""Bytes of one error, frames included."""

MAX_TEXT, MAX_TEXTS = 2_000, 4_000
"""Characters of one error's text, and of the texts of all errors together."""

BOT = "bot_logic"
"""The package whose frames are shown first."""

Frame = tuple[FrameType, int]

_HEADINGS_BYTES = 128
_LAST_WORD = re.compile(r"[\w\\%]*\Z")


def redacted_traceback(error: BaseException, activity: Any, *, redact: bool = True) -> str:
    """The frames and texts of an error and of the errors that led to it, the oldest first.

    Source lines of frames are code, and are kept. The line that a SyntaxError quotes is left out,
    because it may be the user's.

    Args:
        error: as caught.
        activity: the turn's activity; what came with it is replaced in the errors' texts and notes.
        redact: False on a developer's machine, where nothing is replaced.
    """
    errors, left_out = _chain(error)
    most = min(MAX_TEXT, MAX_TEXTS // len(errors))
    texts = [_cut(_text(each), most) for each in errors]
    shown = redacted(texts, activity) if redact else texts
    described = [_described(each, text) for each, text in zip(errors, shown, strict=True)]
    if left_out:
        described.insert(0, f"({left_out} more errors)")
    return "\nwhich led to:\n".join(described)


def _chain(error: BaseException) -> tuple[list[BaseException], int]:
    """An error and those that led to it, the oldest first; and the number of those left out."""
    found: dict[int, BaseException] = {}
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if id(each) in found:
            continue  # `raise error from error` is its own cause
        found[id(each)] = each
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        if cause is not None:
            waiting.append(cause)
    errors = list(found.values())[:MAX_ERRORS]
    return errors[::-1], len(found) - len(errors)


def _text(error: BaseException) -> str:
    notes = getattr(error, "__notes__", None)
    try:
        lines = [error, *notes] if isinstance(notes, list) else [error]
        return "\n".join(str(each) for each in lines)
    except Exception:  # noqa: BLE001  # the bot's own error class may raise anything in __str__
        return "(it has no text)"


def _cut(text: str, most: int) -> str:
    """The beginning of a text, without a word that the cut would split."""
    return text if len(text) <= most else _LAST_WORD.sub("", text[:most]) + CUT


def _described(error: BaseException, text: str) -> str:
    """One error, with its frames.

    Further lines of its text are indented, so that the last line without indent names the error.
    """
    name = f"{type(error).__name__}: {text}".replace("\n", "\n    ")
    name = _in_bytes(name, MAX_ERROR_BYTES // 2)
    room = MAX_ERROR_BYTES - len(name.encode(errors="replace")) - _HEADINGS_BYTES
    return "".join((*_frames(error, room), name))


def _in_bytes(text: str, most: int) -> str:
    return text.encode(errors="replace")[:most].decode(errors="ignore")


def _frames(error: BaseException, room: int) -> list[str]:
    """An error's frames: the bot's own first, then the others, both in the order of the calls.

    As many are shown as fit into `room` bytes, those closest to where the error was raised.
    """
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [each for each in frames if _is_own(each)]
    others = [each for each in frames if not _is_own(each)]
    shown, room = _closest(own, MAX_FRAMES, room)
    more, _ = _closest(others, MAX_FRAMES - len(shown), room)
    if shown and more:
        shown = ["The bot's own code:\n", *shown, "Other frames:\n", *more]
    return shown or more


def _is_own(frame: Frame) -> bool:
    module = frame[0].f_globals.get("__name__")
    return isinstance(module, str) and module.partition(".")[0] == BOT


def _closest(frames: Sequence[Frame], most: int, room: int) -> tuple[list[str], int]:
    """The last frames, after the number of those left out; and the bytes that are left."""
    lines: list[str] = []
    left_out = len(frames)
    for _, alike in itertools.groupby(reversed(frames), lambda each: (each[0].f_code, each[1])):
        same = list(alike)
        [line] = traceback.StackSummary.extract(iter(same[:1])).format()
        if len(same) > 1:
            line += f"  (the same {len(same) - 1} more times)\n"
        size = len(line.encode(errors="replace"))
        if len(lines) == most or size > room:
            break
        lines.append(line)
        left_out -= len(same)
        room -= size
    if left_out:
        lines.append(f"  ({left_out} more frames)\n")
    return lines[::-1], room
