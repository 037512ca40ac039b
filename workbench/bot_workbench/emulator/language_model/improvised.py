"""What the stand-in answers by itself: it calls the tools that fit, and quotes what they return."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot_workbench.emulator.language_model.answer import Answer, Call

STAND_IN = "This is a stand-in for a language model."

QUOTED_LINES = 3

WORDS = {"time": ("time", "date", "today", "clock", "day")}
"""By a part of the name of a tool without arguments: users' words that call it."""


def improvised(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> Answer:
    """An answer to a conversation.

    Args:
        messages: the request's.
        tools: the request's.
    """
    last = messages[-1]
    text = text_of(last)
    if last["role"] == "tool":
        lines = [line for line in text.splitlines() if line.strip()][:QUOTED_LINES]
        return Answer(f"{STAND_IN} A tool returned:\n\n" + "\n".join(lines))
    if last["role"] == "user" and (call := next(_calls(text, tools), None)):
        return Answer(calls=[call])
    return Answer(f"{STAND_IN} It has no tool for: {text}")


def _calls(text: str, tools: Sequence[Mapping[str, Any]]) -> Iterator[Call]:
    """The calls that fit a user's words, best first."""
    words = set(text.lower().replace("?", " ").split())
    functions = [tool["function"] for tool in tools]
    for each in functions:
        if not _arguments(each) and any(
            part in each["name"] and words.intersection(asked) for part, asked in WORDS.items()
        ):
            yield each["name"], {}
    for each in functions:
        if _arguments(each) == {"query"}:
            yield each["name"], {"query": text}


def _arguments(function: Mapping[str, Any]) -> set[str]:
    return set((function.get("parameters") or {}).get("properties") or ())


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, whose content is text or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
