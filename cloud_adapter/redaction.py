"""Redaction: removes the content of an activity from texts for the log, and from tracebacks.

Each string of the activity is replaced, and so is each word of a string; keys of free-form JSON and
numbers count as strings. A string must have at least four characters to be replaced; two are enough
if one is a digit, or in a script that writes names in two characters. Case does not matter, nor how
Python, JSON or a URL quotes a string. Inside a longer word, only strings of eight characters or
more are replaced: a user who says `29` must not make every `429` unreadable.

A text for the log is short, but an activity may have a megabyte. So the activity's strings are read
in chunks, and looked up in an index of the texts. If that would take too long, or if the bot has
put an object of another type into the activity, the texts are replaced as a whole.
"""

import contextlib
import itertools
import os
import re
import sys
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import FrameType, NoneType
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import UUID

from msrest.serialization import Model

from cloud_adapter.errors import NotRedactable
from cloud_adapter.state.objects.bot_classes import PACKAGE

REDACTED = "[redacted]"

CUT_MARK = "…"
"""The end of a text that was cut off. A string that is incomplete there is replaced too."""

MIN_LENGTH, MIN_SHORT_LENGTH, MIN_INNER_LENGTH = 4, 2, 8
"""The characters that a string needs to be replaced: in general; with a digit, or in a script that
writes names in two characters; inside a longer word."""

MAX_WORD_LENGTH = 64
"""The length in characters above which a word in an error's text is always replaced, because such a
word hardly belongs to the error itself."""

# \w does not match combining marks, without which Arabic, Hebrew, Hindi and Thai words are split.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[\w{_MARKS}]+")
# U+0E00 and above, negated: re takes 3 ms to compile a range up to U+10FFFF.
_UNSPACED = re.compile(r"[^\0-\u0dff]")
"""Includes scripts without spaces, such as Thai and Chinese, in which words may start anywhere."""


class Limits(NamedTuple):
    """Limits of the work, which hold for anything that a user sends.

    Attributes:
        characters: the number of characters in the texts, with each level of quoting.
        pieces: the number of words and parts of words in the texts.
        values: the number of values in the activity.
        comparisons: how often a string of the activity is compared with a place in the texts.
    """

    characters: int = 16_000
    pieces: int = 30_000
    values: int = 250_000
    comparisons: int = 100_000


_DEFAULT_LIMITS = Limits()


class _MappedText(NamedTuple):
    """A text made from an original.

    Attributes:
        text: the text.
        spans: for each character, the start and end in the original of what the character replaces.
    """

    text: str
    spans: list[tuple[int, int]]


def redacted(texts: Sequence[str], activity: Any, limits: Limits = _DEFAULT_LIMITS) -> list[str]:
    """The texts, with the content of an activity replaced.

    Args:
        texts: texts of a few thousand characters in total.
        activity: an Activity.
        limits: limits of the work; if they are exceeded, each text is replaced as a whole. So it is
            if the activity holds an object whose text is not known.
    """
    # From here on, the texts are one text, separated by NULs.
    text = "\0".join(each.replace("\0", "\N{REPLACEMENT CHARACTER}") for each in texts)
    try:
        hidden = _hidden(text, activity, limits)
    except NotRedactable:
        return [REDACTED for _ in texts]
    return _replaced(text, hidden).split("\0")


def _replaced(text: str, hidden: bytearray) -> str:
    """The redacted text; parts with only punctuation between them are replaced together."""
    parts: list[str] = []
    end = 0
    for run in re.finditer(rb"\x01+", hidden):
        between = text[end : run.start()]
        if not parts or "\0" in between or _WORD.search(between):
            parts += between, REDACTED
        end = run.end()
    return "".join((*parts, text[end:]))


def _hidden(text: str, activity: Any, limits: Limits) -> bytearray:
    """A byte for each character of a text: 1 if the character is to be replaced, else 0.

    Raises:
        NotRedactable: the search exceeds the limits, or the activity holds an unknown type.
    """
    readings = _readings(text)
    pieces = list(itertools.islice(_pieces(readings.text), limits.pieces))
    if len(readings.text) > limits.characters or len(pieces) == limits.pieces:
        raise NotRedactable("the texts are too long")
    words = {readings.text[start:end] for start, end in pieces}
    places, comparisons = _places(readings.text), 0
    hidden, found = bytearray(len(text)), set[str]()
    for chunk in _chunks(activity, limits.values, MAX_WORD_LENGTH):
        found |= words.intersection(_words(chunk))
        for string in _similar_strings(chunk, places):
            starts = places[string[:MIN_LENGTH]]
            for start in starts:
                if end := _match_end(string, readings.text, start):
                    _hide(hidden, readings, start, end)
            comparisons += len(starts)
            if comparisons > limits.comparisons:
                raise NotRedactable("the activity's strings are too similar to the texts")
    for start, end in pieces:
        if end - start > MAX_WORD_LENGTH or readings.text[start:end] in found:
            _hide(hidden, readings, start, end)
    return hidden


def _hide(hidden: bytearray, readings: _MappedText, start: int, end: int) -> None:
    first, last = readings.spans[start][0], readings.spans[end - 1][1]
    hidden[first:last] = b"\1" * (last - first)


_PART = re.compile(r"[^_]+")


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """The start and end of each word and of parts of words: any of these may be a user's word."""
    for word in _WORD.finditer(text):
        start, end = word.span()
        if end - start > MAX_WORD_LENGTH:
            yield start, end
            continue
        spans = [(start, end)]
        if "_" in word[0]:
            spans += [part.span() for part in _PART.finditer(text, start, end)]
        min_length = MIN_SHORT_LENGTH if _UNSPACED.search(word[0]) else MIN_INNER_LENGTH
        for length in range(min_length, end - start):
            spans += [(first, first + length) for first in range(start, end - length + 1)]
        yield from (span for span in spans if _is_long_enough(text[slice(*span)]))


_DISTINCTIVE = re.compile(r"\d|[^\0-\u0dff]")


def _is_long_enough(piece: str) -> bool:
    """Whether a piece is long enough to be replaced."""
    short = len(piece) >= MIN_SHORT_LENGTH and _DISTINCTIVE.search(piece)
    return len(piece) >= MIN_LENGTH or bool(short)


def _places(text: str) -> dict[str, list[int]]:
    """The places in the texts where a string may start, by the string's first characters."""
    found: dict[str, list[int]] = defaultdict(list)
    for start in range(len(text)):
        for length in range(MIN_SHORT_LENGTH, MIN_LENGTH + 1):
            prefix = text[start : start + length]
            if len(prefix) == length and _is_long_enough(prefix):
                found[prefix].append(start)
    return found


def _similar_strings(chunk: str, places: dict[str, list[int]]) -> list[str]:
    """The strings of a chunk whose first characters occur in the texts."""
    stripped = (each.strip() for each in chunk.split("\0"))
    return [each for each in stripped if each[:MIN_LENGTH] in places]


_INSIDE_WORD = re.compile(rf"(?:(?!_)[\w{_MARKS}]){{2}}")


def _match_end(string: str, text: str, start: int) -> int:
    """The end of a string that starts at `start` in the texts; 0 if it does not start there."""
    end = start + len(string)
    if not text.startswith(string, start):
        end = text.find("\0", start, end) - 1
        cut = end >= start + MIN_LENGTH and text[end] == CUT_MARK
        return end if cut and string.startswith(text[start:end]) else 0
    if len(string) >= MIN_INNER_LENGTH or _UNSPACED.search(string):
        return end
    inside = (start and _INSIDE_WORD.match(text, start - 1)) or _INSIDE_WORD.match(text, end - 1)
    return 0 if inside else end


def _words(chunk: str) -> Iterable[str]:
    words = _WORD.findall(chunk)
    return words + _WORD.findall(chunk.replace("_", " ")) if "_" in chunk else words


MAX_QUOTING_LEVELS = 3
"""The levels of quoting that are removed: a KeyError quotes its text, which may quote another."""


def _readings(original: str) -> _MappedText:
    """A text as it is, followed by the same text without each level of quoting; in lower case.

    Each of these readings ends with a NUL.
    """
    plain = _MappedText(original, [(at, at + 1) for at in range(len(original))])
    readings = {original: plain}
    for encoding in ("utf-8", "latin-1"):
        reading = plain
        for _ in range(MAX_QUOTING_LEVELS):
            reading = _unquoted(reading, encoding)
            readings.setdefault(reading.text, reading)
    folded = [_casefolded(each) for each in readings.values()]
    return _MappedText(
        "".join(f"{each.text}\0" for each in folded),
        [span for each in folded for span in (*each.spans, (0, 0))],
    )


_ESCAPE = re.compile(
    r"(?:\\x[0-9a-fA-F]{2})+"  # bytes, or Latin-1
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a surrogate pair
    r"|\\u[0-9a-fA-F]{4}|\\U00[01][0-9a-fA-F]{5}"
    r"|\\[\\'\"abfnrtv0]"
    r"|(?:%[0-9a-fA-F]{2})+"
)


def _unquoted(quoted: _MappedText, encoding: str) -> _MappedText:
    """A text without its outermost level of quoting.

    Args:
        quoted: the text.
        encoding: the encoding of escaped bytes.
    """
    parts, spans, end = list[str](), list[tuple[int, int]](), 0
    for escape in _ESCAPE.finditer(quoted.text):
        # NUL separates readings: within one, U+FFFD stands for it.
        plain = _unescaped(escape[0], encoding).replace("\0", "\N{REPLACEMENT CHARACTER}")
        parts += quoted.text[end : escape.start()], plain
        spans += quoted.spans[end : escape.start()]
        end = escape.end()
        spans += [(quoted.spans[escape.start()][0], quoted.spans[end - 1][1])] * len(plain)
    return _MappedText("".join((*parts, quoted.text[end:])), spans + quoted.spans[end:])


def _unescaped(escape: str, encoding: str) -> str:
    if escape[0] == "%":
        return unquote(escape)
    if escape[1] == "x":
        return bytes.fromhex(escape.replace("\\x", "")).decode(encoding, "replace")
    found = escape.encode().decode("unicode-escape", "replace")
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _casefolded(mapped: _MappedText) -> _MappedText:
    if mapped.text.isascii():
        return mapped._replace(text=mapped.text.lower())
    parts = [character.casefold() for character in mapped.text]  # an ß becomes ss
    spans = [span for span, part in zip(mapped.spans, parts, strict=True) for _ in part]
    return _MappedText("".join(parts), spans)


CHUNK_LENGTH = 32 * 1024
"""The number of characters that are searched at a time."""


def _chunks(activity: Any, max_values: int, overlap: int) -> Iterator[str]:
    """The activity's strings in lower case, many in a chunk, separated by NULs.

    A NUL within a string becomes U+FFFD, as in the texts that are searched.

    Args:
        activity: an Activity.
        max_values: how many values the activity may have.
        overlap: how many characters consecutive slices of a long string share, so that one of them
            contains the whole of any word up to this length.

    Raises:
        NotRedactable: the activity has more values than `max_values`, or one of an unknown type.
    """
    chunk: list[str] = []
    length = 0
    for each in _strings(activity, max_values):
        for start in range(0, len(each), CHUNK_LENGTH):
            piece = each[start : start + CHUNK_LENGTH + overlap]
            chunk.append(piece.replace("\0", "\N{REPLACEMENT CHARACTER}"))
            length += len(chunk[-1]) + 1
            if length >= CHUNK_LENGTH:
                yield "\0".join(chunk).casefold()
                chunk, length = [], 0
    yield "\0".join(chunk).casefold()


_WITHOUT_TEXT = frozenset({NoneType, bool, datetime, date, time, timedelta})

_LISTS = frozenset({list, tuple, set, frozenset})

_AS_TEXT = frozenset({int, float, Decimal, UUID})
"""The types that count as strings."""


def _strings(activity: Any, max_values: int) -> Iterator[str]:
    """Each string and number of an activity, without recursion: users can nest values deeply."""
    pending = [activity]
    for _ in range(max_values):
        if not pending:
            return
        each = pending.pop()
        kind = type(each)
        if kind is str:
            yield each
        elif kind in _WITHOUT_TEXT:
            continue
        elif kind in _LISTS:
            pending += each
        elif kind in _AS_TEXT:
            with contextlib.suppress(ValueError):  # the number has more digits than Python converts
                yield str(each)
        elif issubclass(kind, dict):
            pending += dict.keys(each)
            pending += dict.values(each)
        elif issubclass(kind, Model):
            pending += [value for value in each.__dict__.values() if value is not None]
        elif issubclass(kind, Enum):
            pending.append(each.value)
        elif issubclass(kind, str):
            yield str.__str__(each)
        elif issubclass(kind, bytes | bytearray):
            yield each.decode(errors="replace")
        else:
            # It may have any text, and write it in any form: a model of pydantic, a bot's object.
            raise NotRedactable(f"the activity holds a {kind.__name__}")
    raise NotRedactable("the activity has too many values")


MAX_ERRORS = 8
"""The number of errors of a chain or group that are shown."""

MAX_FRAMES = 50
"""The number of one error's frames that are shown."""

MAX_ERROR_BYTES = 8 * 1024
"""The size limit of one error, frames included."""

MAX_TEXT_LENGTH, MAX_TOTAL_LENGTH = 2_000, 4_000
"""The number of characters that are shown of one error's text, and of all errors' texts."""


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


_LAST_WORD = re.compile(r"[\w\\%]*\Z")


def _cut(text: str, max_length: int) -> str:
    """The start of a text, without a word that the cut would split."""
    return text if len(text) <= max_length else _LAST_WORD.sub("", text[:max_length]) + CUT_MARK


_HEADINGS_BYTES = 128


def _formatted(error: BaseException, text: str) -> str:
    """One error, with its frames.

    Further lines of its text are indented, so that the last line without indent names the error.
    """
    summary = f"{type(error).__name__}: {text}".replace("\n", "\n    ").encode(errors="replace")
    summary = summary[: MAX_ERROR_BYTES // 2]
    frames = _frames(error, MAX_ERROR_BYTES - len(summary) - _HEADINGS_BYTES)
    return "".join((*frames, summary.decode(errors="ignore")))


HEADER = "Traceback (most recent call last):\n"
"""As Python's, so that editors and log viewers find the files and lines under it."""

OTHER_FRAMES = "Other frames:\n"
"""Comes after the frames of the bot's own code."""

Frame = tuple[FrameType, int]
"""A frame and its line number."""


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
