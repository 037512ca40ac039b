"""Fixtures of the tests of the connector: sessions and clients."""

from typing import Any

import pytest

from auth.bot_framework import BotCredentials
from cloud_adapter.connector.client import ConnectorClient, ConnectorSession, Service
from http_client.pool import HttpPool
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.connector_calls import ConnectorCalls
from tests.support.wire.scripted_service import ScriptedService


@pytest.fixture
def calls(pool: HttpPool, service: ScriptedService, stopped_clock: MovedClock) -> ConnectorCalls:
    """Calls of a session whose pauses take no time; nor does the machine, of the turn's seconds."""
    return ConnectorCalls(ConnectorSession(pool, stopped_clock.sleep), service, stopped_clock)


@pytest.fixture
async def bare(pool: HttpPool, service: ScriptedService) -> Any:
    """A client without a token, in front of a service that takes any request."""
    credentials = BotCredentials("", None, "https://api.botframework.com")
    return ConnectorClient(ConnectorSession(pool), Service(f"{service.url}/", credentials, None))
