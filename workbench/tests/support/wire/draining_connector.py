"""DrainingConnector: a Bot Connector that accepts any call and discards it.

It reads into one buffer, in a thread. So its allocations do not depend on what it receives, and a
test can measure the memory that the bot allocates in the same process.
"""

import contextlib
import re
import socket
import ssl
import threading
from typing import Self

from bot_workbench.emulator.loopback import LOOPBACK

_ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"id":"1"}'
)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class DrainingConnector:
    """Serves one connection at a time.

    Args:
        tls: the server side of TLS.

    Attributes:
        calls: how many it has answered.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.calls = 0
        self._tls = tls
        self._listening = socket.create_server((LOOPBACK, 0))
        self._buffer = memoryview(bytearray(64 * 1024))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._connection: ssl.SSLSocket | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, self._connection):
            if each is not None:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._thread.join(10)

    @property
    def service_url(self) -> str:
        """As the channel writes it into activities."""
        return f"https://localhost:{self._listening.getsockname()[1]}/"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # `__exit__` closes the sockets
            while True:
                accepted, _ = self._listening.accept()
                wrapped = self._tls.wrap_socket(accepted, server_side=True)
                with contextlib.suppress(ssl.SSLError), wrapped as self._connection:
                    while self._drained(wrapped):
                        wrapped.sendall(_ANSWER)
                        self.calls += 1

    def _drained(self, connection: ssl.SSLSocket) -> bool:
        """Read one whole request; False if the client closes the connection before its end."""
        size = 0
        while (end := bytes(self._buffer[:size]).find(b"\r\n\r\n")) < 0:
            read = connection.recv_into(self._buffer[size:])
            if not read:
                return False
            size += read
        length = _LENGTH.search(self._buffer[:end])
        left = (int(length[1]) if length else 0) - (size - end - 4)
        while left > 0:
            read = connection.recv_into(self._buffer, min(left, len(self._buffer)))
            if not read:
                return False
            left -= read
        return True
