"""TeamsChannel: conversations with the bot as Teams has them, for the chat page."""

from collections.abc import Callable

from aiohttp import web

from emulator.channel.channel import Channel
from emulator.channel.conversations import Conversations


class TeamsChannel:
    """Gives people conversations with the bot; a server has its routes.

    Args:
        channel: delivers what people do to the bot.
        connector_url: returns the Bot Connector's base URL, without a slash at the end.
        conversations: the store shared with the Bot Connector.
    """

    def __init__(
        self, channel: Channel, connector_url: Callable[[], str], conversations: Conversations
    ) -> None:
        self._channel = channel
        self._connector_url = connector_url
        self._conversations = conversations

    def routes(self) -> list[web.RouteDef]:
        """The routes under /api/chat."""
        return []

    async def close(self) -> None:
        """Cancel what is being delivered."""
