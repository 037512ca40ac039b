"""Fixtures of the tests of state: the app with each kind of storage, and a bot that counts."""

from collections.abc import AsyncIterator, Mapping

import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import RememberingBot, changed
from tests.support.storage.storage_front import StorageFront


@pytest.fixture(params=["blobs", "memory"])
def app_settings(request: pytest.FixtureRequest, storage: str) -> Mapping[str, str]:
    """State in blobs and in memory."""
    return {"AzureWebJobsStorage": storage} if request.param == "blobs" else {}


@pytest.fixture
def bot(app: ComposedApp) -> RememberingBot:
    """A bot that counts."""
    return RememberingBot(app.parts)


@pytest.fixture
async def far(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """The composed app, whose storage account is behind the proxy."""
    changes = {"AzureWebJobsStorage": front.connection_string}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        # The container exists, so that requests can be counted.
        await changed(app, "webchat/conversations/other", "x", 1)
        yield app
