"""InspectorClient: calls the inspector's API as its page does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.timing.condition import SECONDS, found

BASE = "/api/inspector"


class LiveView:
    """What a page knows from the WebSocket.

    Attributes:
        hello: the first message.
        messages: all others.
        turns: rows by id.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.hello: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.turns: dict[str, dict[str, Any]] = {}
        self._socket = socket

    async def run(self) -> None:
        """Receive messages until the connection is closed."""
        async for message in self._socket:
            self._take(message.json())

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "hello":
            self.hello = message
        else:
            self.messages.append(message)
        if message["type"] == "cleared":
            self.turns.clear()
        self.turns |= {turn["id"]: turn for turn in message.get("turns", ())}

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type."""
        return [message for message in self.messages if message["type"] == kind]


class InspectorClient:
    """A page's calls.

    Args:
        session: a client of the server with the API.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Call the API; returns JSON, or the text of a refusal."""
        async with self.session.request(method, BASE + path, json=body) as response:
            assert response.status == status, await response.text()
            is_json = response.content_type == "application/json"
            return await response.json() if is_json else await response.text()

    async def send(self, **activity: Any) -> Any:
        """Deliver an activity; returns the outcome, with the id of the turn."""
        return await self.call("POST", "/send", {"activity": {"type": "message", **activity}})

    async def turn(self, turn_id: str) -> Any:
        """A turn with its details."""
        return await self.call("GET", f"/turns/{turn_id}")

    async def turn_with(self, turn_id: str, **expected: Any) -> Any:
        """A turn, once its fields have these values."""

        async def look() -> Any:
            turn = await self.turn(turn_id)
            return turn if expected.items() <= turn.items() else None

        return await found(look, SECONDS)

    async def rows(self) -> list[dict[str, Any]]:
        """All rows, oldest first."""
        async with self.live() as view:
            return list(view.hello["turns"])

    @asynccontextmanager
    async def live(self) -> AsyncIterator[LiveView]:
        """An open page, which has received its first message."""
        async with self.session.ws_connect(f"{BASE}/live") as socket:
            view = LiveView(socket)
            receiving = asyncio.create_task(view.run())

            async def look() -> bool:
                return bool(view.hello)

            await found(look)
            try:
                yield view
            finally:
                await socket.close()
                await asyncio.wait([receiving])
