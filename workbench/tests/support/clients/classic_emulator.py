"""ClassicEmulator: the archived Bot Framework Emulator, as a bot without a secret meets it.

Source: BotFramework-Emulator, packages/app/main/src/server: state/conversation.ts (what it adds to
an activity, its members), state/conversationSet.ts (`|livechat`), the handlers of
routes/channel/conversations (their statuses), bot_workbench.emulator.ts (the service URL); and
packages/app/client/src/state/sagas/chatSagas.ts (what it sends when a conversation starts).
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.server import Server
from tests.support.wire.running_service import RunningService


class ClassicEmulator(RunningService):
    """One live chat with a bot; an activity is sent when the bot has answered the one before.

    Args:
        endpoint: the bot's (URL).

    Attributes:
        activities: what the conversation shows, by id, in order.
        statuses: of the bot's answers.
        server: its REST API for the bot, over plain HTTP.
    """

    def __init__(self, endpoint: str) -> None:
        self.activities: dict[str, Activity] = {}
        self.statuses: list[int] = []
        self.conversation_id = f"{uuid.uuid1()}|livechat"
        self.user = {"id": str(uuid.uuid4()), "name": "User", "role": "user"}
        self.bot = {"id": str(uuid.uuid1()), "name": "Bot"}
        self._endpoint = endpoint
        conversation = "/v3/conversations/{conversation}"
        self.server = Server(
            "emulator",
            [
                web.post(f"{conversation}/activities", self._send),
                web.post(f"{conversation}/activities/{{activity}}", self._reply),
                web.put(f"{conversation}/activities/{{activity}}", self._update),
                web.delete(f"{conversation}/activities/{{activity}}", self._delete),
                web.get(f"{conversation}/members", self._members),
            ],
        )

    async def start(self) -> None:
        """Listen on a port."""
        await self.server.start()

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self.server.stop()

    @property
    def texts(self) -> list[str]:
        """The texts that the bot has sent, as they are now."""
        sent = [each for each in self.activities.values() if each["recipient"]["role"] == "user"]
        return [each["text"] for each in sent if each.get("text")]

    async def open(self) -> None:
        """Start the conversation: both members are added at once."""
        user = {name: value for name, value in self.user.items() if name != "role"}
        members = {"membersAdded": [self.bot, user], "membersRemoved": []}
        await self.post({"type": "conversationUpdate", **members})

    async def say(self, text: str) -> None:
        """Send a message as the Emulator's Web Chat does."""
        capabilities = {"requiresBotState": True, "supportsTts": True, "type": "ClientCapabilities"}
        await self.post(
            {
                "type": "message",
                "text": text,
                "textFormat": "plain",
                "channelData": {"clientActivityID": uuid.uuid4().hex},
                "entities": [{**capabilities, "supportsListening": True}],
                "from": self.user,
            }
        )

    async def post(self, activity: Activity) -> None:
        """Complete an activity as the Emulator does, and send it to the bot."""
        now = datetime.now(UTC)
        completed = {
            "from": self.user,
            **activity,
            "channelId": "emulator",
            "conversation": {"id": self.conversation_id},
            "id": str(uuid.uuid1()),
            "localTimestamp": now.isoformat(timespec="seconds"),
            "locale": "en-US",
            "recipient": {**self.bot, "role": "bot"},
            "serviceUrl": f"http://localhost:{self.server.port}",
            "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        self.activities[completed["id"]] = completed
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._endpoint, json=completed) as response,
        ):
            self.statuses.append(response.status)

    def _shown(self, activity: Mapping[str, Any]) -> web.Response:
        """Show what the bot has sent, under an id of the Emulator's own."""
        new = str(uuid.uuid1())
        self.activities[new] = {
            **activity,
            "id": new,
            "channelId": "emulator",
            "recipient": {"id": self.user["id"], "role": "user"},
        }
        return web.json_response({"id": new})

    def _known(self, request: web.Request) -> None:
        wrong = request.match_info["conversation"] != self.conversation_id
        activity = request.match_info.get("activity", "")
        if wrong or (request.method != "POST" and activity and activity not in self.activities):
            raise web.HTTPNotFound
        if "Authorization" in request.headers:
            raise web.HTTPForbidden  # the bot has no token, and must not make one up

    async def _send(self, request: web.Request) -> web.Response:
        self._known(request)
        return self._shown(await request.json())

    async def _reply(self, request: web.Request) -> web.Response:
        self._known(request)
        reply = {**await request.json(), "replyToId": request.match_info["activity"]}
        return self._shown(reply)

    async def _update(self, request: web.Request) -> web.Response:
        self._known(request)
        name = request.match_info["activity"]
        self.activities[name] |= await request.json()
        return web.json_response({"id": name})

    async def _delete(self, request: web.Request) -> web.Response:
        self._known(request)
        del self.activities[request.match_info["activity"]]
        return web.Response()

    async def _members(self, request: web.Request) -> web.Response:
        self._known(request)
        return web.json_response([self.bot, self.user])
