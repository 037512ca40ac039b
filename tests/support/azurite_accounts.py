"""AzuriteAccounts: one Azurite for the whole run, with an account of its own for each test."""

import asyncio
from collections.abc import Iterator
from typing import Self

from emulator.azurite import Azurite

COUNT = 512
"""Accounts are declared at start; the environment variable that declares them holds some 1,200."""


class AzuriteAccounts:
    """Runs Azurite in memory, and hands out storage accounts that no test has used before.

    A machine without Azurite fails here, with the cure: a skipped test of storage would hide that
    nothing was tested.
    """

    def __init__(self) -> None:
        names = [f"account{number:03}" for number in range(COUNT)]
        self.azurite = Azurite(accounts=names)
        self._free: Iterator[str] = iter(names)
        # Waits for nothing between start and end: no thread needs to run it.
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Self:
        self._loop.run_until_complete(self.azurite.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self.azurite.stop())
        self._loop.close()

    def fresh(self) -> str:
        """The connection string of an account without queues, containers and tables."""
        account = next(self._free, None)
        assert account, f"more than {COUNT} tests asked for an account: raise COUNT"
        return self.azurite.connection_string(account)
