"""InspectedBot: a bot that a test tells what to do in a turn."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.server import Server
from tests.emulator.registered_bot import CLAIMS

Turn = Callable[[Activity], Awaitable[web.Response]]


async def accept(_: Activity) -> web.Response:
    """Do nothing."""
    return web.Response()


class InspectedBot:
    """Serves /api/messages, and calls the connector as a bot does.

    Args:
        issuer: signs its tokens.
        connector: what it calls.
        http: a client that trusts the connector.

    Attributes:
        turn: what it does with an activity.
        activities: what it was sent.
        headers: with which.
    """

    def __init__(
        self, issuer: TokenIssuer, connector: BotConnector, http: aiohttp.ClientSession
    ) -> None:
        self.turn: Turn = accept
        self.activities: list[Activity] = []
        self.headers: list[dict[str, str]] = []
        self.server = Server("bot", [web.post("/api/messages", self._messages)])
        self._issuer = issuer
        self._connector = connector
        self._http = http

    async def _messages(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        activity = await request.json()
        self.activities.append(activity)
        return await self.turn(activity)

    async def reply(self, activity: Activity, text: str = "Hello!") -> int:
        """Reply to an activity; returns the connector's status."""
        conversation, id_ = activity["conversation"]["id"], activity["id"]
        path = f"/v3/conversations/{conversation}/activities/{id_.replace('|', '%7C')}"
        return await self.call("POST", path, {"type": "message", "text": text})

    async def send(self, conversation_id: str, text: str = "Hello!") -> int:
        """Send a message that is no reply."""
        path = f"/v3/conversations/{conversation_id}/activities"
        return await self.call("POST", path, {"type": "message", "text": text})

    async def call(self, method: str, path: str, body: Any = None, base: str = "") -> int:
        """Call the connector, or a service at `base`, with the bot's token."""
        headers = {"Authorization": f"Bearer {self._issuer.sign(CLAIMS)}"}
        url = (base or self._connector.url) + path
        async with self._http.request(method, url, json=body, headers=headers) as response:
            await response.read()
            return response.status
