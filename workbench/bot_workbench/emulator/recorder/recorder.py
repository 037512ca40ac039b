"""Recorder: reports the turns of a bot's process to the local cloud, from within the process.

Nothing that is deployed knows of it: it watches the moments of the app's `http_client.observer`.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot_workbench.emulator.feed.feed_address import FeedAddress
from bot_workbench.emulator.feed.feed_client import FeedClient
from bot_workbench.emulator.recorder import queue_steps, turns
from bot_workbench.emulator.recorder.libraries import Libraries
from bot_workbench.emulator.recorder.log_lines import LogLines
from bot_workbench.emulator.recorder.recording import Observe, Recording, Watch
from bot_workbench.emulator.recorder.watches import EVENTS, SPANS

HOOK = "http_client.observer"
"""The module of the app that lets others watch its moments."""


@dataclass(frozen=True)
class Observer:
    """An observer, see the `Observer` of HOOK."""

    watches: Mapping[str, Watch]
    trace_parent: Callable[[], str] = str


class Recorder:
    """Watches one process.

    Args:
        address: the local cloud's feed.
        settings: the process's environment.
    """

    def __init__(self, address: FeedAddress, settings: Mapping[str, str]) -> None:
        self.feed = FeedClient(address, "worker", settings)
        """The connection to the local cloud."""
        self._recording = Recording(self.feed.send)
        self._log_lines = LogLines(self._recording)
        self._observers = (
            Observer(self._watches(SPANS)),
            Observer(self._watches(EVENTS), queue_steps.trace_parent),
        )
        self._hook: Any = None
        self._libraries = Libraries()

    def start(self) -> None:
        """Connect to the feed, and report log lines."""
        self.feed.start()
        self._log_lines.install()

    def app_imported(self) -> None:
        """Watch the app from now on, unless it is one without moments.

        It is called before the app's first invocation, and before its warm-up.
        """
        with self._recording.guarded():
            self._hook = sys.modules.get(HOOK)
            if self._hook is not None:
                for each in self._observers:
                    self._hook.attach(each)
                self._libraries.install(self._hook.moment)

    def invoke(
        self, function: str, data: Any, trace_parent: str, run: Awaitable[Any]
    ) -> Awaitable[Any]:
        """Await an invocation of a function, see `turns.invoke`."""
        self._libraries.replace()
        return turns.invoke(self._recording, function, data, trace_parent, run)

    def close(self) -> None:
        """Watch nothing any more, and close the connection to the feed."""
        with self._recording.guarded():
            self._log_lines.remove()
            self._libraries.remove()
            if self._hook is not None:
                for each in self._observers:
                    self._hook.detach(each)
        self.feed.close()

    def _watches(self, table: Mapping[str, Observe]) -> Mapping[str, Watch]:
        return {name: self._recording.watch(observe) for name, observe in table.items()}


def start_recorder(environ: Mapping[str, str]) -> Recorder | None:
    """Start this process's recorder, if there is a local cloud; it runs until the process ends.

    Args:
        environ: the process's environment, with the feed's address.
    """
    address = FeedAddress.of(environ)
    if address is None:
        return None
    recorder = Recorder(address, dict(environ))
    recorder.start()
    return recorder
