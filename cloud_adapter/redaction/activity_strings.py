"""The strings of an activity, in chunks, because an activity may have a megabyte of strings."""

import contextlib
from collections.abc import Iterator
from typing import Any

from msrest.serialization import Model

from cloud_adapter.errors import RedactionTooCostly

CHUNK_LENGTH = 32 * 1024
"""How many characters are searched at a time."""


def chunks(activity: Any, max_values: int, overlap: int) -> Iterator[str]:
    """The activity's strings in lower case, many in a chunk, separated by NULs.

    A NUL within a string becomes U+FFFD, as in the texts that are searched.

    Args:
        activity: an Activity.
        max_values: how many values the activity may have.
        overlap: how many characters consecutive slices of a long string share, so that one of them
            contains the whole of any word up to this length.

    Raises:
        RedactionTooCostly: the activity has more values than `max_values`.
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
        elif kind is list or kind is tuple:
            pending += each
        elif isinstance(each, dict):
            pending += each
            pending += each.values()
        elif isinstance(each, Model):
            pending += [value for value in each.__dict__.values() if value is not None]
        elif kind is int or kind is float:
            with contextlib.suppress(ValueError):  # the number has more digits than Python converts
                yield str(each)
        elif isinstance(each, str):  # a string enum that the bot defines
            yield each
    raise RedactionTooCostly("the activity has too many values")
