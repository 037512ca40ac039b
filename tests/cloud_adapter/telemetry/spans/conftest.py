"""What the tests of spans share: apps with telemetry, and what they export."""

import math
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from cloud_adapter.queued.queued_turns import QUEUE, QueuedTurns
from emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront
from tests.support.telemetry.exported_spans import TELEMETRY_ON, ExportedSpans


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> ExportedSpans:
    """The spans that have ended."""
    return ExportedSpans(monkeypatch)


@pytest.fixture
def app_settings() -> Mapping[str, str]:
    """Telemetry is on."""
    return TELEMETRY_ON


@pytest.fixture
async def queued(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """The app in Queued mode, with the front before its storage account.

    No append is slow for it: on a busy machine, some would be, each with one more wake-up message.
    """
    defaults = QueuedTurns.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "slow_append_seconds", math.inf)
    storage = front.connection_string
    changes = {**TELEMETRY_ON, "AzureWebJobsStorage": storage, "BotTurns": "Queued"}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        yield app


@pytest.fixture
def wake_ups(storage: str) -> QueueMessages:
    """The queue of wake-up messages."""
    return QueueMessages(storage, QUEUE)


@pytest.fixture
def connector_faults(cloud: Cloud) -> Iterator[Any]:
    """The faults of the connector, which is healthy again afterwards."""
    yield cloud.connector.server.faults
    cloud.connector.server.faults.clear()
