"""LogLines: the log lines of turns, and those outside of them, as the host shows them."""

import logging
import traceback
from collections.abc import Callable

from emulator.recorder.recording import Recording
from emulator.recorder.shown import shown_text
from emulator.recorder.turn import RecordedTurn, current_turn

OTHERS = ("emulator", "azure.functions", "azure_functions_runtime", "azure_functions_worker")
"""Loggers of hosts and workers, which are not the bot's."""

_TURN = "recorded_turn"
"""The attribute of a record with the turn that logged it: it may be held, and shown later."""


class LogLines(logging.Handler):
    """Reports what reaches the root logger.

    Args:
        recording: gets the lines.
    """

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording
        self._make: Callable[..., logging.LogRecord] | None = None

    def install(self) -> None:
        """Listen to the root logger, and note each record's turn when it is made."""
        if self._make is None:
            self._make = logging.getLogRecordFactory()
            logging.setLogRecordFactory(self._made)
            logging.getLogger().addHandler(self)

    def remove(self) -> None:
        """Undo `install`."""
        logging.getLogger().removeHandler(self)
        # A factory that somebody has set since calls this one.
        if logging.getLogRecordFactory() == self._made and self._make is not None:
            logging.setLogRecordFactory(self._make)
            self._make = None

    def _made(self, *args: object, **kwargs: object) -> logging.LogRecord:
        make: Callable[..., logging.LogRecord] = self._make or logging.LogRecord
        record = make(*args, **kwargs)
        setattr(record, _TURN, current_turn())
        return record

    def emit(self, record: logging.LogRecord) -> None:
        """Report a record."""
        if any(f"{record.name}.".startswith(f"{name}.") for name in OTHERS):
            return
        with self._recording.guarded():
            turn: RecordedTurn | None = getattr(record, _TURN, None)
            trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
            self._recording.report(
                "log",
                turn,
                at=record.created,
                level=record.levelname,
                logger=record.name,
                text=shown_text(record.getMessage()),
                traceback=shown_text(trace) or None,
            )
