"""Tokens: the pieces in which a model reads and writes; here, each is four characters."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

CHARACTERS = 4
"""Of a token. Real ones differ in length; four is the usual estimate for English."""


def pieces_of(text: str) -> Iterator[str]:
    """A text's tokens."""
    return (text[at : at + CHARACTERS] for at in range(0, len(text), CHARACTERS))


def count_tokens(*texts: str) -> int:
    """The number of tokens of some texts together."""
    return math.ceil(sum(map(len, texts)) / CHARACTERS)


def prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """The number of tokens of a request's messages: of their texts, and the calls in them."""
    calls = [call for each in messages for call in each.get("tool_calls", ())]
    written = [str(text) for call in calls for text in call[call["type"]].values()]
    return count_tokens(*map(text_of, messages), *written)


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, whose content may be a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content)
