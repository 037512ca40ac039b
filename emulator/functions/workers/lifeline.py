"""Lifeline: the socket that ends a worker process when its host is gone."""

import json
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any


class Lifeline:
    """The worker's end of a socket; the other end belongs to the host alone.

    When the host ends, even if it is killed, the kernel closes that end; then the worker exits too.

    Args:
        descriptor: the inherited socket.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        # Processes that the app starts must not inherit it.
        self._socket.set_inheritable(False)

    def watch(self) -> None:
        """From now on, exit when the host is gone.

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
