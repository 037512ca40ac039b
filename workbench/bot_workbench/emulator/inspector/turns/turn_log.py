"""TurnLog: the newest turns, in bounded memory."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_details import JsonObject

MAX_TURNS = 1000
MAX_DETAIL_BYTES = 64 * 1024 * 1024
"""Of all turns' details: the oldest turns lose theirs first."""
MAX_LOG_LINES = 200
"""Lines outside of turns."""


class TurnListener(Protocol):
    """Is called when the log changes."""

    def turn_changed(self, turn: Turn) -> None:
        """A turn is new or has changed."""

    def logged(self, line: JsonObject) -> None:
        """A line outside of turns was logged."""

    def cleared(self) -> None:
        """All turns were removed."""


class TurnLog:
    """Keeps the newest turns, and calls its listeners.

    Args:
        max_turns: how many are kept.
        max_bytes: of their details.
        clock: seconds since 1970.

    Attributes:
        listeners: called at each change.
        lines: the newest log lines outside of turns.
    """

    def __init__(
        self,
        max_turns: int = MAX_TURNS,
        max_bytes: int = MAX_DETAIL_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.listeners: list[TurnListener] = []
        self.lines: deque[JsonObject] = deque(maxlen=MAX_LOG_LINES)
        self._max_turns = max_turns
        self._max_bytes = max_bytes
        self._turns: dict[str, Turn] = {}
        self._forgotten: deque[str] = deque(maxlen=max_turns)
        self._bytes = 0
        self._number = 0

    @property
    def turns(self) -> list[Turn]:
        """The turns, newest last."""
        return list(self._turns.values())

    @property
    def newest_first(self) -> Iterator[Turn]:
        """The turns, newest first."""
        return map(self._turns.__getitem__, reversed(self._turns))

    @property
    def detail_bytes(self) -> int:
        """Of all turns' details."""
        return self._bytes

    def find(self, turn_id: str) -> Turn | None:
        """The turn of that id; None: there is none, or none any more."""
        return self._turns.get(turn_id)

    def is_forgotten(self, turn_id: str) -> bool:
        """Whether there was a turn of that id, which was removed."""
        return turn_id in self._forgotten

    def start(self, turn_id: str, kind: str, at: float | None = None) -> Turn:
        """A new turn, or the one of that id.

        Args:
            turn_id: the trace id.
            kind: see Turn.
            at: seconds since 1970; None: now.
        """
        found = self._turns.get(turn_id)
        if found is not None:
            return found
        self._number += 1
        turn = Turn(turn_id, self._number, self.clock() if at is None else at, kind)
        self._turns[turn_id] = turn
        if len(self._turns) > self._max_turns:
            oldest = self._turns.pop(next(iter(self._turns)))
            self._forget(oldest)
        return turn

    def add(self, turn: Turn, section: str, value: object) -> None:
        """Keep a detail of a turn, and drop the oldest turns' details if there are too many."""
        grown = turn.add(section, value)
        if turn.id not in self._turns:
            return
        self._bytes += grown
        if self._bytes > self._max_bytes:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        for turn in islice(self._turns.values(), len(self._turns) - 1):
            if self._bytes <= self._max_bytes * 3 // 4:  # not one by one
                return
            if turn.size:
                self._bytes -= turn.drop_details()
                self.changed(turn)

    def _forget(self, turn: Turn) -> None:
        self._forgotten.append(turn.id)
        self._bytes -= turn.size

    def changed(self, turn: Turn) -> None:
        """Call the listeners: the turn has changed."""
        if turn.id in self._turns:
            for listener in list(self.listeners):
                listener.turn_changed(turn)

    def log(self, line: JsonObject) -> None:
        """Keep a log line that belongs to no turn."""
        self.lines.append(line)
        for listener in list(self.listeners):
            listener.logged(line)

    def clear(self) -> None:
        """Remove all turns and log lines."""
        for turn in self._turns.values():
            self._forget(turn)
        self._turns.clear()
        self.lines.clear()
        for listener in list(self.listeners):
            listener.cleared()

    def search(self, words: list[str]) -> list[str]:
        """The ids of the turns whose details contain each of the words, which are lower-case."""
        return [turn.id for turn in self._turns.values() if turn.contains(words)]
