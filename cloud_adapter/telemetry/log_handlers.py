"""Logging handlers: LogExport for the app's log lines, and ExportLog for those of the exporters.

An exporter logs each failed attempt, in a thread of its own, whose lines the Functions host drops.
"""

import logging
import time
from collections.abc import Callable

from opentelemetry import _logs
from opentelemetry._logs import SeverityNumber

log = logging.getLogger(__name__)

NOT_EXPORTED = (
    "opentelemetry",
    "azure.monitor",
    "azure.core",
    "urllib3",
    "azure.functions",
    "azure_functions_runtime",
    "proxy_worker",
    "proxy_worker_errors",
)
"""The loggers of the exporters themselves, whose lines would follow each export, and of the worker,
which logs a line per invocation. The host collects these itself, in every mode.
(azure-functions-python-worker, proxy_worker.logging, is_system_log_category)"""

SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}

EXPORTERS = ("opentelemetry", "azure.monitor.opentelemetry")
"""The loggers of OpenTelemetry and of Microsoft's exporter."""

PARSER = "opentelemetry.util.re"
"""The logger that quotes OTEL_EXPORTER_OTLP_HEADERS if they are not valid: they may hold a key."""

PAUSE_SECONDS = 600.0
"""The least time between two lines of the same logger: an exporter that cannot reach its endpoint
fails every few seconds."""

MAX_LENGTH = 300
"""The number of characters of an exporter's message that are logged."""


class LogExport(logging.Handler):
    """A handler of the root logger that passes its records to the global logger provider.

    A record's text is that of any other handler, with the traceback in it: nothing else of an
    exception is exported, because its arguments may quote a user.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record for export; a thread sends it."""
        if _is_within(record.name, NOT_EXPORTED):
            return
        _logs.get_logger(record.name).emit(
            timestamp=int(record.created * 1e9),
            severity_number=SEVERITIES.get(record.levelno, SeverityNumber.UNSPECIFIED),
            severity_text=record.levelname,
            body=self.format(record),
        )


def _is_within(name: str, parents: tuple[str, ...]) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


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
