"""A debugger holds a turn: its process's event loop stands still, for as long as that takes."""

import time

import pytest

from auth.settings import INLINE, QUEUED
from cloud_adapter.storage.blobs import LEASE_SECONDS
from tests.runs.reload.conftest import StartTalk
from tests.support.timing.condition import comes_true

LONGER = LEASE_SECONDS + 2
"""Seconds after which the lease of the turn's conversation has expired."""

pytestmark = pytest.mark.timed


async def held(seconds: float) -> None:
    """Let a held turn outlive its conversation's lease."""
    end = time.monotonic() + seconds
    await comes_true(lambda: time.monotonic() > end)


@pytest.mark.parametrize("turns", [INLINE, QUEUED])
async def test_turn_that_is_held_goes_on(start_talk: StartTalk, turns: str) -> None:
    """It runs once, its state is saved, and the next message counts on."""
    settings = {"BotTurns": turns}
    async with start_talk(settings=settings, options=("--debug",)) as talk:
        waiting = talk.sending("block")
        await comes_true(talk.held.exists)
        await held(LONGER)
        talk.go.touch()
        assert await waiting in (200, 202)
        await comes_true(lambda: talk.user.texts() == ["V1 1 block"])
        assert await talk.says("next") in (200, 202)
        await comes_true(lambda: talk.user.texts() == ["V1 1 block", "V1 2 next"])
        assert "Traceback" not in talk.app.output


async def test_save_while_a_turn_is_held(start_talk: StartTalk) -> None:
    """New code answers at once; neither turn's change of the conversation's state gets lost."""
    async with start_talk(options=("--debug", "--retirement", "0.1")) as talk:
        waiting = talk.sending("block")
        await comes_true(talk.held.exists)
        await talk.saved("V2")
        await held(LONGER)
        assert await talk.reply("next") == "V2 1 next"
        talk.go.touch()
        assert await waiting == 200
        # The held turn met a state that had changed, and was run again on top of it.
        assert talk.user.texts() == ["V2 1 next", "V1 1 block", "V1 2 block"]
        assert await talk.reply("last") == "V2 3 last"
        await comes_true(lambda: len(talk.app.processes) == 2)
        assert "Traceback" not in talk.app.output
