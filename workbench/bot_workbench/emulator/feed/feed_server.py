"""FeedServer: where the local cloud receives what the bot's processes report."""

import asyncio
import contextlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

from bot_workbench.emulator.feed.feed_address import FeedAddress
from bot_workbench.emulator.loopback import LOOPBACK

MAX_LINE_BYTES = 64 * 1024 * 1024
"""An event may have a stored state before and after a turn."""

Event = dict[str, Any]


class FeedServer:
    """Accepts connections of processes that know its secret, and that send lines of JSON.

    A process's first line is `{"secret": ..., "role": "host" or "worker", "pid": ...}`; each other
    one is an event.

    Attributes:
        on_event: called with each event, which gets its process's `role` and `pid`; also called
            with `{"event": "connected"}` and `{"event": "disconnected"}`.
    """

    def __init__(self) -> None:
        self.on_event: Callable[[Event], None] = lambda _: None
        self._secret = secrets.token_urlsafe(24)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._connections: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> FeedAddress:
        """Where it listens, once it is started."""
        return FeedAddress(self._port, self._secret)

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0, limit=MAX_LINE_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._connections:
            writer.close()
        await self._server.wait_closed()
        self._server = None

    def _knows_secret(self, greeting: Event) -> bool:
        secret = str(greeting.get("secret")).encode(errors="replace")
        return hmac.compare_digest(secret, self._secret.encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            # A process that is killed resets its connection; ValueError: a line is too long.
            with contextlib.suppress(ConnectionError, ValueError), contextlib.closing(writer):
                await self._receive(reader)
        finally:
            self._connections.discard(writer)

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        first = _parsed(await reader.readline())
        if first is None or not self._knows_secret(first):
            return
        of = {"role": first.get("role"), "pid": first.get("pid")}
        try:
            self.on_event({"event": "connected", **of})
            while line := await reader.readline():
                if (event := _parsed(line)) is not None:
                    self.on_event({**event, **of})
        finally:
            self.on_event({"event": "disconnected", **of})


def _parsed(line: bytes) -> Event | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
