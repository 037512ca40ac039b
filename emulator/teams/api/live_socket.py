"""LiveSocket: a page's WebSocket, which brings it everything that happens in a conversation."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from emulator.channel.conversations import Activity
from emulator.channel.errors import ChannelError
from emulator.faults import Handler
from emulator.teams.api.conversation_routes import member_of
from emulator.teams.bot_status import BotStatus
from emulator.teams.directory.conversation import Event, TeamsConversation
from emulator.teams.directory.teams_directory import TeamsDirectory

HIDDEN = frozenset({"invoke", "trace", "messageReaction"})
HEARTBEAT_SECONDS = 30.0


class LiveSocket:
    """Serves the WebSockets.

    Args:
        directory: who is there.
        status: the bot's.
        run_id: of this run.
        connector_url: returns the Bot Connector's base URL, without a slash at the end.
    """

    def __init__(
        self,
        directory: TeamsDirectory,
        status: BotStatus,
        run_id: str,
        connector_url: Callable[[], str],
    ) -> None:
        self._directory = directory
        self._status = status
        self._run_id = run_id
        self._connector_url = connector_url
        self._sockets: set[web.WebSocketResponse] = set()
        status.on_change.append(self._publish_status)

    def table(self) -> dict[tuple[str, str], Handler]:
        """The handlers by HTTP method and path below /api/chat."""
        return {("GET", "/live"): self._live}

    async def close(self) -> None:
        """Close the sockets, so that pages connect again to what comes next."""
        for socket in list(self._sockets):
            await socket.close(code=1001)

    def _publish_status(self, status: dict[str, Any]) -> None:
        for chat in self._directory.all_conversations():
            chat.publish({"type": "status", "status": status})

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        chat = self._directory.conversation(request.query.get("conversation", ""))
        member_of(chat, self._directory.person(request.query.get("user")))
        after = request.query.get("after", "0")
        if not after.isdecimal():
            raise ChannelError(400, "BadArgument", "'after' is not a number.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        self._sockets.add(socket)
        pushing = asyncio.create_task(self._push(socket, chat, int(after), request.host))
        try:
            async for _ in socket:
                pass
        finally:
            self._sockets.discard(socket)
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        return socket

    async def _push(
        self, socket: web.WebSocketResponse, chat: TeamsConversation, after: int, host: str
    ) -> None:
        events = chat.subscribe()
        try:
            reached = min(after, len(chat.changes))
            hello = {"run": self._run_id, "status": self._status.current, "reached": reached}
            await socket.send_json({"type": "hello", **hello})
            events.put_nowait(None)
            for delivery in chat.deliveries.values():
                events.put_nowait(delivery)
            while True:
                event = await events.get()
                reached = await self._push_changes(socket, chat, reached, host)
                if event is not None:
                    await self._send(socket, event, host)
        except ConnectionError:
            pass  # the page is gone
        finally:
            chat.unsubscribe(events)

    async def _push_changes(
        self, socket: web.WebSocketResponse, chat: TeamsConversation, reached: int, host: str
    ) -> int:
        changes = chat.changes[reached:]
        if not changes:
            return reached
        reached += len(changes)
        event = {"type": "changes", "changes": shown(changes), "reached": reached}
        await self._send(socket, event, host)
        return reached

    async def _send(self, socket: web.WebSocketResponse, event: Event, host: str) -> None:
        # Browsers do not trust the connector's certificate: they load its files from the page.
        connector_files = f"{self._connector_url()}/v3/attachments/"
        text = json.dumps(event).replace(connector_files, f"http://{host}/api/chat/attachments/")
        await socket.send_str(text)


def shown(changes: list[Activity]) -> list[Activity]:
    """The newest version of each activity that pages show, in the order of the first ones."""
    newest = {change["id"]: change for change in changes if change["type"] not in HIDDEN}
    return list(newest.values())
