"""HostLog: what an app logs, with a mark on each line that nobody would see in Azure."""

import json
import logging
import sys
from pathlib import Path
from typing import TextIO

from emulator.invocation_task import in_running_invocation

LOST = "lost in Azure"

HOSTS_OWN = ("emulator", "azure.functions", "azure_functions_runtime")
"""The loggers of this host and of the worker's library, whose lines are not the app's."""

DIM, NORMAL = "\x1b[2m", "\x1b[0m"


class HostLog(logging.StreamHandler[TextIO]):
    """Writes to stderr.

    The cloud's host drops a line that belongs to no running invocation (azure-functions-host,
    GrpcWorkerChannel.Log): here it is dimmed, where stderr is a terminal, and marked.

    Args:
        lost_log: file that such lines are also appended to, as one JSON object each with `logger`,
            `level` and `message`; None: none.
    """

    def __init__(self, lost_log: Path | None = None) -> None:
        super().__init__(sys.stderr)
        self._lost_log = lost_log.open("a", encoding="utf-8") if lost_log else None
        self._dims = sys.stderr.isatty()
        self.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(mark)s%(message)s")
        )

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, with its mark when it is lost, which is also taken down."""
        lost = not (_is_the_hosts(record.name) or in_running_invocation())
        record.mark = f"[{LOST}] " if lost else ""
        text = super().format(record)
        if lost and self._lost_log:
            print(_as_json(record), file=self._lost_log, flush=True)
        return f"{DIM}{text}{NORMAL}" if lost and self._dims else text


def _is_the_hosts(logger: str) -> bool:
    return any(f"{logger}.".startswith(f"{name}.") for name in HOSTS_OWN)


def _as_json(record: logging.LogRecord) -> str:
    return json.dumps(
        {"logger": record.name, "level": record.levelname, "message": record.getMessage()}
    )
