"""LivePages: the open pages, to which changes are sent as they happen, but not one by one."""

import asyncio
from collections import deque
from collections.abc import Callable

from aiohttp import web

from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_details import JsonObject, without_tokens
from bot_workbench.emulator.inspector.turns.turn_log import MAX_LOG_LINES, TurnLog

INTERVAL_SECONDS = 0.05
"""Between two messages to a page: it renders at most twenty times a second."""

HEARTBEAT_SECONDS = 30.0


class LivePages:
    """Serves WebSockets. A slow page gets fewer, larger messages; nothing waits for it.

    Args:
        log: whose changes are sent.
        hello: returns what a page gets first, without the turns.
    """

    def __init__(self, log: TurnLog, hello: Callable[[], JsonObject]) -> None:
        self._log = log
        self._hello = hello
        self._pages: set[LiveConnection] = set()
        log.listeners.append(self)

    def turn_changed(self, turn: Turn) -> None:
        """Send the turn to the pages."""
        for page in self._pages:
            page.add_turn(turn)

    def logged(self, line: JsonObject) -> None:
        """Send the line to the pages."""
        for page in self._pages:
            page.add_line(line)

    def cleared(self) -> None:
        """Let the pages remove all turns."""
        for page in self._pages:
            page.clear()

    def send(self, message: JsonObject) -> None:
        """Send every page a message, which replaces one of the same type that waits."""
        for page in self._pages:
            page.replace(message)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve a page until it closes the connection."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        page = LiveConnection(socket)
        self._pages.add(page)
        turns = [turn.summary() for turn in self._log.turns]
        page.add({"type": "hello", **self._hello(), "turns": turns})
        sending = asyncio.create_task(page.run())
        try:
            async for _ in socket:
                pass  # pages send nothing
        finally:
            self._pages.discard(page)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Close the connections."""
        pages = list(self._pages)
        await asyncio.gather(*(page.close() for page in pages), return_exceptions=True)


class LiveConnection:
    """One page, and what it has not been sent yet.

    Args:
        socket: leads to it.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._messages: list[JsonObject] = []
        self._lines: deque[JsonObject] = deque(maxlen=MAX_LOG_LINES)
        self._turns: dict[str, Turn] = {}
        self._waiting = asyncio.Event()

    def add(self, message: JsonObject) -> None:
        """Send a message after those that wait."""
        self._messages.append(message)
        self._waiting.set()

    def replace(self, message: JsonObject) -> None:
        """Send a message in place of one of its type."""
        self._messages = [each for each in self._messages if each["type"] != message["type"]]
        self.add(message)

    def add_line(self, line: JsonObject) -> None:
        """Send a log line; of those that wait, only the newest are sent."""
        self._lines.append(line)
        self._waiting.set()

    def add_turn(self, turn: Turn) -> None:
        """Send a turn's row as it is then."""
        self._turns[turn.id] = turn
        self._waiting.set()

    def clear(self) -> None:
        """Send that all turns were removed."""
        self._turns.clear()
        self._lines.clear()
        self.replace({"type": "cleared"})

    async def run(self) -> None:
        """Send what waits, until the connection is closed."""
        while not self._socket.closed:
            await self._waiting.wait()
            self._waiting.clear()
            for message in self._taken():
                await self._send(message)
            await asyncio.sleep(INTERVAL_SECONDS)

    def _taken(self) -> list[JsonObject]:
        lines = [{"type": "log", "log": line} for line in self._lines]
        messages, turns = [*self._messages, *lines], list(self._turns.values())
        for taken in (self._messages, self._lines, self._turns):
            taken.clear()
        if turns:
            rows = [turn.summary() for turn in turns]
            messages.append({"type": "turns", "turns": rows})
        return messages

    async def _send(self, message: JsonObject) -> None:
        await self._socket.send_str(without_tokens(message))

    async def close(self) -> None:
        """Close the connection."""
        await self._socket.close()
