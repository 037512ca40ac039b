"""HttpStream: splits a connection's bytes into HTTP/1.1 messages, with the least possible work.

The load and the reply connector share one core, and the bot under test waits for both. They handle
only as much of RFC 9112 as the compared bots send.
"""

import re

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class HttpStream:
    """Buffers received bytes and returns complete messages."""

    def __init__(self) -> None:
        self._buffer = b""

    def messages(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The messages that `data` completes: head (first line and headers) and body of each.

        Raises:
            ValueError: a body is chunked.
        """
        buffer = self._buffer + data if self._buffer else data
        found = []
        while (end := buffer.find(_END)) >= 0:
            head = buffer[:end]
            begin, length = end + len(_END), _length(head)
            if len(buffer) < begin + length:
                break
            found.append((head, buffer[begin : begin + length]))
            buffer = buffer[begin + length :]
        self._buffer = buffer
        return found


def _length(head: bytes) -> int:
    match = _LENGTH.search(head)
    if match is not None:
        return int(match[1])
    if _CHUNKED.search(head):
        raise ValueError("a chunked body")
    return 0
