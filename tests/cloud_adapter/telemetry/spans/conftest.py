"""What the tests of spans share: the app with telemetry, and what it exports."""

from collections.abc import Mapping

import pytest

from tests.support.telemetry.exported_spans import TELEMETRY_ON, ExportedSpans


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> ExportedSpans:
    """The spans that have ended."""
    return ExportedSpans(monkeypatch)


@pytest.fixture
def app_settings() -> Mapping[str, str]:
    """Telemetry is on."""
    return TELEMETRY_ON
