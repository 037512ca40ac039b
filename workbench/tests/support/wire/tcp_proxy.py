"""TcpProxy: a port in front of another one, which can be cut off, or fall silent."""

import asyncio
import socket
import struct

from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.wire.running_service import RunningService

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: what is closed is reset."""


class TcpProxy(RunningService):
    """Passes bytes on, both ways, unless the test cuts or freezes it.

    Args:
        target_port: where it leads, on loopback.

    Attributes:
        port: where it listens, the same after each `cut` and `start`.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target = target_port
        self._server: asyncio.Server | None = None
        self._open = False
        self._flows = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen, also again after `cut`, and let through what `freeze` held back."""
        self._open = True
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """The end of it."""
        await self.cut()

    async def cut(self) -> None:
        """Refuse new connections, and reset those that are open."""
        self._open = False
        if self._server is None:
            return
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def freeze(self) -> None:
        """Accept connections, keep those that are open, and let nothing through."""
        await self.start()
        self._flows.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        ends = [writer]
        try:
            if self._open:
                far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target)
                ends.append(far_writer)
                await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass  # whatever ended it, both ends are to see it
        finally:
            for end in ends:
                _reset(end)
            self._connections.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    if end is not None and end.fileno() >= 0:  # uvloop returns None after the transport closed
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
