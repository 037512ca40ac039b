"""Recording: what the recorder has seen, on its way to the local cloud."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from emulator.recorder.secrecy import Secrecy
from emulator.recorder.turn import RecordedTurn, current_turn

log = logging.getLogger("emulator.recorder")


class Recording:
    """Sends events, without secrets.

    Args:
        send: takes a line for the feed.
        secrecy: removes secrets.

    Attributes:
        is_detailed: whether all of a turn is recorded; otherwise only that something failed.
    """

    def __init__(self, send: Callable[[bytes], None], secrecy: Secrecy) -> None:
        self.is_detailed = False
        self._send = send
        self._secrecy = secrecy
        self._has_failed = False

    def report(self, event: str, turn: RecordedTurn | None, **fields: Any) -> None:
        """Report an event of a turn; a field `at` replaces the current time."""
        head = {"event": event, "turn": turn and turn.id, "at": time.time()}
        self._send(self._secrecy.line({**head, **fields}))

    def report_here(self, event: str, **fields: Any) -> None:
        """Report an event of the turn that the running code belongs to, if there is one."""
        if turn := current_turn():
            self.report(event, turn, **fields)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Let no fault of the recorder reach the bot; the first one is logged."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # the bot must run on, whatever it is
            if not self._has_failed:
                self._has_failed = True
                log.warning("The inspector misses something: %s: %s", type(error).__name__, error)
