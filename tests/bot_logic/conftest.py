"""What the bot's tests share: the app in front of the local cloud."""

from collections.abc import AsyncIterator

import pytest

from emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp


@pytest.fixture
async def app(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ComposedApp]:
    """The composed app in front of the shared local cloud."""
    async with ComposedApp(cloud, monkeypatch) as app:
        yield app
