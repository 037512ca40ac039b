"""Recording: what the recorder has seen, on its way to the local cloud."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bot_workbench.emulator.recorder.turn import RecordedTurn

log = logging.getLogger("bot_workbench.emulator.recorder")


class Recording:
    """Sends events.

    Args:
        send: takes an event for the feed.

    Attributes:
        is_detailed: whether all of a turn is recorded; otherwise only that something failed.
    """

    def __init__(self, send: Callable[[Mapping[str, Any]], None]) -> None:
        self.is_detailed = False
        self._send = send
        self._has_failed = False

    def report(self, event: str, turn: RecordedTurn | None, **fields: Any) -> None:
        """Report an event of a turn; a field `at` replaces the current time."""
        head = {"event": event, "turn": turn and turn.id, "at": time.time()}
        self._send({**head, **fields})

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Let no fault of the recorder reach the bot; the first one is logged."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # the bot must run on, whatever it is
            if not self._has_failed:
                self._has_failed = True
                log.warning(
                    "The inspector could not record something: %s: %s", type(error).__name__, error
                )
