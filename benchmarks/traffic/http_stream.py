"""HttpStream: HTTP/1.1 messages out of a connection's bytes, as little of them as a count needs.

The load and the connector's stand-in share one core: whatever they spend, the bot under test waits
for. They know each other's peers, so no more of RFC 9112 is read than those peers send.
"""

import re

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class HttpStream:
    """Collects what arrives and gives back whole messages."""

    def __init__(self) -> None:
        self._waiting = b""

    def messages(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The messages that are complete with `data`: head (its first line and headers), body.

        Raises:
            ValueError: a body without a length of its own.
        """
        waiting = self._waiting + data if self._waiting else data
        found = []
        while (end := waiting.find(_END)) >= 0:
            head = waiting[:end]
            begin, length = end + len(_END), _length(head)
            if len(waiting) < begin + length:
                break
            found.append((head, waiting[begin : begin + length]))
            waiting = waiting[begin + length :]
        self._waiting = waiting
        return found


def _length(head: bytes) -> int:
    match = _LENGTH.search(head)
    if match is not None:
        return int(match[1])
    if _CHUNKED.search(head):
        raise ValueError("a chunked body")
    return 0
