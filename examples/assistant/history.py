"""The history of a conversation: what the model is sent again with each question."""

import re
from dataclasses import dataclass

from openai.types.chat import ChatCompletionMessageParam

MAX_TOKENS = 8_000
"""The size of what the model is sent again: the oldest exchanges beyond it are dropped."""

MARK = re.compile(r"\s?\[\d+\]")
"""Refers to a source. The next answer numbers its sources anew."""


@dataclass
class Exchange:
    """A question and its answer.

    Attributes:
        tokens: by how much the conversation has grown with it; the first one's include the
            instructions.
    """

    question: str
    answer: str
    tokens: int = 0


def messages_of(
    instructions: str, history: list[Exchange], question: str
) -> list[ChatCompletionMessageParam]:
    """What the model is sent with a question."""
    messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": instructions}]
    for each in history:
        messages.append({"role": "user", "content": each.question})
        messages.append({"role": "assistant", "content": MARK.sub("", each.answer)})
    return [*messages, {"role": "user", "content": question}]


def extended(history: list[Exchange], exchange: Exchange, tokens: int) -> list[Exchange]:
    """The history with one more exchange, without the oldest ones if it gets too long.

    Args:
        history: it is left as it is.
        exchange: its tokens are set.
        tokens: the size of the whole conversation, as the model has reported it; 0: it has not, so
            the exchange is estimated. The next report corrects this, as it does what was dropped.
    """
    before = sum(each.tokens for each in history)
    estimate = before + len(exchange.question + exchange.answer) // 4
    exchange.tokens = (tokens or estimate) - before
    kept = [*history, exchange]
    while len(kept) > 1 and sum(each.tokens for each in kept) > MAX_TOKENS:
        del kept[0]
    return kept
