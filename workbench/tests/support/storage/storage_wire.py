"""StorageWire: stands in front of a storage account, records what is sent to it, and slows it."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.timing.condition import comes_true
from tests.support.wire.running_service import RunningService

_ENDPOINT = re.compile(r"(Blob|Queue)Endpoint=http://127\.0\.0\.1:(\d+)")
_REQUEST = re.compile(rb"([A-Z]+) /[^/? ]+/?(\S*) HTTP/1\.1\r\n")
_CHUNK_BYTES = 256 * 1024

QUIET_SECONDS = 0.5
MAX_WAIT = 120.0

_ANSWER_BYTES = 4096
"""The part of each answer that is kept."""


@dataclass
class Exchange:
    """A request and its answer.

    Attributes:
        name: method, service, and the operation's `comp` if it has one: `PUT blob lease`.
        path: below the account, still encoded, with the query.
        began, ended: positions in the order of events at this storage. It ends with its answer, or
            when its connection ends; until then, ended is 0.
        replies: the messages that the bot had sent when it ended.
        sent, received: bytes, with the headers.
        answer: the beginning of the answer.
    """

    name: str
    path: str
    began: int
    ended: int = 0
    replies: int = 0
    sent: int = 0
    received: int = 0
    answer: bytes = b""

    @property
    def is_poll(self) -> bool:
        """The host asks for messages."""
        return self.name == "GET queue"

    @property
    def delivers(self) -> bool:
        """The host got messages."""
        return self.is_poll and b"<MessageId>" in self.answer


def round_trips(exchanges: list[Exchange]) -> int:
    """The round trips among them: those that were open together count as one."""
    count, end = 0, 0
    for exchange in sorted(exchanges, key=lambda each: each.ended):
        if exchange.began > end:
            count, end = count + 1, exchange.ended
    return count


class StorageWire(RunningService):
    """Passes bytes on, both ways, and records them by request.

    Args:
        connection_string: the account's, in Azurite.
        delays: seconds that a request waits before it is passed on, by the start of its name.

    Attributes:
        connection_string: the same account's, through here.
        exchanges: in the order in which they began.
        replies: returns how many messages the bot has sent; a test may set it.
        events: how many requests began, parts of answers came, and requests were given up.
    """

    def __init__(self, connection_string: str, delays: Mapping[str, float] | None = None) -> None:
        self.connection_string = connection_string
        self.exchanges: list[Exchange] = []
        self.replies: Callable[[], int] = lambda: 0
        self.events = 0
        self._delays = delays or {}
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open a port for each service."""
        for endpoint in _ENDPOINT.finditer(self.connection_string):
            server = await self._server(endpoint[1].lower(), int(endpoint[2]))
            port = server.sockets[0].getsockname()[1]
            self._servers.append(server)
            self.connection_string = self.connection_string.replace(
                endpoint[0], f"{endpoint[1]}Endpoint=http://{LOOPBACK}:{port}"
            )

    async def stop(self) -> None:
        """Close the ports, and every connection."""
        for server in self._servers:
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def since(self, position: int = 0) -> list[Exchange]:
        """The exchanges from a position in `exchanges` on, without polls that found nothing."""
        return [each for each in self.exchanges[position:] if each.delivers or not each.is_poll]

    async def quiet(self) -> None:
        """Wait until nothing but polls was sent for a while."""
        quiet_since, count = time.monotonic(), 0

        def is_quiet() -> bool:
            nonlocal quiet_since, count
            exchanges = self.since()
            if len(exchanges) > count or not all(each.ended for each in exchanges):
                quiet_since, count = time.monotonic(), len(exchanges)
            return time.monotonic() - quiet_since > QUIET_SECONDS

        await comes_true(is_quiet, MAX_WAIT)

    async def _server(self, service: str, port: int) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            ends = [writer]
            try:
                far_reader, far_writer = await asyncio.open_connection(LOOPBACK, port)
                ends.append(far_writer)
                await self._pass_on(service, (reader, writer), (far_reader, far_writer))
            except (OSError, asyncio.CancelledError):
                pass  # whatever ended it, both ends are to see it
            finally:
                for end in ends:
                    end.transport.abort()
                self._connections.discard(task)

        return await asyncio.start_server(serve, LOOPBACK, limit=_CHUNK_BYTES)

    async def _pass_on(
        self,
        service: str,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Pass on what one connection sends: a request starts where something follows an answer."""
        exchange: Exchange | None = None

        async def requests() -> None:
            nonlocal exchange
            while data := await near[0].read(_CHUNK_BYTES):
                start = _REQUEST.match(data)
                if start and (exchange is None or exchange.ended):
                    exchange = self._begin(service, start[1].decode(), start[2].decode())
                    await asyncio.sleep(self._delay(exchange.name))
                if exchange is not None:
                    exchange.sent += len(data)
                far[1].write(data)
                await far[1].drain()
            raise ConnectionAbortedError

        async def answers() -> None:
            while data := await far[0].read(_CHUNK_BYTES):
                if exchange is not None:
                    self.events += 1
                    exchange.ended, exchange.replies = self.events, self.replies()
                    exchange.received += len(data)
                    exchange.answer += data[: _ANSWER_BYTES - len(exchange.answer)]
                near[1].write(data)
                await near[1].drain()
            raise ConnectionAbortedError

        try:
            await asyncio.gather(requests(), answers())
        finally:
            if exchange is not None and not exchange.ended:
                self.events += 1
                exchange.ended, exchange.replies = self.events, self.replies()

    def _begin(self, service: str, method: str, path: str) -> Exchange:
        comp = re.search(r"[?&]comp=(\w+)", path)
        name = " ".join(filter(None, (method, service, comp and comp[1])))
        self.events += 1
        exchange = Exchange(name, path, self.events)
        self.exchanges.append(exchange)
        return exchange

    def _delay(self, name: str) -> float:
        return max((self._delays[key] for key in self._delays if name.startswith(key)), default=0.0)
