"""Recorder: reports the turns of a bot's process to the local cloud, from within the process.

Nothing that is deployed knows of it: it replaces the functions that it watches, and puts them back
when no inspector is open any more.
"""

import threading
from collections.abc import Mapping

from bot_workbench.emulator.feed.feed_address import FeedAddress
from bot_workbench.emulator.feed.feed_client import FeedClient
from bot_workbench.emulator.recorder.interception import (
    Arguments,
    Interception,
    Interceptions,
    Observer,
)
from bot_workbench.emulator.recorder.observers.invocations import invocation
from bot_workbench.emulator.recorder.observers.log_lines import LogLines
from bot_workbench.emulator.recorder.recording import Recording
from bot_workbench.emulator.recorder.rows import ALWAYS, DETAILS


class Recorder:
    """Watches one process.

    Args:
        address: the local cloud's feed.
        settings: the process's environment.
    """

    def __init__(self, address: FeedAddress, settings: Mapping[str, str]) -> None:
        self.feed = FeedClient(address, "worker", settings, self._record)
        """What reports to the local cloud."""
        self._recording = Recording(self.feed.send)
        self._log_lines = LogLines(self._recording)
        self._always = Interceptions(ALWAYS, self._recording)
        self._details = Interceptions((), self._recording)
        self._changing = threading.RLock()

    def start(self) -> None:
        """Connect to the feed, and watch the process."""
        self._always.install()
        self.feed.start()

    def close(self) -> None:
        """Put everything back, and close the connection to the feed."""
        self._record(False)
        with self._changing:
            self._always.remove()
        self.feed.close()

    def _record(self, is_detailed: bool) -> None:
        """Called in the feed's thread."""
        with self._recording.guarded(), self._changing:
            if is_detailed == self._recording.is_detailed:
                return
            self._recording.is_detailed = is_detailed
            if is_detailed:
                invocation = Interception(
                    "azure_functions_runtime", "invocation_request", self._invoked
                )
                self._details = Interceptions((invocation, *DETAILS), self._recording)
                self._details.install()
                self._log_lines.install()
            else:
                self._details.remove()
                self._log_lines.remove()

    def _invoked(self, recording: Recording, call: Arguments) -> Observer:
        """An invocation: by now, the app is imported."""
        self._details.install_late()
        yield from invocation(recording, call)


def start_recorder(environ: Mapping[str, str]) -> None:
    """Start this process's recorder, if there is a local cloud; it runs until the process ends.

    Args:
        environ: the process's environment, with the feed's address.
    """
    address = FeedAddress.of(environ)
    if address is not None:
        Recorder(address, dict(environ)).start()
