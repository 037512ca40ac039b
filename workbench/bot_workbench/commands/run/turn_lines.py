"""TurnLines: prints a line for each turn that has ended, but no flood of them."""

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncIterator
from typing import TextIO
from weakref import WeakKeyDictionary, WeakSet

from bot_workbench.commands.run.turn_line import rest_line, turn_line
from bot_workbench.emulator.feed.feed_server import FeedServer
from bot_workbench.emulator.inspector.bot_status import BotStatus
from bot_workbench.emulator.inspector.feed_events import DISPATCHERS, FeedEvents
from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_details import JsonObject
from bot_workbench.emulator.inspector.turns.turn_log import TurnLog
from bot_workbench.emulator.inspector.turns.turn_progress import FAILED, QUEUED
from bot_workbench.emulator.terminal.colors import has_colors

SETTLE_SECONDS = 0.25
"""Between a turn's end and its line: the bot's processes may report a failure after the answer. A
failure that is reported later than that has a line of its own."""

QUEUED_SECONDS = 5.0
"""The time for which a queued turn waits until a line says so."""

MAX_LINES = 20
"""In one second. What comes in addition is counted in one line."""


class TurnLines:
    """Prints the turns of a log, which it listens to; it needs a running event loop.

    Args:
        stream: where to.
        colors: whether lines may have colors.
    """

    def __init__(self, stream: TextIO, *, colors: bool) -> None:
        self._stream = stream
        self._colors = colors
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._printed: WeakKeyDictionary[Turn, tuple[str, str]] = WeakKeyDictionary()
        self._known_as_queued: WeakSet[Turn] = WeakSet()
        self._lines = 0
        self._rest: Counter[str] = Counter()

    def turn_changed(self, turn: Turn) -> None:
        """See TurnListener."""
        if turn.kind == "function" and turn.function in DISPATCHERS and turn.outcome != FAILED:
            return
        if not turn.is_over and turn.kind != "channel":
            # A queued turn may run again. A delivery does not: it is only reported late.
            self._printed.pop(turn, None)
        if turn.is_over and self._has_news(turn):
            self._wait(turn, SETTLE_SECONDS)
        elif turn.outcome == QUEUED and turn not in self._known_as_queued:
            self._known_as_queued.add(turn)
            self._wait(turn, QUEUED_SECONDS)

    def logged(self, line: JsonObject) -> None:
        """See TurnListener: the bot's processes print their lines themselves."""

    def cleared(self) -> None:
        """See TurnListener: what is removed from the page is printed all the same."""

    def _has_news(self, turn: Turn) -> bool:
        """Whether it ended in a way, or for a reason, that its line does not show."""
        outcome, cause = self._printed.get(turn, ("", ""))
        return turn.outcome != outcome or turn.cause not in ("", cause)

    def _wait(self, turn: Turn, seconds: float) -> None:
        if turn.is_over:
            self._printed[turn] = turn.outcome, turn.cause
        if (timer := self._timers.pop(turn.id, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[turn.id] = loop.call_later(seconds, self._print, turn)

    def _print(self, turn: Turn) -> None:
        del self._timers[turn.id]
        if not turn.is_over and turn.outcome != QUEUED:
            self._printed.pop(turn, None)
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(1.0, self._next_second)
        if self._lines < MAX_LINES:
            self._lines += 1
            self._write(turn_line(turn, colors=self._colors))
        else:
            self._rest[turn.outcome] += 1

    def _next_second(self) -> None:
        self._lines = 0
        if self._rest:
            self._write(rest_line(self._rest))
            self._rest.clear()

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


@contextlib.asynccontextmanager
async def printed_turns() -> AsyncIterator[dict[str, str]]:
    """Print the turns of a bot that runs without the local cloud, within the block.

    Yields:
        The settings with which the bot's processes report their turns.
    """
    feed, log = FeedServer(), TurnLog()
    log.listeners.append(TurnLines(sys.stdout, colors=has_colors(sys.stdout)))
    feed.on_event = FeedEvents(log, BotStatus()).handle
    await feed.start()
    try:
        yield feed.address.settings()
    finally:
        await feed.stop()
