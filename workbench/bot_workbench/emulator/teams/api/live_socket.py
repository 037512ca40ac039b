"""LiveSocket: a page's WebSocket, which brings it everything that happens in a conversation."""

import asyncio
import datetime
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.channel.streams import stream_info
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.inspector.bot_status import BotStatus
from bot_workbench.emulator.teams.api.conversation_routes import member_of
from bot_workbench.emulator.teams.directory.conversation import Event, TeamsConversation
from bot_workbench.emulator.teams.directory.teams_directory import TeamsDirectory

HIDDEN = frozenset({"invoke", "trace", "messageReaction"})
"""Types of activities that pages do not show."""

HEARTBEAT_SECONDS = 30.0

TYPING_SECONDS = 10.0
"""The time for which a bot's typing is shown."""


@dataclass(eq=False)
class ConversationPage:
    """A page that is connected, and the queue of what it is sent."""

    user_id: str
    chat: TeamsConversation
    events: "asyncio.Queue[Event | None]"


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
        self._pages: set[ConversationPage] = set()
        self._unread: dict[str, Counter[str]] = defaultdict(Counter)
        directory.on_message = self._publish_elsewhere
        directory.on_membership = self._publish_membership
        status.listen(self._publish_status)

    def table(self) -> dict[tuple[str, str], Handler]:
        """The handlers by HTTP method and path below /api/chat."""
        return {("GET", "/live"): self._live}

    async def close(self) -> None:
        """Close the sockets, so that pages connect again to what comes next."""
        for socket in list(self._sockets):
            await socket.close(code=1001)

    def _publish_status(self) -> None:
        for chat in self._directory.all_conversations():
            chat.publish({"type": "status", "status": self._status.as_json()})

    def _publish_elsewhere(self, chat: TeamsConversation, activity: Activity) -> None:
        """Count a message as unread for the members who have no page with the conversation."""
        event = {"type": "elsewhere", "conversation": chat.id, "activity": activity}
        for user_id in chat.people.keys() - {activity["from"]["id"]}:
            pages = [page for page in self._pages if page.user_id == user_id]
            if any(page.chat is chat for page in pages):
                continue
            self._unread[user_id][chat.id] += 1
            for page in pages:
                page.events.put_nowait(event)

    def _publish_membership(self, user_ids: list[str]) -> None:
        for page in self._pages:
            if page.user_id in user_ids:
                page.events.put_nowait({"type": "conversations"})

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        chat = self._directory.conversation(request.query.get("conversation", ""))
        person = member_of(chat, self._directory.person(request.query.get("user")))
        after = request.query.get("after", "0")
        if not after.isdecimal():
            raise ChannelError(400, "BadArgument", "'after' must be a number.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        self._sockets.add(socket)
        pushing = asyncio.create_task(self._push(socket, chat, person.id, int(after), request.host))
        try:
            async for _ in socket:
                pass
        finally:
            self._sockets.discard(socket)
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        return socket

    async def _push(
        self,
        socket: web.WebSocketResponse,
        chat: TeamsConversation,
        user_id: str,
        after: int,
        host: str,
    ) -> None:
        events = chat.subscribe()
        page = ConversationPage(user_id, chat, events)
        self._pages.add(page)
        self._unread[user_id].pop(chat.id, None)
        try:
            reached = min(after, len(chat.changes))
            hello = {"run": self._run_id, "status": self._status.as_json(), "reached": reached}
            unread = dict(self._unread[user_id])
            await socket.send_json({"type": "hello", **hello, "unread": unread})
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
            self._pages.discard(page)

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
    return [change for change in newest.values() if not _is_old_typing(change)]


def _is_old_typing(change: Activity) -> bool:
    if change["type"] != "typing" or stream_info(change) is not None:
        return False
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(change["timestamp"])
    return age.total_seconds() > TYPING_SECONDS
