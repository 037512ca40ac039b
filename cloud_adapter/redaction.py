"""Redaction: removes what came with an activity from texts for the log.

Every string in the activity, and every word of one, is replaced; keys of free-form JSON and numbers
count as strings. What is replaced has at least four characters; two are enough with a digit, or in
a script that writes names in two characters. Case does not matter, nor how Python, JSON or a URL
quotes a string. Inside a longer word, only what has eight characters or more is replaced: a user
who says `29` must not make every `429` unreadable.

A text for the log is short, but an activity may have a megabyte. So the words of the texts are
looked up while the activity's strings are read one after the other, and only matches are kept.
Where that would take too long, the texts are replaced as a whole.
"""

import contextlib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from msrest.serialization import Model

REDACTED = "[redacted]"

CUT = "…"
"""Ends a text that was cut off. A string that is incomplete there is replaced, too."""

MIN_LENGTH, MIN_SHORT_LENGTH, MIN_LENGTH_INSIDE = 4, 2, 8
"""Characters that a string needs to be replaced: in general; with a digit, or in a script that
writes names in two characters; inside a longer word."""

MAX_WORD = 64
"""Characters. A longer word in an error's text is always replaced: it is hardly the error's own."""

MAX_CHARACTERS = 16_000
"""Characters of the texts, in all readings. This and the next three bound the work, whatever a user
sends."""

MAX_CANDIDATES = 30_000
"""Words in the texts, and parts of words."""

MAX_VALUES = 250_000
"""Values in the activity."""

MAX_COMPARISONS = 100_000
"""Comparisons of a string of the activity with a place in the texts."""

CHUNK = 32 * 1024
"""Characters of an activity that are searched at a time."""

# \w lacks combining marks: without them Arabic, Hebrew, Hindi and Thai words would be split.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[\w{_MARKS}]+")
_PART = re.compile(r"[^_]+")
_WITHIN = re.compile(rf"(?:(?!_)[\w{_MARKS}]){{2}}")
# U+0E00 and above, negated: re takes 3 ms to compile a range up to U+10FFFF.
_DISTINCTIVE = re.compile(r"\d|[^\0-\u0dff]")
_UNSPACED = re.compile(r"[^\0-\u0dff]")
"""Scripts without spaces, such as Thai and Chinese, are among these: words may start anywhere."""

_ESCAPE = re.compile(
    r"(?:\\x[0-9a-fA-F]{2})+"  # bytes, or Latin-1
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a surrogate pair
    r"|\\u[0-9a-fA-F]{4}|\\U00[01][0-9a-fA-F]{5}"
    r"|\\[\\'\"abfnrtv0]"
    r"|(?:%[0-9a-fA-F]{2})+"
)
MAX_QUOTED = 3
"""Levels of quoting: a KeyError quotes its text, which may quote another."""


class _TooMuch(Exception):
    """The search would exceed its limits."""


class _Reading(NamedTuple):
    """The texts with some level of quoting removed.

    Attributes:
        text: what is left.
        starts: for each character, where in the texts the part begins that it stands for.
        ends: for each character, where that part ends.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def redacted(texts: Sequence[str], activity: Any) -> list[str]:
    """The texts, with what came with an activity replaced.

    Args:
        texts: a few thousand characters in all.
        activity: an Activity.
    """
    # From here on they are one text, with a NUL between two.
    text = "\0".join(each.replace("\0", "\N{REPLACEMENT CHARACTER}") for each in texts)
    try:
        covered = _covered(text, activity)
    except _TooMuch:
        return [REDACTED for _ in texts]
    return _replaced(text, covered).split("\0")


def _covered(text: str, activity: Any) -> bytearray:
    """A byte for each character of a text: 1 if the character is to be replaced, else 0.

    Raises:
        _TooMuch: the search would exceed its limits.
    """
    reading = _all_readings(text)
    spans = list(itertools.islice(_candidates(reading.text), MAX_CANDIDATES))
    if len(spans) == MAX_CANDIDATES:
        raise _TooMuch
    candidates = {reading.text[start:end] for start, end in spans}
    places, left = _places(reading.text), MAX_COMPARISONS
    covered, found = bytearray(len(text)), set[str]()
    for chunk in _chunks(activity):
        found |= candidates.intersection(_words(chunk))
        for whole in _whole_strings(chunk, places):
            for start in places[whole[:MIN_LENGTH]]:
                if end := _end(whole, reading.text, start):
                    _cover(covered, reading, start, end)
            left -= len(places[whole[:MIN_LENGTH]])
            if left < 0:
                raise _TooMuch
    for start, end in spans:
        if end - start > MAX_WORD or reading.text[start:end] in found:
            _cover(covered, reading, start, end)
    return covered


def _cover(covered: bytearray, reading: _Reading, start: int, end: int) -> None:
    first, last = reading.starts[start], reading.ends[end - 1]
    covered[first:last] = b"\1" * (last - first)


def _replaced(text: str, covered: bytearray) -> str:
    """The text, redacted; parts with only punctuation between them are replaced as one."""
    parts: list[str] = []
    at = 0
    for run in re.finditer(rb"\x01+", covered):
        between = text[at : run.start()]
        if not parts or "\0" in between or _WORD.search(between):
            parts += between, REDACTED
        at = run.end()
    return "".join((*parts, text[at:]))


# Reading the texts


def _all_readings(text: str) -> _Reading:
    """A text as it is, and with each further level of quoting removed; in lower case.

    Raises:
        _TooMuch: the text is too long.
    """
    found = {text: _Reading(text, range(len(text)), range(1, len(text) + 1))}
    for encoding in ("utf-8", "latin-1"):
        reading = found[text]
        for _ in range(MAX_QUOTED):
            reading = _unquoted(reading, encoding)
            found.setdefault(reading.text, reading)
    if sum(map(len, found)) > MAX_CHARACTERS:
        raise _TooMuch
    folded = [_folded(each) for each in found.values()]
    return _Reading(
        "".join(f"{each.text}\0" for each in folded),
        [place for each in folded for place in (*each.starts, 0)],
        [place for each in folded for place in (*each.ends, 0)],
    )


def _unquoted(reading: _Reading, encoding: str) -> _Reading:
    text, starts, ends, at = "", list[int](), list[int](), 0
    for escape in _ESCAPE.finditer(reading.text):
        first, last = escape.span()
        plain = _plain(escape[0], encoding)
        text += reading.text[at:first] + plain
        starts += (*reading.starts[at:first], *[reading.starts[first]] * len(plain))
        ends += (*reading.ends[at:first], *[reading.ends[last - 1]] * len(plain))
        at = last
    return _Reading(
        text + reading.text[at:], [*starts, *reading.starts[at:]], [*ends, *reading.ends[at:]]
    )


def _plain(escape: str, encoding: str) -> str:
    """What an escape stands for; the encoding is that of escaped bytes."""
    if escape[0] == "%":
        return unquote(escape)
    if escape[1] == "x":
        return bytes.fromhex(escape.replace("\\x", "")).decode(encoding, "replace")
    found = escape.encode().decode("unicode-escape", "replace")
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _folded(reading: _Reading) -> _Reading:
    if reading.text.isascii():
        return reading._replace(text=reading.text.lower())
    parts = [character.casefold() for character in reading.text]  # an ß becomes ss
    return _Reading(
        "".join(parts),
        [place for place, part in zip(reading.starts, parts, strict=True) for _ in part],
        [place for place, part in zip(reading.ends, parts, strict=True) for _ in part],
    )


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    """Where the texts may hold a word of the user's: each word, its parts, and pieces of it."""
    for word in _WORD.finditer(text):
        start, end = word.span()
        if end - start > MAX_WORD:
            yield start, end
            continue
        spans = [(start, end)]
        if "_" in word[0]:
            spans += [part.span() for part in _PART.finditer(text, start, end)]
        least = MIN_SHORT_LENGTH if _UNSPACED.search(word[0]) else MIN_LENGTH_INSIDE
        for size in range(least, end - start):
            spans += [(first, first + size) for first in range(start, end - size + 1)]
        yield from (span for span in spans if _is_long_enough(text[slice(*span)]))


def _is_long_enough(piece: str) -> bool:
    """Whether it is long enough to be replaced."""
    short = len(piece) >= MIN_SHORT_LENGTH and _DISTINCTIVE.search(piece)
    return len(piece) >= MIN_LENGTH or bool(short)


def _places(text: str) -> dict[str, list[int]]:
    """The places in the texts where a string may begin, by its first characters."""
    found: dict[str, list[int]] = defaultdict(list)
    for start in range(len(text)):
        for size in range(MIN_SHORT_LENGTH, MIN_LENGTH + 1):
            begin = text[start : start + size]
            if len(begin) == size and _is_long_enough(begin):
                found[begin].append(start)
    return found


def _end(whole: str, text: str, start: int) -> int:
    """Where in the texts a string ends that begins at `start`; 0: it does not begin there."""
    end = start + len(whole)
    if not text.startswith(whole, start):
        end = text.find("\0", start, end) - 1
        cut = end >= start + MIN_LENGTH and text[end] == CUT
        return end if cut and whole.startswith(text[start:end]) else 0
    if len(whole) >= MIN_LENGTH_INSIDE or _UNSPACED.search(whole):
        return end
    inside_word = (start and _WITHIN.match(text, start - 1)) or _WITHIN.match(text, end - 1)
    return 0 if inside_word else end


# Reading the activity


def _chunks(activity: Any) -> Iterator[str]:
    """The activity's strings in lower case, many in a chunk, with a NUL between two."""
    chunk: list[str] = []
    size = 0
    for each in _strings(activity):
        # Slices of a long string overlap, so that each word up to MAX_WORD is whole in one of them.
        for start in range(0, len(each), CHUNK):
            chunk.append(each[start : start + CHUNK + MAX_WORD])
            size += len(chunk[-1]) + 1
            if size >= CHUNK:
                yield "\0".join(chunk).casefold()
                chunk, size = [], 0
    yield "\0".join(chunk).casefold()


def _strings(activity: Any) -> Iterator[str]:
    """Each string and number in an activity. No recursion: users can nest at will."""
    waiting = [activity]
    for _ in range(MAX_VALUES):
        if not waiting:
            return
        each = waiting.pop()
        kind = type(each)
        if kind is str:
            yield each
        elif kind is list or kind is tuple:
            waiting += each
        elif isinstance(each, dict):
            waiting += each
            waiting += each.values()
        elif isinstance(each, Model):
            waiting += [value for value in each.__dict__.values() if value is not None]
        elif kind is int or kind is float:
            with contextlib.suppress(ValueError):  # it has more digits than Python converts
                yield str(each)
        elif isinstance(each, str):  # a str enum that the bot has put there
            yield each
    raise _TooMuch


def _words(chunk: str) -> Iterable[str]:
    words = _WORD.findall(chunk)
    return words + _WORD.findall(chunk.replace("_", " ")) if "_" in chunk else words


def _whole_strings(chunk: str, places: dict[str, list[int]]) -> list[str]:
    """The strings of a chunk whose first characters occur in the texts."""
    stripped = (each.strip() for each in chunk.split("\0"))
    return [each for each in stripped if each[:MIN_LENGTH] in places]
