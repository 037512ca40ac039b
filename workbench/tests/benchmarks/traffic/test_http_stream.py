"""HTTP messages come out of a connection's bytes whole, however they arrive."""

import pytest

from benchmarks.traffic.http_stream import HttpStream

ONE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"
EMPTY = b"HTTP/1.1 202 Accepted\r\nServer: z\r\n\r\n"


def test_messages_byte_by_byte() -> None:
    """Each message is returned once, with its last byte."""
    stream = HttpStream()
    found = [stream.messages(bytes([byte])) for byte in ONE + EMPTY]
    assert found[len(ONE) - 1] == [(ONE.partition(b"\r\n\r\n")[0], b"hello")]
    assert found[-1] == [(EMPTY.removesuffix(b"\r\n\r\n"), b"")]
    assert sum(map(len, found)) == 2


def test_two_messages_at_once() -> None:
    """Messages that arrive together are returned together."""
    bodies = [body for _, body in HttpStream().messages(ONE + ONE)]
    assert bodies == [b"hello", b"hello"]


def test_a_chunked_body_is_refused() -> None:
    """A body of unknown length raises ValueError."""
    with pytest.raises(ValueError, match="chunked"):
        HttpStream().messages(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
