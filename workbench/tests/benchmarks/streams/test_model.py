"""The scripted model's text says when each chunk was due, however late the bot takes it."""

import asyncio
import time

import pytest

from benchmarks.streams.model import CHUNK_SECONDS, answer, chunks_in, times_in

SECONDS = 5 * CHUNK_SECONDS
TICK_SECONDS = 0.001
"""The precision of an event loop's timers."""


async def test_a_bot_that_is_late_delays_no_chunk() -> None:
    """Chunks have 20 characters, and are due at fixed times; none comes before its time."""
    began, text = time.perf_counter(), ""
    async for chunk in answer(SECONDS):
        assert len(chunk) == 20
        assert time.perf_counter() >= float(chunk) - TICK_SECONDS
        if not text:
            await asyncio.sleep(2.5 * CHUNK_SECONDS)
        text += chunk
    times = [float(each) for each in times_in(text)]
    assert len(times) == chunks_in(SECONDS) == 5
    assert times[0] >= began - 1e-6
    assert [each - times[0] for each in times] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2], abs=1e-5)
