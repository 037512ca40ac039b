"""AzuriteAccounts: one Azurite for the whole run, with an account of its own for each test."""

import asyncio
from typing import Self

from emulator.storage.azurite import Azurite

COUNT = 512
"""Accounts of one Azurite: they are declared at its start, in a variable that holds some 1,200."""


class AzuriteAccounts:
    """Runs Azurite in memory, and hands out storage accounts that no test has used before.

    When all are used, another Azurite is started. A machine without Azurite fails here, with the
    cure: a skipped test of storage would hide that nothing was tested.
    """

    def __init__(self) -> None:
        self._started: list[Azurite] = []
        self._free: list[str] = []
        # It is only used to start and stop Azurite, so no thread needs to run it.
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for azurite in self._started:
            self._loop.run_until_complete(azurite.stop())
        self._loop.close()

    @property
    def azurite(self) -> Azurite:
        """The one that was started last."""
        return self._started[-1]

    def fresh(self) -> str:
        """The connection string of an account without queues, containers and tables."""
        if not self._free:
            self._start()
        return self.azurite.connection_string(self._free.pop())

    def _start(self) -> None:
        names = [f"account{number:03}" for number in range(COUNT)]
        azurite = Azurite(accounts=names)
        self._loop.run_until_complete(azurite.start())
        self._started.append(azurite)
        self._free = names
