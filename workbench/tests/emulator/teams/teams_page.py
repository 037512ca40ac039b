"""TeamsPage: a tab of the chat page, without a browser; AdaptedBot: what it talks to."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self

import aiohttp
from aiohttp import web
from botbuilder.core import TurnContext

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.server import Server
from cloud_adapter.adapter import TurnRequest
from tests.support.bots.composed_app import ComposedApp
from tests.support.timing import condition

Json = dict[str, Any]
Turn = Callable[[TurnContext], Awaitable[Any]]


async def silent(_: TurnContext) -> None:
    """A bot that says nothing."""


class AdaptedBot:
    """The deployed adapter behind an HTTP server; it records what it is sent.

    Attributes:
        activities: the JSON of each delivery, in the order of arrival.
        turn: what the bot does.
        app: the deployed app.
        status: answered in place of a turn; None: the turn runs.
        may_answer: while it is cleared, deliveries get no answer.
    """

    def __init__(self, app: ComposedApp) -> None:
        self.activities: list[Activity] = []
        self.turn: Turn = silent
        self.status: int | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.server = Server("bot", [web.post("/api/messages", self._messages)])
        self.app = app

    async def _messages(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.activities.append(json.loads(body))
        await self.may_answer.wait()
        if self.status is not None:
            return web.Response(status=self.status)
        turn = TurnRequest(request.content_type, request.headers["Authorization"], body)
        answer = await self.app.parts.adapter.process(turn, SimpleNamespace(on_turn=self.turn))
        return web.Response(status=answer.status, body=answer.body, content_type="application/json")

    def of(self, kind: str) -> list[Activity]:
        """The activities of a type so far."""
        return [each for each in self.activities if each["type"] == kind]

    async def wait_for(self, kind: str, count: int = 1) -> Activity:
        """The newest activity of a type, once there are so many."""
        await condition.comes_true(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[-1]


@dataclass
class TeamsPage:
    """One tab: a user in a conversation.

    Attributes:
        http: connected to the page's server.
        session: the server's answer at the start.
        chat: the conversation.
        events: what the WebSocket has brought.
    """

    http: aiohttp.ClientSession
    session: Json
    chat: Json
    events: list[Json] = field(default_factory=list)
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _reading: asyncio.Task[None] | None = None

    @classmethod
    async def opened(cls, http: aiohttp.ClientSession, **kept: Any) -> Self:
        """A new tab, or one that presents what it has kept."""
        async with http.post("/api/chat/session", json=kept) as response:
            assert response.status == 200, await response.text()
            session = await response.json()
        return cls(http, session, session["conversation"])

    @property
    def user(self) -> str:
        """The user's id."""
        return str(self.session["user"]["id"])

    @property
    def path(self) -> str:
        """The conversation's path."""
        return f"/conversations/{self.chat['id']}"

    async def call(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        """Send JSON as this user, and return the JSON of the answer."""
        sent = {"user": self.user, **body}
        async with self.http.request(method, f"/api/chat{path}", json=sent) as response:
            text = await response.text()
            assert response.status == status, text
            return json.loads(text)

    async def create(self, kind: str, **body: Any) -> "TeamsPage":
        """The same user in a new conversation."""
        chat = await self.call("POST", "/conversations", 201, kind=kind, **body)
        return TeamsPage(self.http, self.session, chat)

    async def say(self, text: str, /, **body: Any) -> Json:
        """Write a message; returns its id and turn."""
        activity = {"type": "message", "text": text, **body.pop("more", {})}
        sent: Json = await self.call("POST", f"{self.path}/activities", activity=activity, **body)
        return sent

    async def mention(self, text: str, /, **body: Any) -> Json:
        """Write a message that mentions the bot."""
        bot = self.chat["bot"]
        at = f"<at>{bot['name']}</at>"
        mention = {"type": "mention", "text": at, "mentioned": bot}
        return await self.say(f"{at} {text}", more={"entities": [mention]}, **body)

    async def connect(self, after: int = 0) -> None:
        """Open the WebSocket."""
        query = {"user": self.user, "conversation": self.chat["id"], "after": str(after)}
        self._socket = await self.http.ws_connect("/api/chat/live", params=query)
        self._reading = asyncio.create_task(self._read(self._socket))
        await self.event("hello")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            self.events.append(message.json())

    async def close(self) -> None:
        """Close the WebSocket."""
        if self._socket is not None and self._reading is not None:
            await self._socket.close()
            await self._reading

    async def event(self, kind: str, **properties: Any) -> Json:
        """The first event with these properties, once it has come."""
        wanted = {"type": kind, **properties}

        async def look() -> Json | None:
            for event in self.events:
                if all(event.get(name) == value for name, value in wanted.items()):
                    return event
            return None

        found = await condition.found(look)
        assert found is not None
        return found

    def shown(self) -> list[Activity]:
        """The activities as the page has them now: the newest version of each."""
        newest: dict[str, Activity] = {}
        for event in self.events:
            for change in event.get("changes", []):
                newest[change["id"]] = change
        return [each for each in newest.values() if each["type"] != "messageDelete"]

    async def sees(self, text: str, /, **properties: Any) -> Activity:
        """The message with this text and these properties, once the page has it."""
        wanted = {"text": text, **properties}

        async def look() -> Activity | None:
            return next((each for each in self.shown() if wanted.items() <= each.items()), None)

        found = await condition.found(look)
        assert found is not None
        return found
