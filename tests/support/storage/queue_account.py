"""The Functions host's access to an account's queues, for a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emulator.functions.queues.account import QueueAccount
from emulator.functions.queues.storage_connection import DEFAULT, StorageConnection


@asynccontextmanager
async def queue_account(connection_string: str) -> AsyncIterator[QueueAccount]:
    """The account that a connection string names, without pauses between attempts."""
    connection = StorageConnection.of("queue", DEFAULT, {DEFAULT: connection_string})
    account = QueueAccount(connection, {}, retry_pauses=(0.0, 0.0))
    yield account
    account.close()
