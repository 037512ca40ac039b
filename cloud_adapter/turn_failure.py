"""What the log says of a turn that failed: the whole trace, but no word of the user's."""

import traceback
from collections.abc import Iterator
from typing import Any

from botbuilder.schema import Activity


def failure_story(error: BaseException, activity: Activity) -> str:
    """The trace of an error and of its causes.

    An error's own text stands in it unless it quotes what the user said: then it is withheld.

    Args:
        error: as caught.
        activity: the turn's.
    """
    said = set(_texts([activity.text, activity.value]))
    return "\n".join(_lines(error, said)).rstrip()


def _lines(error: BaseException, said: set[str]) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _lines(cause, said)
        yield "which led to:"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    text = str(error)
    if any(word in text for word in said):
        text = "(text withheld: it quotes the user)"
    yield f"{type(error).__name__}: {text}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value.strip()
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
