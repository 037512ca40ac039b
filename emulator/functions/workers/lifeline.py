"""Lifeline: what ties a worker process to its host."""

import json
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any


class Lifeline:
    """The worker's end of a socket whose other end the host holds, and nobody else.

    When the host is gone, killed even, the kernel closes its end; then the worker ends, too.

    Args:
        descriptor: the inherited socket.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        # What the app starts must not get it.
        self._socket.set_inheritable(False)

    def watch(self) -> None:
        """From now on, end this process when the host is gone.

        In a thread of its own: a function may block the event loop.
        """
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def report(self, content: Mapping[str, Any]) -> None:
        """Tell the host that the worker is ready: one line of JSON."""
        self._socket.sendall(json.dumps(content).encode() + b"\n")

    def _watch(self) -> None:
        try:
            while self._socket.recv(1):
                pass
        finally:
            os._exit(1)
