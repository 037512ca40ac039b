"""ProcessExit: how the host's process ends."""

import asyncio
import logging
import os
import signal
import sys
import threading
from typing import NoReturn

from bot_workbench.emulator.functions.folder_snapshot import FolderSnapshot

LOG = logging.getLogger("bot_workbench.emulator.functions.process_exit")

MAX_STOP_SECONDS = 0.8
"""From the signal on; then the process exits, even if a function blocks its event loop, unless the
host gives functions time."""


SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform == "win32":
    SIGNALS.append(signal.SIGBREAK)  # how Child asks a process to stop


class ProcessExit:
    """Ends the process on SIGINT or SIGTERM, as Azure kills its workers: no exit handler runs, and
    no log handler is flushed.

    Args:
        before: the app's folder, if the app must not change it; the exit status is then 1 if it
            has. Otherwise the status is 0.
        is_patient: functions run in other processes, and SIGTERM gives them time. SIGINT does not.
    """

    def __init__(self, before: FolderSnapshot | None, *, is_patient: bool = False) -> None:
        self._before = before
        self._is_patient = is_patient
        self._exiting = threading.Lock()
        self.requested = asyncio.Event()
        """Set when a signal has arrived, or the host ends itself."""

    def handle_signals(self) -> None:
        """Set the signal handlers, for the running event loop."""
        loop = asyncio.get_running_loop()

        def handle(number: int, _frame: object) -> None:
            if number == signal.SIGINT or not self._is_patient:
                # While a function blocks the event loop, nobody sees that `requested` is set.
                last_resort = threading.Timer(MAX_STOP_SECONDS, self._exit)
                last_resort.daemon = True
                last_resort.start()
            loop.call_soon_threadsafe(self.requested.set)

        for number in SIGNALS:
            signal.signal(number, handle)

    def exit(self) -> NoReturn:
        """Exit, with everything printed."""
        sys.stdout.flush()
        self._exit()

    def _exit(self) -> NoReturn:
        self._exiting.acquire()  # the first caller's alone: only one logs the changes
        os._exit(1 if self._is_changed() else 0)

    def _is_changed(self) -> bool:
        changes = ", ".join(map(str, self._before.changes())) if self._before else ""
        if changes:
            LOG.error("The app's folder is read-only in Azure, but was written to: %s", changes)
        return bool(changes)
