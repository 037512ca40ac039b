"""FeedClient: a bot's process reports to the local cloud's feed."""

import contextlib
import json
import os
import socket
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.feed.feed_address import FeedAddress
from bot_workbench.emulator.feed.secrecy import Secrecy
from bot_workbench.emulator.loopback import LOOPBACK

MAX_WAITING_BYTES = 32 * 1024 * 1024
"""The limit of what waits for a slow local cloud. Beyond it, events are dropped, and counted."""

MAX_WRITE_BYTES = 1024 * 1024


class FeedClient:
    """Sends events, without secrets, in the background: callers never wait for the local cloud.

    It has a thread of its own, because it serves processes with any event loop, and before one
    runs. A connection that is lost is not opened again: each local cloud starts its own bot.

    Args:
        address: the feed's.
        role: `host` or `worker`.
        settings: the process's environment, whose secrets no event shows.
    """

    def __init__(self, address: FeedAddress, role: str, settings: Mapping[str, str]) -> None:
        self._address = address
        self._role = role
        self._secrecy = Secrecy(settings)
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._is_closed = self._is_lost = False
        self._changed = threading.Condition()
        self._writing = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Connect in the background. Without a local cloud, events are dropped."""
        self._writing.start()

    def send(self, event: Mapping[str, Any]) -> None:
        """Send an event: JSON, but for values that are sent as their text.

        Raises:
            ValueError, RecursionError: it contains itself, or nests too deeply.
        """
        line = self._secrecy.line(event)
        with self._changed:
            if self._is_lost or self._is_closed:
                return
            if self._waiting_bytes + len(line) > MAX_WAITING_BYTES:
                self._dropped += 1
                return
            if self._dropped:
                notice = _encoded({"event": "dropped", "count": self._dropped})
                self._dropped = 0
                self._append(notice)
            self._append(line)
            self._changed.notify()

    def close(self, timeout_seconds: float = 1.0) -> None:
        """Send what waits, for at most `timeout_seconds`, and close the connection."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._writing.join(timeout_seconds)

    def _append(self, line: bytes) -> None:
        self._waiting.append(line)
        self._waiting_bytes += len(line)

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # the local cloud is gone
            address = (LOOPBACK, self._address.port)
            with socket.create_connection(address) as connection:
                self._report(connection)
        with self._changed:
            self._is_lost = True
            self._waiting.clear()
            self._waiting_bytes = 0

    def _report(self, connection: socket.socket) -> None:
        greeting = {"secret": self._address.secret, "role": self._role, "pid": os.getpid()}
        connection.sendall(_encoded(greeting))
        while lines := self._next():
            connection.sendall(lines)

    def _next(self) -> bytes:
        """Waiting lines, up to a limit; empty once the client is closed and everything is sent."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            lines: list[bytes] = []
            size = 0
            while self._waiting and (not lines or size + len(self._waiting[0]) <= MAX_WRITE_BYTES):
                lines.append(self._waiting.popleft())
                size += len(lines[-1])
            self._waiting_bytes -= size
        return b"".join(lines)


def _encoded(event: Mapping[str, Any]) -> bytes:
    """The client's own event as a line."""
    return json.dumps(event).encode() + b"\n"
