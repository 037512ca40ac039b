"""What the adapter's tests share: the app in Queued mode."""

from collections.abc import AsyncIterator

import pytest

from cloud_adapter.queued.queued_turns import QUEUE
from emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront


@pytest.fixture
async def queued(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """The app in Queued mode, with the front before its storage account."""
    changes = {"AzureWebJobsStorage": front.connection_string, "BotTurns": "Queued"}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        yield app


@pytest.fixture
def wake_ups(storage: str) -> QueueMessages:
    """The app's queue of wake-up messages."""
    return QueueMessages(storage, QUEUE)
