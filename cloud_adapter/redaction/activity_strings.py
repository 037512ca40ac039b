"""The strings of an activity, in chunks: an activity may have a megabyte of them."""

import contextlib
from collections.abc import Iterator
from typing import Any

from msrest.serialization import Model

from cloud_adapter.errors import RedactionTooCostly

CHUNK_LENGTH = 32 * 1024
"""Characters that are searched at a time."""


def chunks(activity: Any, max_values: int, overlap: int) -> Iterator[str]:
    """The activity's strings in lower case, many in a chunk, with a NUL between two.

    Args:
        activity: an Activity.
        max_values: how many values it may have.
        overlap: characters that consecutive slices of a long string share, so that a word of this
            length is whole in one of them.

    Raises:
        RedactionTooCostly: the activity has more values.
    """
    chunk: list[str] = []
    length = 0
    for each in _strings(activity, max_values):
        for start in range(0, len(each), CHUNK_LENGTH):
            chunk.append(each[start : start + CHUNK_LENGTH + overlap])
            length += len(chunk[-1]) + 1
            if length >= CHUNK_LENGTH:
                yield "\0".join(chunk).casefold()
                chunk, length = [], 0
    yield "\0".join(chunk).casefold()


def _strings(activity: Any, max_values: int) -> Iterator[str]:
    """Each string and number. Without recursion: users can nest at will."""
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
            with contextlib.suppress(ValueError):  # it has more digits than Python converts
                yield str(each)
        elif isinstance(each, str):  # a string enum of the bot's
            yield each
    raise RedactionTooCostly("the activity has too many values")
