"""Fixtures of the tests of proactive messages: the composed app with storage, and a clock."""

from collections.abc import Iterator, Mapping

import pytest

from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.faults import Faults
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.notifier import Notifier
from tests.support.timing.stepped_clock import SteppedClock


@pytest.fixture
def clock() -> SteppedClock:
    """The notifications' time."""
    return SteppedClock()


@pytest.fixture
def app_settings(storage: str) -> Mapping[str, str]:
    """The composed app has storage."""
    return {"AzureWebJobsStorage": storage}


@pytest.fixture
async def notifier(app: ComposedApp, clock: SteppedClock) -> Notifier:
    """The app's notifications."""
    return Notifier(app, clock)


@pytest.fixture
def faults(cloud: Cloud) -> Iterator[Faults]:
    """The faults of the connector, which is healthy again afterwards."""
    yield cloud.connector.server.faults
    cloud.connector.server.faults.clear()
