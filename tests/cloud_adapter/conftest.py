"""What the adapter's tests share: services on loopback."""

from collections.abc import AsyncIterator

import pytest

from auth.settings import StorageSource
from cloud_adapter.storage.account import StorageAccount
from http_client.pool import HttpPool
from tests.support.storage.storage_front import StorageFront
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import ScriptedService


@pytest.fixture
async def service() -> AsyncIterator[ScriptedService]:
    """A service that answers as the test says."""
    async with ScriptedService() as service:
        yield service


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    """The app's pooled client."""
    pool = HttpPool()
    yield pool
    await pool.close()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    """The event loop's clock, to be moved."""
    return MovedClock(monkeypatch)


@pytest.fixture
async def account(storage: str) -> AsyncIterator[StorageAccount]:
    """The bot's storage account, whose retries follow at once."""
    account = StorageAccount(StorageSource(storage), HttpPool(), max_retry_pause=0)
    yield account
    await account.close()


@pytest.fixture
async def front(storage: str) -> AsyncIterator[StorageFront]:
    """A proxy in front of that account, which can inject faults."""
    async with StorageFront(storage) as front:
        yield front


@pytest.fixture
async def far_account(front: StorageFront) -> AsyncIterator[StorageAccount]:
    """The bot's storage account, through the proxy."""
    account = StorageAccount(StorageSource(front.connection_string), HttpPool(), max_retry_pause=0)
    yield account
    await account.close()
