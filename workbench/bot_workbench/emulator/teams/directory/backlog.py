"""Backlog: the order of a conversation's deliveries, kept for those that have to wait."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False)
class Place:
    """A delivery's place in the order.

    Attributes:
        backlog: keeps the order.
        waits: whether it waits for those in front, because the bot could not be reached.
    """

    backlog: "Backlog"
    waits: bool = False

    async def become_first(self) -> None:
        """Wait until the deliveries in front are over."""
        self.waits = True
        await self.backlog.until_first(self)


class Backlog:
    """Keeps the order in which deliveries were started.

    A delivery that waits goes when those in front are over. That includes those that have not
    failed yet: one that does must still go before it.
    """

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._changed = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """Whether no delivery waits."""
        return not any(place.waits for place in self._places)

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Hold the place behind all others, for a whole delivery."""
        place = Place(self)
        self._places.append(place)
        try:
            yield place
        finally:
            self._places.remove(place)
            self._changed.set()
            self._changed = asyncio.Event()

    async def until_first(self, place: Place) -> None:
        """Wait until nothing is in front of a place."""
        while place is not self._places[0]:
            await self._changed.wait()
