"""ConnectProxy: an HTTPS proxy that reaches the stand-ins of Azure's services and nothing else."""

import asyncio
import contextlib
from collections import Counter

from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.network.public_names import PublicNames

HTTPS = "443"
HEAD_LIMIT_BYTES = 16 * 1024
CHUNK_BYTES = 64 * 1024


class ConnectProxy:
    """Opens tunnels (RFC 9110, section 9.3.6) to known names on port 443; answers 403 to others.

    It looks up no host name, and connects to loopback only.

    Args:
        names: the names that it knows.

    Attributes:
        tunnels: tunnels opened so far, by host name.
        refused: requests refused so far, by the target that they named.
        port: the port that it listens on, once it is started.
    """

    def __init__(self, names: PublicNames) -> None:
        self.names = names
        self.tunnels: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The value of HTTPS_PROXY."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen on `port`; 0 takes the port of the last start, or a free one the first time.

        Raises:
            OSError: the port is in use.
        """
        self._server = await asyncio.start_server(
            self._accept, LOOPBACK, port or self.port, limit=HEAD_LIMIT_BYTES
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the socket and every tunnel."""
        if self._server is None:
            return
        self._server.close()
        for task in self._callers:
            task.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not a coroutine: `stop` must know of a task that has not run yet.
        task = asyncio.create_task(self._serve(reader, writer))
        self._callers.add(task)
        task.add_done_callback(self._callers.discard)
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = await _requested(reader)
        if target is None:
            await _refuse(writer, "400 Bad Request", "The request is malformed.")
            return
        host, _, port = target.rpartition(":")
        local_port = self.names.port(host) if port == HTTPS else None
        if local_port is None:
            self.refused[target] += 1
            await _refuse(writer, "403 Forbidden", f"{target} has no stand-in.")
            return
        try:
            server = await asyncio.open_connection(LOOPBACK, local_port)
        except OSError:
            await _refuse(writer, "502 Bad Gateway", f"The stand-in of {host} does not listen.")
            return
        self.tunnels[host.lower()] += 1
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join((reader, writer), server)


async def _requested(reader: asyncio.StreamReader) -> str | None:
    """The target of a CONNECT request, or the URL of another one; None if it is malformed."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.partition(b"\r\n")[0].decode("ascii").split(" ")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return None
    # A URL has no port 443 at its end, so a request for plain HTTP is refused as unknown.
    return target if method == "CONNECT" else f"{method} {target}"


async def _refuse(writer: asyncio.StreamWriter, status: str, text: str) -> None:
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}"
    writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(caller: Streams, server: Streams) -> None:
    """Pass bytes both ways until both sides are done, or one is lost."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(caller[0], server[1]))
            group.create_task(_pump(server[0], caller[1]))
    except* OSError:
        pass
    finally:
        server[1].transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    if not writer.is_closing():
        writer.write_eof()
