"""What the log says of a turn that failed: the whole trace, but no word of the user's."""

import re
import traceback
from collections.abc import Iterator
from typing import Any

from botbuilder.schema import Activity

# Shorter ones without a digit are in every error's text.
_TELLING_WORD = re.compile(r"\w*\d\w*|\w{4,}")


def failure_story(error: BaseException, activity: Activity) -> str:
    """The trace of an error and of what led to it.

    An error's own text stands in it unless it quotes what the user said, in whole or by a word:
    then it is withheld.

    Args:
        error: as caught.
        activity: the turn's.
    """
    said = set(_pieces([activity.text, activity.value]))
    stories = [_story(each, said) for each in _origins_first(error)]
    return "\nwhich led to:\n".join(stories)


def _origins_first(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if any(each is known for known in found):
            continue  # `raise error from error` is its own cause
        found.append(each)
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        if cause is not None:
            waiting.append(cause)
    return found[::-1]


def _story(error: BaseException, said: set[str]) -> str:
    text = _text(error)
    folded = text.casefold()
    if any(piece in folded for piece in said):
        text = "(text withheld: it quotes the user)"
    return f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}: {text}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # the bot's own class may be broken, and not in one way
        return "(it has no text)"


def _pieces(value: Any) -> Iterator[str]:
    """Each text in a JSON value, and its words. No recursion: users nest as deeply as they like."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and each.strip():
            folded = each.strip().casefold()
            yield folded
            yield repr(folded)[1:-1]  # as a KeyError quotes it
            yield from _TELLING_WORD.findall(folded)
        elif isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
