"""Finds and replaces what texts have in common with an activity. See the package's docstring."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from cloud_adapter.errors import RedactionTooCostly
from cloud_adapter.redaction.activity_strings import chunks
from cloud_adapter.redaction.mapped_text import MappedText, all_readings

REDACTED = "[redacted]"

CUT_MARK = "…"
"""The end of a text that was cut off. A string that is incomplete there is replaced too."""

MIN_LENGTH, MIN_SHORT_LENGTH, MIN_INNER_LENGTH = 4, 2, 8
"""How many characters a string needs to be replaced: in general; with a digit, or in a script that
writes names in two characters; inside a longer word."""

MAX_WORD_LENGTH = 64
"""The length in characters above which a word in an error's text is always replaced, because such a
word hardly belongs to the error itself."""


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


# \w does not match combining marks, without which Arabic, Hebrew, Hindi and Thai words are split.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[\w{_MARKS}]+")
_PART = re.compile(r"[^_]+")
_INSIDE_WORD = re.compile(rf"(?:(?!_)[\w{_MARKS}]){{2}}")
# U+0E00 and above, negated: re takes 3 ms to compile a range up to U+10FFFF.
_DISTINCTIVE = re.compile(r"\d|[^\0-\u0dff]")
_UNSPACED = re.compile(r"[^\0-\u0dff]")
"""Includes scripts without spaces, such as Thai and Chinese, in which words may start anywhere."""

_DEFAULT_LIMITS = Limits()


def redacted(texts: Sequence[str], activity: Any, limits: Limits = _DEFAULT_LIMITS) -> list[str]:
    """The texts, with the content of an activity replaced.

    Args:
        texts: texts of a few thousand characters in total.
        activity: an Activity.
        limits: limits of the work; if they are exceeded, each text is replaced as a whole.
    """
    # From here on, the texts are one text, separated by NULs.
    text = "\0".join(each.replace("\0", "\N{REPLACEMENT CHARACTER}") for each in texts)
    try:
        hidden = _hidden(text, activity, limits)
    except RedactionTooCostly:
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
        RedactionTooCostly: the search exceeds the limits.
    """
    readings = all_readings(text)
    pieces = list(itertools.islice(_pieces(readings.text), limits.pieces))
    if len(readings.text) > limits.characters or len(pieces) == limits.pieces:
        raise RedactionTooCostly("the texts are too long")
    words = {readings.text[start:end] for start, end in pieces}
    places, comparisons = _places(readings.text), 0
    hidden, found = bytearray(len(text)), set[str]()
    for chunk in chunks(activity, limits.values, MAX_WORD_LENGTH):
        found |= words.intersection(_words(chunk))
        for string in _similar_strings(chunk, places):
            starts = places[string[:MIN_LENGTH]]
            for start in starts:
                if end := _match_end(string, readings.text, start):
                    _hide(hidden, readings, start, end)
            comparisons += len(starts)
            if comparisons > limits.comparisons:
                raise RedactionTooCostly("the activity's strings are too similar to the texts")
    for start, end in pieces:
        if end - start > MAX_WORD_LENGTH or readings.text[start:end] in found:
            _hide(hidden, readings, start, end)
    return hidden


def _hide(hidden: bytearray, readings: MappedText, start: int, end: int) -> None:
    first, last = readings.spans[start][0], readings.spans[end - 1][1]
    hidden[first:last] = b"\1" * (last - first)


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
