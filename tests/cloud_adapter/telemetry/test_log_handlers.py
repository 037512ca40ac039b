"""An exporter that fails costs few lines of the log."""

import logging

import pytest

from cloud_adapter.telemetry.log_handlers import MAX_LENGTH, PAUSE_SECONDS, ExportLog
from tests.support.timing.clock import Clock


def record(text: str, name: str = "opentelemetry.exporter") -> logging.LogRecord:
    """What an exporter logs."""
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, (), None)


def test_one_line_in_ten_minutes(caplog: pytest.LogCaptureFixture) -> None:
    """Each of the exporters' loggers is heard once, and again after ten minutes."""
    clock = Clock()
    handler = ExportLog(clock)
    for _ in range(100):
        handler.emit(record("refused"))
    handler.emit(record("401", "azure.monitor.opentelemetry.exporter"))
    assert caplog.messages == [
        "Exporting telemetry: refused (opentelemetry.exporter)",
        "Exporting telemetry: 401 (azure.monitor.opentelemetry.exporter)",
    ]
    clock.advance(PAUSE_SECONDS)
    handler.emit(record("still refused"))
    assert len(caplog.messages) == 3


def test_only_the_first_line(caplog: pytest.LogCaptureFixture) -> None:
    """What a service answers is cut: it may be a whole page."""
    ExportLog().emit(record("refused " * 500 + "\nsecond line"))
    [line] = caplog.messages
    assert "second" not in line
    assert len(line) < MAX_LENGTH + 100
