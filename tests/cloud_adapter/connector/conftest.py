"""What the tests of the connector session share."""

import pytest

from cloud_adapter.connector.session import ConnectorSession
from http_client.pool import HttpPool
from tests.support.timing.moved_clock import MovedClock


@pytest.fixture
def session(pool: HttpPool, clock: MovedClock) -> ConnectorSession:
    return ConnectorSession(pool, clock.sleep)
