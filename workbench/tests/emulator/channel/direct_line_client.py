"""DirectLineClient, and the bot that it talks to."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bot_workbench.emulator.channel.conversations import Activity, Conversation
from bot_workbench.emulator.server import Server
from tests.emulator.registered_bot import APP_ID

CONNECTOR = "https://localhost:1"
BOT = {"id": APP_ID, "name": "Bot", "role": "bot"}
USER = {"id": "user-1", "name": "First user"}
MEMBER = {**USER, "role": "user"}
SECOND_MEMBER = {"id": "user-2", "name": "Second user", "role": "user"}


@dataclass
class RecordingBot:
    """Records the activities and tokens that it is sent; responds with one status and body."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.server = Server("bot", [web.post("/api/messages", self._messages)])

    async def _messages(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        async with self.arrived:
            self.activities.append(await request.json())
            self.arrived.notify_all()
        return web.json_response(self.body, status=self.status, headers={"X-Bot": "yes"})

    async def wait_for(self, kind: str) -> Activity:
        """The latest activity of that type, once there is one."""
        async with asyncio.timeout(30), self.arrived:
            await self.arrived.wait_for(lambda: any(a["type"] == kind for a in self.activities))
        return [activity for activity in self.activities if activity["type"] == kind][-1]


class DirectLineClient:
    """A Direct Line client of one conversation."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.token = ""
        self.conversation_id = ""
        self.stream_url = ""

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers.update(options.pop("content_type", {}))
        url = f"/v3/directline{path}"
        async with self.http.request(method, url, headers=headers, **options) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def start(self) -> Any:
        generated = await self.call("POST", "/tokens/generate", json={"user": USER})
        self.token = generated["token"]
        started = await self.call("POST", "/conversations", 201)
        self.token, self.stream_url = started["token"], started["streamUrl"]
        self.conversation_id = started["conversationId"]
        return started

    @property
    def activities(self) -> str:
        return f"/conversations/{self.conversation_id}/activities"

    async def post(self, activity: Activity, status: int = 200) -> Any:
        return await self.call("POST", self.activities, status, json=activity)


async def visible(client: DirectLineClient, watermark: str = "") -> list[Activity]:
    answer = await client.call("GET", f"{client.activities}?watermark={watermark}")
    shown: list[Activity] = answer["activities"]
    return shown


async def noticed(conversation: Conversation) -> str:
    """The text of the first message from the channel itself."""

    def from_channel(activity: Activity) -> bool:
        return bool(activity["from"]["id"] == "channel")

    async with asyncio.timeout(30):
        await conversation.wait_until(lambda it: any(map(from_channel, it.activities)))
    return str(next(filter(from_channel, conversation.activities))["text"])
