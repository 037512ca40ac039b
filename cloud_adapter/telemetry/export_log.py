"""ExportLog: turns what the exporters log into few lines of the app's own log.

An exporter logs each failed attempt, in a thread of its own, whose lines the Functions host drops.
"""

import logging
import time
from collections.abc import Callable

EXPORTERS = ("opentelemetry", "azure.monitor.opentelemetry")
"""The loggers of OpenTelemetry and of Microsoft's exporter."""

PARSER = "opentelemetry.util.re"
"""The logger that quotes OTEL_EXPORTER_OTLP_HEADERS if they are not valid: they may hold a key."""

PAUSE_SECONDS = 600.0
"""How long after a line no further line is logged for the same logger: an exporter that cannot
reach its endpoint fails every few seconds."""

MAX_LENGTH = 300
"""The number of characters of an exporter's message that are logged."""

log = logging.getLogger(__name__)


class ExportLog(logging.Handler):
    """Logs the first warning of each of the exporters' loggers, and then one every ten minutes.

    Args:
        clock: seconds, from any starting point.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._clock = clock
        self._next: dict[str, float] = {}

    def attach(self) -> None:
        """Take the place of the root logger's handlers for the exporters' loggers."""
        for name in EXPORTERS:
            logger = logging.getLogger(name)
            logger.propagate = False
            logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record's first line, unless its logger's last line is too recent."""
        now = self._clock()
        if now < self._next.get(record.name, now):
            return
        self._next[record.name] = now + PAUSE_SECONDS
        # Only a part of the text, without the traceback: what a service answers may be long.
        message = str(record.msg) if record.name == PARSER else record.getMessage()
        text = message.partition("\n")[0][:MAX_LENGTH]
        log.warning("Exporting telemetry: %s (%s)", text, record.name)
