"""HostLog: the log of an app, with the lines marked that Azure would drop or repeat.

Azure's host drops a line that belongs to no running invocation (azure-functions-host,
GrpcWorkerChannel.Log): it is marked here. It logs some lines twice: see `worker_console`.
"""

import json
import logging
import sys
from pathlib import Path
from typing import TextIO

from bot_workbench.emulator.functions.workers.invocation_task import in_running_invocation
from bot_workbench.emulator.recorder.preview import without_own_frames
from bot_workbench.emulator.terminal.colors import has_colors

LOST = "lost in Azure"

CONSOLE = "Host.Function.Console"
"""The category of what Azure's host reads from a worker's stdout."""

HOST_LOGGERS = ("bot_workbench", "azure.functions", "azure_functions_runtime")
"""The loggers of this host and of the worker's library; all others are the app's."""

DIM, NORMAL = "\x1b[2m", "\x1b[0m"


class HostLog(logging.StreamHandler[TextIO]):
    """Writes to stderr. A line that Azure would drop is marked, and dimmed on a terminal."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._dims = has_colors(sys.stderr)
        self.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(mark)s%(message)s")
        )

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        lost = is_lost(record)
        record.mark = f"[{LOST}] " if lost else ""
        text = without_own_frames(super().format(record))
        return f"{DIM}{text}{NORMAL}" if lost and self._dims else text


class LostLineFile(logging.FileHandler):
    """Appends each line that Azure would drop: JSON with `logger`, `level` and `message`.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self.addFilter(is_lost)

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        return json.dumps(
            {"logger": record.name, "level": record.levelname, "message": record.getMessage()}
        )


class CustomerLogFilter(logging.Filter):
    """Passes the app's records. Apps find the handler of Azure's worker by this class's name."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is the app's."""
        return not _is_host_logger(record.name)


class _FurtherLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        _, *lines = super().format(record).split("\n")
        return "".join(f"{CONSOLE}: {line}\n" for line in lines)


def worker_console() -> logging.Handler:
    """The handler that Azure's worker leaves on the root logger, and which writes to stdout.

    There, the first line of each record has a prefix by which the host knows that it has the record
    already. The host logs the others a second time, so this handler writes those.
    Source: azure-functions-python-worker, workers/proxy_worker/logging.py; azure-functions-host,
    WorkerProcess.BuildAndLogConsoleLog.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.terminator = ""  # most records have a single line, which prints nothing here
    handler.setLevel(logging.INFO)
    handler.setFormatter(_FurtherLines())
    handler.addFilter(CustomerLogFilter())
    return handler


def is_lost(record: logging.LogRecord) -> bool:
    """Whether Azure would drop a line that is logged here and now."""
    return not (_is_host_logger(record.name) or in_running_invocation())


def _is_host_logger(logger: str) -> bool:
    return any(f"{logger}.".startswith(f"{name}.") for name in HOST_LOGGERS)
