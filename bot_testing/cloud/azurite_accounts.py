"""AzuriteAccounts: a storage account of its own for each test, in an Azurite that they share."""

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from emulator.storage.azurite import Azurite

COUNT = 512
"""Accounts of one Azurite: they are declared at its start, in a variable that holds some 1,200."""

LIFETIME = 240.0
"""Seconds in which an Azurite hands out accounts. After ten minutes it deletes the blobs that were
overwritten, which takes the square of their number: 12,800 take over two minutes, in which it
answers nothing."""


class AzuriteAccounts:
    """Runs Azurite in memory, and hands out storage accounts that no test has used before.

    When all are used, or too old, another Azurite is started. The one before it stays for the tests
    that still use it. A machine without Azurite fails here, with the cure: a skipped test of
    storage would hide that nothing was tested.

    Args:
        lifetime: seconds in which an Azurite hands out accounts.
    """

    def __init__(self, lifetime: float = LIFETIME) -> None:
        self._lifetime = lifetime
        self._running: list[Azurite] = []
        self._free: list[str] = []
        self._end = 0.0
        # It is only used to start and stop Azurite, so nothing else needs to run it. The thread is
        # for tests that ask while a loop of theirs is running.
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        while self._running:
            self._do(self._running.pop().stop())
        self._close()

    @property
    def azurite(self) -> Azurite:
        """The one that was started last."""
        return self._running[-1]

    def fresh(self) -> str:
        """The connection string of an account without queues, containers and tables."""
        if not self._free or time.monotonic() > self._end:
            self._start()
        return self.azurite.connection_string(self._free.pop())

    def _start(self) -> None:
        names = [f"account{number:03}" for number in range(COUNT)]
        azurite = Azurite(accounts=names)
        self._do(azurite.start())
        self._running.append(azurite)
        self._free, self._end = names, time.monotonic() + self._lifetime
        if len(self._running) > 2:
            self._do(self._running.pop(0).stop())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._thread.submit(self._loop.run_until_complete, work).result()

    def _close(self) -> None:
        self._thread.shutdown()
        self._loop.close()
