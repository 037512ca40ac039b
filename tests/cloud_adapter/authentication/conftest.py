"""Fixtures of the tests of authentication."""

from collections.abc import AsyncIterator

import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp
from tests.support.wire.scripted_service import ScriptedService


@pytest.fixture
async def open_app(
    cloud: Cloud, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ComposedApp]:
    """An app without authentication; `service` is its token service."""
    changes = {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true", "OAuthUrl": service.url}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        yield app
