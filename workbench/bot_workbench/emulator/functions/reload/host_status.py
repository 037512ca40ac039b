"""HostStatus: reports on the terminal and to the local cloud whether the app's code answers."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bot_workbench.emulator.feed.feed_address import FeedAddress
from bot_workbench.emulator.feed.feed_client import FeedClient

SHOWN_FILES = 3

UNSHOWN = {
    "bot_workbench.emulator.functions.timers.listener": ("Timer %s ran",),
    "bot_workbench.emulator.functions.queues.listener": (
        "Message %s of %s processed",
        "Queue %s does not exist",
    ),
}
"""By logger, how log lines begin that are not shown: the local cloud prints lines of its own."""


class HostStatus:
    """Reports each change of state once: on stdout, and to the feed, if there is one.

    Args:
        environ: names the feed.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = FeedAddress.of(environ)
        self._feed = FeedClient(address, "host", environ) if address else None
        self._generation = 0
        self._started_at = 0.0
        self._files: Sequence[str] = ()
        self._fault = ""

    def starting(self) -> None:
        """The host has started."""
        if self._feed is not None:
            self._feed.start()
            for name in UNSHOWN:
                logging.getLogger(name).addFilter(_is_shown)
        self._send("starting")

    def loading(self, files: Sequence[str], saved_at: float) -> None:
        """The code is being loaded.

        Args:
            files: what was changed; empty at the start.
            saved_at: when that was noticed (time.perf_counter).
        """
        self._started_at, self._files = saved_at, files
        self._send("loading")

    def ready(self) -> None:
        """The code that was loaded answers."""
        self._generation += 1
        self._fault = ""
        if self._files:
            print(f"Reloaded in {self._milliseconds() / 1000:.2f} s: {self._shown()}", flush=True)
        self._send("ready", ms=self._milliseconds())

    def broken(self, fault: str) -> None:
        """The code does not load. A save that leaves the same fault is noticed without it.

        Args:
            fault: why, in one line.
        """
        text = f"{fault}; fix and save"
        if text != self._fault:
            print(text, flush=True)
        elif self._files:
            print(f"Saved {self._shown()}: the same error as above; fix and save", flush=True)
        self._fault = text
        self._send("broken", text=text, ms=self._milliseconds())

    def ran(self, function: str, turn: str, seconds: float, fault: str) -> None:
        """A function with another trigger than HTTP has run.

        Args:
            function: its name.
            turn: the trace id of the run.
            seconds: how long it took.
            fault: why it failed, in one line; empty: it did not.
        """
        if self._feed is not None:
            ms, at = round(seconds * 1000, 1), time.time() - seconds
            event = {"event": "function", "turn": turn, "name": function, "at": at, "ms": ms}
            self._feed.send({**event, "ok": not fault, "error": fault})

    def stopped(self) -> None:
        """The host stops."""
        self._send("stopped")
        if self._feed is not None:
            self._feed.close()

    def _milliseconds(self) -> float:
        return round((time.perf_counter() - self._started_at) * 1000, 1)

    def _shown(self) -> str:
        more = len(self._files) - SHOWN_FILES
        return ", ".join(self._files[:SHOWN_FILES]) + (f" and {more} more" if more > 0 else "")

    def _send(self, state: str, text: str = "", ms: float | None = None) -> None:
        if self._feed is None:
            return
        event: dict[str, Any] = {"event": "status", "state": state, "text": text, "ms": ms}
        self._feed.send(
            {**event, "generation": self._generation, "files": self._files, "at": time.time()}
        )


def _is_shown(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(UNSHOWN[record.name])
