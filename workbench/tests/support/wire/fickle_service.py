"""FickleService: a service that hangs up on idle connections."""

import asyncio
import socket
import ssl

from aiohttp import web

from tests.support.wire.scripted_service import ScriptedService


class FickleService(ScriptedService):
    """Answers 200, and closes its connections when the test says so, before any event loop notices.

    Args:
        tls: the server side of TLS; None serves plain HTTP.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self._open: set[asyncio.Transport] = set()
        self.otherwise = self._remember

    async def _remember(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self._open.add(request.transport)
        return web.Response()

    def close_idle(self) -> None:
        """Send each connection's end."""
        for transport in self._open:
            sock = transport.get_extra_info("socket")
            # uvloop's transports expose a socket that does not support `shutdown`: duplicate it.
            with socket.fromfd(sock.fileno(), sock.family, sock.type) as duplicate:
                duplicate.shutdown(socket.SHUT_WR)
        self._open.clear()

    async def send_unrequested(self) -> None:
        """Send something that answers no request."""
        for transport in self._open:
            transport.write(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(0)  # uvloop writes after all ready callbacks have run
