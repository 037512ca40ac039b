"""StorageProxy: passes requests on to a storage account after a delay, and records each of them.

Every connection has its own to the account, and every request its own delay: nothing waits for
another connection's request.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

import httptools

from benchmarks.state.storage.call import BLOB, QUEUE, StorageCall
from bot_workbench.emulator.loopback import LOOPBACK

_MESSAGE = b"<QueueMessage>"


class StorageProxy:
    """A way to the blobs and queues of an account.

    Args:
        ports: the account's ports on loopback, by service.

    Attributes:
        latency: seconds by which each request is delayed.
        ports: its own ports by service, once started.
    """

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._upstream_ports = ports
        self._servers: list[asyncio.Server] = []
        self._running: set[StorageCall] = set()
        self._last_ended = 0.0
        self.latency = 0.0
        self._calls: list[StorageCall] = []
        self.ports: dict[str, int] = {}

    async def start(self) -> None:
        """Listen on a free port for each service."""
        for service in (BLOB, QUEUE):
            server = await asyncio.get_running_loop().create_server(
                self._connections(service), LOOPBACK, 0, backlog=512
            )
            self._servers.append(server)
            self.ports[service] = server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    async def idle(self, seconds: float) -> None:
        """Wait until no request has been in progress for so long, polls aside."""
        # Nothing can signal that no further request comes.
        while self._is_busy or time.perf_counter() < self._last_ended + seconds:  # noqa: ASYNC110
            await asyncio.sleep(seconds / 4)

    @property
    def _is_busy(self) -> bool:
        return any(not call.is_poll for call in self._running)

    def take_calls(self) -> list[StorageCall]:
        """Every call since the last time; polls in progress are left for the next time."""
        waiting = [call for call in self._calls if call.is_poll and call in self._running]
        taken = [call for call in self._calls if call not in waiting]
        self._calls = waiting
        return taken

    def begin(self, service: str, method: bytes, target: bytes) -> StorageCall:
        """Record a request."""
        call = StorageCall(service, method.decode(), target.decode(), time.perf_counter())
        self._calls.append(call)
        self._running.add(call)
        return call

    def end(self, call: StorageCall, response: bytes) -> None:
        """Record the response to a request."""
        call.ended = time.perf_counter()
        call.is_empty = call.is_poll and _MESSAGE not in response
        self._running.discard(call)
        if not call.is_empty:
            self._last_ended = call.ended

    def abandon(self, call: StorageCall) -> None:
        """Forget a request whose connection is closed."""
        self._running.discard(call)

    def _connections(self, service: str) -> Callable[[], asyncio.Protocol]:
        async def connect(client: _Client) -> _Upstream:
            _, upstream = await asyncio.get_running_loop().create_connection(
                lambda: _Upstream(client), LOOPBACK, self._upstream_ports[service]
            )
            return upstream

        return lambda: _Client(self, service, connect)


class _Client(asyncio.Protocol):
    """A connection from the bot or its host, with one request at a time."""

    def __init__(
        self,
        proxy: StorageProxy,
        service: str,
        connect: Callable[["_Client"], Coroutine[Any, Any, "_Upstream"]],
    ) -> None:
        self._proxy = proxy
        self._service = service
        self._connect = connect
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._upstream: asyncio.Future[_Upstream]
        self._received = b""
        self._target = b""
        self._call: StorageCall | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have no base class.
        self._transport = cast("asyncio.Transport", transport)
        self._upstream = asyncio.ensure_future(self._connect(self))
        self._upstream.add_done_callback(self._connected)

    def _connected(self, upstream: "asyncio.Future[_Upstream]") -> None:
        if not _has_result(upstream):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_message_complete(self) -> None:
        self._call = self._proxy.begin(self._service, self._parser.get_method(), self._target)
        request, self._received, self._target = self._received, b"", b""
        if self._proxy.latency:
            loop = asyncio.get_running_loop()
            loop.call_later(self._proxy.latency, self._pass_on, request)
        else:
            self._pass_on(request)

    def _pass_on(self, request: bytes) -> None:
        def send(upstream: "asyncio.Future[_Upstream]") -> None:
            if _has_result(upstream):
                assert self._call is not None
                upstream.result().send(request, self._call.method)

        if self._upstream.done():
            send(self._upstream)
        else:
            self._upstream.add_done_callback(send)

    def answer(self, response: bytes) -> None:
        """Pass a whole response on."""
        assert self._call is not None
        call, self._call = self._call, None
        self._transport.write(response)
        self._proxy.end(call, response)

    def close(self) -> None:
        """The account has closed the connection."""
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._call is not None:
            self._proxy.abandon(self._call)
        if _has_result(self._upstream):
            self._upstream.result().close()
        self._upstream.cancel()


class _Upstream(asyncio.Protocol):
    """The connection to the account that belongs to one from the bot."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._received = b""
        self._is_head = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, method: str) -> None:
        """Send a request."""
        self._is_head = method == "HEAD"
        if not self._transport.is_closing():
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._parser.feed_data(data)
        if self._is_head and self._received.endswith(b"\r\n\r\n"):
            # The parser waits for the body that the Content-Length is about.
            self._parser = httptools.HttpResponseParser(self)
            self.on_message_complete()

    def on_message_complete(self) -> None:
        if not self._received:  # the parser has seen the end of a HEAD response, too
            return
        response, self._received = self._received, b""
        self._client.answer(response)

    def close(self) -> None:
        """Close it."""
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._client.close()


def _has_result(future: "asyncio.Future[_Upstream]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
