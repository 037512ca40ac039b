"""The model's answer without a script: it calls tools that fit, and quotes what they return."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from bot_workbench.emulator.language_model.answer import Answer, Call
from bot_workbench.emulator.language_model.tokens import text_of

STAND_IN = "This is a stand-in for a language model."

QUOTED_LINES = 3
QUOTED_CHARACTERS = 300

CLOCK = frozenset({"clock", "date", "day", "time", "today"})
"""A user who says one of these words means all of them."""

_WORD = re.compile(r"[^\W_]+")


def improvised(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> Answer:
    """The answer to a conversation.

    Args:
        messages: the request's, without mistakes.
        tools: the request's, which may be none.
    """
    returned = list(takewhile(lambda each: each["role"] == "tool", reversed(messages)))
    if returned:
        quoted = "\n".join(_first_lines(text_of(each)) for each in reversed(returned))
        return Answer(f"{STAND_IN} Its tools say:\n\n{quoted}")
    asked = text_of(messages[-1])
    call = next(
        _calls(asked, [tool["function"] for tool in tools if tool["type"] == "function"]), None
    )
    if call is not None and messages[-1]["role"] == "user":
        return Answer(calls=[call])
    return Answer(f"{STAND_IN} It has read your message, and has nothing to say about it.")


def _calls(asked: str, functions: Sequence[Mapping[str, Any]]) -> Iterator[Call]:
    """The calls that fit a user's words, the best first."""
    words = set(_WORD.findall(asked.lower()))
    if words & CLOCK:
        words |= CLOCK
    for each in functions:
        if not _arguments(each) and words.intersection(_WORD.findall(each["name"].lower())):
            yield each["name"], {}
    for each in functions:
        if _arguments(each) == {"query"}:
            yield each["name"], {"query": asked}


def _arguments(function: Mapping[str, Any]) -> set[str]:
    return set((function.get("parameters") or {}).get("properties") or ())


def _first_lines(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(line[:QUOTED_CHARACTERS] for line in lines[:QUOTED_LINES])
