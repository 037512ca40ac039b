"""HostLog: writes the log of an app, and marks each line that Azure would drop."""

import json
import logging
import sys
from pathlib import Path
from typing import TextIO

from emulator.functions.workers.invocation_task import in_running_invocation

LOST = "lost in Azure"

HOST_LOGGERS = ("emulator", "azure.functions", "azure_functions_runtime")
"""The loggers of this host and of the worker's library; all others are the app's."""

DIM, NORMAL = "\x1b[2m", "\x1b[0m"


class HostLog(logging.StreamHandler[TextIO]):
    """Writes to stderr.

    Azure's host drops a line that belongs to no running invocation (azure-functions-host,
    GrpcWorkerChannel.Log). Here such a line is marked, and dimmed if stderr is a terminal.

    Args:
        lost_log: file to which such lines are also appended, each as a JSON object with `logger`,
            `level` and `message`; None: no file.
    """

    def __init__(self, lost_log: Path | None = None) -> None:
        super().__init__(sys.stderr)
        self._lost_log = lost_log.open("a", encoding="utf-8") if lost_log else None
        self._dims = sys.stderr.isatty()
        self.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(mark)s%(message)s")
        )

    def format(self, record: logging.LogRecord) -> str:
        """The record's line. If Azure would drop it, mark it and append it to the lost log."""
        lost = not (_is_host_logger(record.name) or in_running_invocation())
        record.mark = f"[{LOST}] " if lost else ""
        text = super().format(record)
        if lost and self._lost_log:
            print(_as_json(record), file=self._lost_log, flush=True)
        return f"{DIM}{text}{NORMAL}" if lost and self._dims else text


def _is_host_logger(logger: str) -> bool:
    return any(f"{logger}.".startswith(f"{name}.") for name in HOST_LOGGERS)


def _as_json(record: logging.LogRecord) -> str:
    return json.dumps(
        {"logger": record.name, "level": record.levelname, "message": record.getMessage()}
    )
