"""LogLines: the log lines of turns, and those outside of them."""

import logging
import traceback
from collections.abc import Callable

from bot_workbench.emulator.recorder.preview import text_preview
from bot_workbench.emulator.recorder.recording import Recording, current_turn

OTHERS = ("bot_workbench", "azure.functions", "azure_functions_runtime", "azure_functions_worker")
"""Loggers of hosts and workers, which are not the bot's."""

MakeRecord = Callable[..., logging.LogRecord]


class LogLines:
    """Reports records when they are made, in the context of what logs them.

    The base holds lines from between invocations back until the next one, so the root logger gets
    some of them late, in the context of another turn.

    Args:
        recording: gets the lines.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._make: MakeRecord = logging.LogRecord
        self._is_installed = False

    def install(self) -> None:
        """Take the place of what makes log records."""
        if logging.getLogRecordFactory() != self._made:
            self._make = logging.getLogRecordFactory()
            logging.setLogRecordFactory(self._made)
        self._is_installed = True

    def remove(self) -> None:
        """Undo `install`; a factory that somebody has set since may go on calling this one."""
        self._is_installed = False
        if logging.getLogRecordFactory() == self._made:
            logging.setLogRecordFactory(self._make)

    def _made(self, *args: object, **kwargs: object) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        if self._is_installed and not _is_other(record.name):
            with self._recording.guarded():
                self._report(record)
        return record

    def _report(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self._recording.report(
            "log",
            current_turn(),
            at=record.created,
            level=record.levelname,
            logger=record.name,
            text=text_preview(record.getMessage()),
            traceback=text_preview(trace) or None,
        )


def _is_other(logger: str) -> bool:
    return any(f"{logger}.".startswith(f"{name}.") for name in OTHERS)
