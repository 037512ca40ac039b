"""StateTrial: one counter bot in one round: single turns, a load, and 16 messages at once."""

import asyncio
import itertools
import time
import uuid
from collections.abc import Sequence

from benchmarks.state.measurement import (
    LATENCIES,
    BurstFigures,
    LoadFigures,
    TurnFigures,
)
from benchmarks.state.single_turn import SingleTurn
from benchmarks.state.storage.proxy import StorageProxy
from benchmarks.state.turns import Turn, TurnSender
from benchmarks.traffic.bot_process import BotProcess

WARM_UP_TURNS = 4
SINGLE_TURNS = 8
"""At each latency of storage."""
IN_FLIGHT = 16
"""Turns at once, under load and in one conversation."""
CONVERSATIONS = 256
"""Under load. So many pass before one is used again that no bot still has its lease."""
BURST_LATENCY = 0.005
"""Seconds by which each request to storage is delayed when messages arrive at once."""
LEAD_SECONDS = 0.5
LEAD_TURNS = CONVERSATIONS
"""Load before the measurement: conversations begin, and their connections to storage are opened."""
MIN_TURNS = 8 * IN_FLIGHT
"""The measurement under load goes on until so many turns have ended."""
LOAD_TIMEOUT_SECONDS = 60.0
QUIET_SECONDS = 0.03
"""Without a request, beside three latencies of storage: the turn's last one has ended."""


class StateTrial:
    """Measures a bot that has just started.

    Args:
        sender: sends it messages.
        bots: its processes.
    """

    def __init__(self, sender: TurnSender, bots: Sequence[BotProcess]) -> None:
        self._sender = sender
        self._bots = bots

    async def warm_up(self) -> None:
        """Have each process import what a turn needs, and open its connections.

        Raises:
            RuntimeError: a turn failed.
        """
        conversation = _new_conversation()
        for _ in range(WARM_UP_TURNS):
            await self._successful_turn(conversation)

    async def single_turns(self, proxy: StorageProxy) -> TurnFigures:
        """Measure one turn after the other, in an existing conversation.

        Raises:
            RuntimeError: a turn failed.
        """
        conversation = _new_conversation()
        await self._successful_turn(conversation)
        found: dict[int, list[SingleTurn]] = {latency: [] for latency in LATENCIES}
        for latency, turns in found.items():
            proxy.latency = latency / 1000
            await self._quiet(proxy)
            proxy.take_calls()
            for _ in range(SINGLE_TURNS):
                turn = await self._successful_turn(conversation)
                await self._quiet(proxy)
                turns.append(SingleTurn.of(turn, proxy.take_calls()))
        proxy.latency = 0.0
        return TurnFigures.of(found)

    async def load(self, seconds: float) -> LoadFigures:
        """Measure turns of many conversations, of which some are under way at any time.

        Raises:
            OSError: the bot closed a connection.
            RuntimeError: no turn succeeded.
            TimeoutError: too few turns end.
        """
        ended: list[Turn] = []
        stopping = asyncio.Event()
        conversations = itertools.cycle([_new_conversation() for _ in range(CONVERSATIONS)])

        async def send() -> None:
            while not stopping.is_set():
                ended.append(await self._sender.send(next(conversations)))

        async with asyncio.TaskGroup() as senders:
            for _ in range(IN_FLIGHT):
                senders.create_task(send())
            await _wait(ended, LEAD_SECONDS, LEAD_TURNS)
            ended.clear()
            started, cpu = time.perf_counter(), self._cpu_seconds()
            await _wait(ended, seconds, MIN_TURNS)
            turns = list(ended)
            elapsed, cpu = time.perf_counter() - started, self._cpu_seconds() - cpu
            stopping.set()
        good = sum(turn.count is not None for turn in turns)
        if not good:
            raise RuntimeError("no turn succeeded under load")
        return LoadFigures(good / elapsed, 1000 * cpu / good, len(turns) - good)

    async def burst(self, proxy: StorageProxy) -> BurstFigures:
        """Measure messages at once in an existing conversation.

        Raises:
            RuntimeError: the turn before them failed, or the one after.
        """
        conversation = _new_conversation()
        before = await self._successful_turn(conversation)
        await self._quiet(proxy)
        proxy.latency = BURST_LATENCY
        apologies = self._sender.apologies
        turns = await asyncio.gather(*(self._sender.send(conversation) for _ in range(IN_FLIGHT)))
        await self._quiet(proxy)
        errors = self._sender.apologies - apologies + sum(not turn.replied for turn in turns)
        proxy.latency = 0.0
        after = await self._successful_turn(conversation)
        assert before.count is not None
        assert after.count is not None
        return BurstFigures(after.count - before.count - 1, errors)

    async def _successful_turn(self, conversation: str) -> Turn:
        turn = await self._sender.send(conversation)
        if turn.count is None:
            raise RuntimeError(f"a turn failed: status {turn.status}, reply {turn.reply!r}")
        return turn

    async def _quiet(self, proxy: StorageProxy) -> None:
        await proxy.idle(QUIET_SECONDS + 3 * proxy.latency)

    def _cpu_seconds(self) -> float:
        return sum(bot.cpu_seconds for bot in self._bots)


async def _wait(ended: Sequence[Turn], seconds: float, turns: int) -> None:
    """Wait for so long, and until so many turns have ended."""
    await asyncio.sleep(seconds)
    async with asyncio.timeout(LOAD_TIMEOUT_SECONDS):
        while len(ended) < turns:  # noqa: ASYNC110  # a list gives no sign
            await asyncio.sleep(0.01)


def _new_conversation() -> str:
    return f"a:{uuid.uuid4()}"
