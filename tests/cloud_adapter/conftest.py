"""What the adapter's tests share: services on loopback, and the app in front of the local cloud."""

from collections.abc import AsyncIterator

import pytest

from auth.http_pool import HttpPool
from emulator.cloud import Cloud
from tests.support.composed_app import ComposedApp
from tests.support.scripted_service import ScriptedService


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
async def app(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ComposedApp]:
    """The composed app in front of the shared local cloud."""
    async with ComposedApp(cloud, monkeypatch) as app:
        yield app
