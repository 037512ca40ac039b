"""Lifeline: the connection between a host and its worker process, which ends with the host.

It is TCP on loopback, because Windows passes no other kind of socket to a process. The worker's
environment has the port and a secret, without which the host talks to nobody.
"""

import json
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from bot_workbench.emulator.loopback import LOOPBACK, GuardedPort

Command = Mapping[str, Any]
"""A request of the host: `{"do": ..., ...}`."""


class LifelineAddress(GuardedPort):
    """Where the host listens for one worker; only that worker has it."""

    SETTING = "FUNCTIONS_LIFELINE"


class Lifeline:
    """The worker's end.

    When the host ends, even if it is killed, the kernel closes the other end; then the worker exits
    too.

    Args:
        address: the host's.

    Raises:
        OSError: the host is gone.
    """

    def __init__(self, address: LifelineAddress) -> None:
        self._socket = socket.create_connection((LOOPBACK, address.port))
        self._socket.sendall(address.secret.encode() + b"\n")

    def watch(self, on_command: Callable[[Command], None]) -> None:
        """From now on, exit when the host is gone, and pass on what it asks for.

        In a thread of its own: a function may block the event loop.
        """
        thread = threading.Thread(
            target=self._watch, args=[on_command], name="lifeline", daemon=True
        )
        thread.start()

    def report(self, content: Mapping[str, Any]) -> None:
        """Answer a command: one line of JSON."""
        self._socket.sendall(json.dumps(content).encode() + b"\n")

    def _watch(self, on_command: Callable[[Command], None]) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                for line in lines:
                    on_command(json.loads(line))
        finally:
            os._exit(1)
