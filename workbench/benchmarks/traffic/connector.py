"""ReplyConnector: receives the replies, verifies their tokens, and responds after a set latency.

The local cloud's own connector stores conversations for people to read, and is too slow for a
measurement.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import cast

import jwt

from benchmarks.traffic.http_stream import HttpStream
from bot_workbench.emulator.entra.verified_tokens import VerifiedTokens
from bot_workbench.emulator.loopback import LOOPBACK

_REPLY = re.compile(
    rb"POST /v3/conversations/(?P<conversation>[^/ ]+)/activities/?(?P<turn>[\w-]*) .*?"
    rb"\r\nauthorization: bearer (?P<token>[^\r]+)",
    re.IGNORECASE | re.DOTALL,
)
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
    b'Content-Length: 10\r\n\r\n{"id":"1"}'
)
_REFUSAL = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

TakeReply = Callable[[bytes, bytes], None]
"""Called with a turn's id and the body of its reply, once its token is verified."""

Respond = Callable[[bytes, bytes, bytes], bytes]
"""Called with a conversation's id as in the URL, a turn's id (empty: the URL has none), and the
body of a reply, once its token is verified. Returns the response."""


class ReplyConnector:
    """One HTTPS server for the replies of one bot.

    Args:
        tls: the server side of TLS.
        tokens: verifies the bot's tokens.
        app_id: GUID of the bot.

    Attributes:
        connections: accepted so far.
        latency: seconds from a reply to the response.
        take_reply: called with each reply.
        respond: responds to each reply; at first it calls `take_reply`.
    """

    def __init__(self, tls: ssl.SSLContext, tokens: VerifiedTokens, app_id: str) -> None:
        self._tls = tls
        self._tokens = tokens
        self._app_id = app_id
        self._server: asyncio.Server | None = None
        self.connections = 0
        self.latency = 0.0
        self.take_reply: TakeReply = lambda *_: None
        self.respond: Respond = self._accept
        self.port = 0

    @property
    def url(self) -> str:
        """The service URL that activities name."""
        return f"https://localhost:{self.port}/"

    async def start(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _ReplyConnection(self), LOOPBACK, 0, ssl=self._tls, backlog=512
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    def answer(self, head: bytes, body: bytes) -> bytes:
        """Handle a reply, and return the response to it."""
        match = _REPLY.match(head)
        if match is None or not self._is_from_bot(match["token"]):
            return _REFUSAL
        return self.respond(match["conversation"], match["turn"], body)

    def _accept(self, _: bytes, turn: bytes, body: bytes) -> bytes:
        self.take_reply(turn, body)
        return _ANSWER

    def _is_from_bot(self, token: bytes) -> bool:
        try:
            return self._tokens.app_id(token.decode()) == self._app_id
        except jwt.InvalidTokenError:
            return False


class _ReplyConnection(asyncio.Protocol):
    def __init__(self, connector: ReplyConnector) -> None:
        self._connector = connector
        self._stream = HttpStream()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have no base class.
        self._transport = cast("asyncio.Transport", transport)
        self._connector.connections += 1

    def data_received(self, data: bytes) -> None:
        for head, body in self._stream.messages(data):
            answer = self._connector.answer(head, body)
            if self._connector.latency:
                loop = asyncio.get_running_loop()
                loop.call_later(self._connector.latency, self._write, answer)
            else:
                self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)
