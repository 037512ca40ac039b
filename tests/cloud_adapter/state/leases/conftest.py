"""Fixtures of the tests of leases: a conversation that is known, and the locks of processes."""

from collections.abc import AsyncIterator

import pytest
from azure.storage.blob.aio import BlobClient

from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import CONTAINER, EMPTY_STATE
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer


@pytest.fixture(autouse=True)
async def _known(account: StorageAccount) -> None:
    """The conversation had turns before."""
    await BlobContainer(account, CONTAINER).write("c", EMPTY_STATE, None)


@pytest.fixture
def one(account: StorageAccount) -> ConversationLocks:
    """A process's locks."""
    return ConversationLocks(BlobContainer(account, CONTAINER))


@pytest.fixture
def other(account: StorageAccount) -> ConversationLocks:
    """Another process's locks, over the same account."""
    return ConversationLocks(BlobContainer(account, CONTAINER))


@pytest.fixture
def far(far_account: StorageAccount) -> ConversationLocks:
    """A process's locks, whose account is behind the proxy."""
    return ConversationLocks(BlobContainer(far_account, CONTAINER))


@pytest.fixture
async def blob(storage: str) -> AsyncIterator[BlobClient]:
    """The blob whose lease decides about the conversation `c`."""
    async with BlobClient.from_connection_string(storage, CONTAINER, "c") as blob:
        yield blob
