"""The language model of the compared bots: a script, in the bot's own process."""

import asyncio
import time
from collections.abc import AsyncIterator

CHUNK_SECONDS = 0.05
"""From one chunk of text to the next: with its 20 characters about 100 tokens a second."""


async def answer(seconds: float) -> AsyncIterator[str]:
    """An answer's text in chunks, each of which says when it is due, as `times_in` reads it.

    A chunk is due at a fixed time, as if it came over the network: a bot that takes it late does
    not delay those that follow.

    Args:
        seconds: length of the answer.
    """
    began = time.perf_counter()
    for number in range(chunks_in(seconds)):
        due = began + number * CHUNK_SECONDS
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        yield f"{due:019.6f} "


def chunks_in(seconds: float) -> int:
    """The number of chunks of an answer of this length."""
    return round(seconds / CHUNK_SECONDS)


def times_in(text: str) -> list[str]:
    """When each chunk of a text was due: seconds on the clock of `time.perf_counter`.

    On Linux all processes share this clock.
    """
    return text.split()
