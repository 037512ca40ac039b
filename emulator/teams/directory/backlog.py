"""Backlog: deliveries of a conversation that wait until the bot can be reached."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count


class Backlog:
    """Lets deliveries go in the order of their places.

    They may start to wait in another order, because a first attempt takes a moment to fail.
    """

    def __init__(self) -> None:
        self._places = count()
        self._waiting: set[int] = set()
        self._changed = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """Whether no delivery waits."""
        return not self._waiting

    def new_place(self) -> int:
        """The place of a new delivery, behind all others."""
        return next(self._places)

    @contextmanager
    def waiting(self, place: int) -> Iterator[None]:
        """Wait at a place: deliveries with later ones stay behind until this ends."""
        self._waiting.add(place)
        try:
            yield
        finally:
            self._waiting.remove(place)
            self._changed.set()
            self._changed = asyncio.Event()

    async def become_first(self, place: int) -> None:
        """Wait for the deliveries in front."""
        while place != min(self._waiting):
            await self._changed.wait()
