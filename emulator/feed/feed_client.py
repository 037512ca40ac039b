"""FeedClient: a bot's process reports to the local cloud's feed."""

import contextlib
import json
import os
import queue
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from emulator.feed.feed_address import FeedAddress
from emulator.loopback import LOOPBACK


class FeedClient:
    """Sends events in the background: callers never wait, whatever the local cloud does.

    It has threads of its own, because it serves processes with any event loop, and before one runs.

    Args:
        address: the feed's.
        role: `host` or `worker`.
        on_record: called in a thread with whether turns are to be recorded, at each change.
    """

    def __init__(
        self, address: FeedAddress, role: str, on_record: Callable[[bool], None] = lambda _: None
    ) -> None:
        self._address = address
        self._role = role
        self._on_record = on_record
        self._events: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._writing = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Connect in the background. Without a local cloud, events are dropped."""
        self._writing.start()

    def send(self, event: Mapping[str, Any]) -> None:
        """Send an event: JSON, but for values that are sent as their text."""
        self._events.put(event)

    def close(self, timeout_seconds: float = 1.0) -> None:
        """Send what waits, for at most `timeout_seconds`, and close the connection."""
        self._events.put(None)
        self._writing.join(timeout_seconds)

    def _run(self) -> None:
        try:
            with socket.create_connection((LOOPBACK, self._address.port)) as connection:
                self._report(connection)
        except OSError:  # the local cloud is gone: drop what is sent from now on
            while self._events.get() is not None:
                pass

    def _report(self, connection: socket.socket) -> None:
        self._write(connection, self._greeting())
        threading.Thread(target=self._read, args=[connection], name="feed", daemon=True).start()
        while (event := self._events.get()) is not None:
            self._write(connection, event)

    def _greeting(self) -> Mapping[str, Any]:
        return {"secret": self._address.secret, "role": self._role, "pid": os.getpid()}

    def _write(self, connection: socket.socket, event: Mapping[str, Any]) -> None:
        connection.sendall(json.dumps(event, default=str).encode() + b"\n")

    def _read(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection.makefile("rb") as lines:
            for line in lines:
                self._on_record(bool(json.loads(line).get("record")))
