"""The Functions host's access to an account's queues, for a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot_workbench.emulator.functions.storage.connection import DEFAULT, StorageConnection
from bot_workbench.emulator.functions.storage.service import StorageService


@asynccontextmanager
async def host_queues(connection_string: str) -> AsyncIterator[StorageService]:
    """The account that a connection string names, without pauses between attempts."""
    connection = StorageConnection.of("queue", DEFAULT, {DEFAULT: connection_string})
    account = StorageService(connection, {}, retry_pauses=(0.0, 0.0))
    yield account
    account.close()
