"""Fixtures of the adapter's tests: services on loopback, and the app in Queued mode."""

import math
from collections.abc import AsyncIterator, Iterator, Mapping

import pytest

from auth.settings import StorageSource
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.queued.queued_turns import QUEUE, QueuedTurns
from cloud_adapter.storage.account import StorageAccount
from http_client.pool import HttpPool
from tests.support.bots.composed_app import ComposedApp
from tests.support.storage.queue_messages import QueueMessages
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
def stopped_clock(clock: MovedClock) -> Iterator[MovedClock]:
    """The same, and time passes only if the test moves it: no lease is opened or renewed before."""
    with clock.stopped():
        yield clock


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


@pytest.fixture
async def queued(
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    front: StorageFront,
    app_settings: Mapping[str, str],
) -> AsyncIterator[ComposedApp]:
    """The app in Queued mode, with the front before its storage account.

    No append is slow for it: on a busy machine, some would be, each with one more wake-up message.
    """
    defaults = QueuedTurns.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "slow_append_seconds", math.inf)
    storage = {"AzureWebJobsStorage": front.connection_string, "BotTurns": "Queued"}
    async with ComposedApp(cloud, monkeypatch, {**app_settings, **storage}) as app:
        yield app


@pytest.fixture
def wake_ups(storage: str) -> QueueMessages:
    """The queue of wake-up messages."""
    return QueueMessages(storage, QUEUE)
