"""What the tests of spans share: apps with telemetry, and what they export."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bot_workbench.emulator.cloud import Cloud
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
def connector_faults(cloud: Cloud) -> Iterator[Any]:
    """The faults of the connector, which is healthy again afterwards."""
    yield cloud.connector.server.faults
    cloud.connector.server.faults.clear()
