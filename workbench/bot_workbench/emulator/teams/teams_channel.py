"""TeamsChannel: conversations with the bot as Teams has them, for the chat page."""

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.channel.conversations import (
    Activity,
    Conversations,
    UnknownActivityError,
)
from bot_workbench.emulator.channel.errors import ChannelError, with_error_responses
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.inspector.bot_status import BotStatus
from bot_workbench.emulator.teams.activities import TeamsActivities
from bot_workbench.emulator.teams.api.app_manifest import AppManifest
from bot_workbench.emulator.teams.api.conversation_routes import ConversationRoutes
from bot_workbench.emulator.teams.api.file_routes import FileRoutes
from bot_workbench.emulator.teams.api.live_socket import LiveSocket
from bot_workbench.emulator.teams.api.message_routes import MessageRoutes
from bot_workbench.emulator.teams.deliveries import Deliveries
from bot_workbench.emulator.teams.directory.teams_directory import TeamsDirectory
from bot_workbench.emulator.teams.uploads import Uploads

BASE = "/api/chat"


class TeamsChannel:
    """Gives people conversations with the bot; a server has its routes.

    Args:
        channel: delivers what people do to the bot.
        connector_url: returns the Bot Connector's base URL, without a slash at the end.
        page_url: returns the base URL of the server with the routes.
        conversations: the store shared with the Bot Connector.
        directory: who is there.
        status: whether the bot answers.
        manifest: the app's Teams manifest; None: there is none.

    Attributes:
        directory: as given.
        deliveries: what is on its way to the bot.
    """

    def __init__(
        self,
        channel: Channel,
        connector_url: Callable[[], str],
        page_url: Callable[[], str],
        conversations: Conversations,
        directory: TeamsDirectory,
        status: BotStatus,
        manifest: Path | None = None,
    ) -> None:
        self.directory = directory
        self.deliveries = Deliveries(channel, status)
        self._activities = activities = TeamsActivities(connector_url)
        uploads = Uploads(conversations, page_url)
        app = AppManifest(manifest)
        chats = ConversationRoutes(directory, activities, self.deliveries, status)
        messages = MessageRoutes(directory, activities, self.deliveries, uploads, app)
        files = FileRoutes(directory, messages, uploads, conversations, connector_url)
        self._live = LiveSocket(directory, status, chats.run_id, connector_url)
        self._tables = [part.table() for part in (chats, messages, files, self._live, app)]

    def routes(self) -> list[web.RouteDef]:
        """The routes under /api/chat."""
        table: dict[tuple[str, str], Handler] = {}
        for part in self._tables:
            table |= part
        return [
            web.route(method, f"{BASE}{path}", with_error_responses(_guarded(handler)))
            for (method, path), handler in table.items()
        ]

    def new_address(self) -> Activity:
        """A message of a new user in their personal chat, without its content."""
        person = self.directory.new_person()
        return self._activities.message(self.directory.personal(person), person, {})

    async def close(self) -> None:
        """Cancel what is being delivered, and close the pages' sockets."""
        await self.deliveries.close()
        await self._live.close()


def _guarded(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except UnknownActivityError:
            message = "The activity is not known."
            raise ChannelError(404, "ActivityNotFoundInConversation", message) from None

    return handle
