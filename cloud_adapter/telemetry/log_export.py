"""LogExport: exports the app's log lines, each with the ids of its trace and span."""

import logging

from opentelemetry import _logs
from opentelemetry._logs import SeverityNumber

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
