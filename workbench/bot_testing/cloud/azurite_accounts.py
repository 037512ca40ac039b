"""AzuriteAccounts: a storage account of its own for each test, in an Azurite that tests share."""

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from bot_workbench.emulator.storage.azurite import Azurite

COUNT = 512
"""Accounts of one Azurite: they are declared at its start, in a variable that holds some 1,200."""

MAX_AGE_SECONDS = 240.0
"""An older Azurite hands out no accounts. Ten minutes after its start, Azurite deletes overwritten
blobs, and answers nothing meanwhile: over two minutes for 12,800 blobs, four times as long for
twice as many."""


class AzuriteAccounts:
    """Runs Azurite in memory, and hands out storage accounts that no test has used before.

    When all accounts are used, or the Azurite is too old, another one is started. The previous one
    keeps running for tests that still use it; the one before that is stopped. A machine without
    Azurite fails here, with the cure: a skipped test of storage would hide that nothing was tested.

    Args:
        max_age_seconds: an older Azurite hands out no accounts.
    """

    def __init__(self, max_age_seconds: float = MAX_AGE_SECONDS) -> None:
        self._max_age_seconds = max_age_seconds
        self._running: list[Azurite] = []
        self._free: list[str] = []
        self._end = 0.0
        # The loop only starts and stops Azurites. It runs in a thread because the test that calls
        # `fresh` may have a running loop.
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
        try:
            while self._running:
                self._do(self._running.pop().stop())
        finally:
            self._close()

    @property
    def azurite(self) -> Azurite:
        """The one that was started last."""
        return self._running[-1]

    def fresh(self) -> str:
        """The connection string of an account without queues, containers and tables.

        It can be used until its Azurite has been replaced twice. If another Azurite must be
        started, this blocks until it answers.
        """
        if not self._free or time.monotonic() > self._end:
            self._start()
        return self.azurite.connection_string(self._free.pop())

    def _start(self) -> None:
        names = [f"account{number:03}" for number in range(COUNT)]
        azurite = Azurite(accounts=names)
        self._do(azurite.start())
        self._running.append(azurite)
        self._free, self._end = names, time.monotonic() + self._max_age_seconds
        if len(self._running) > 2:
            self._do(self._running.pop(0).stop())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._thread.submit(self._loop.run_until_complete, work).result()

    def _close(self) -> None:
        self._thread.shutdown()
        self._loop.close()
