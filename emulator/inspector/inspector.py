"""Inspector: the bot's turns and the local cloud's services, as the inspector page shows them."""

from collections.abc import Mapping

from aiohttp import web

from emulator.channel.channel import Channel
from emulator.server import Server


class Inspector:
    """Watches the channel and what the bot's processes report; a server has its routes.

    Args:
        channel: whose deliveries are shown.
        servers: the local cloud's servers by name, whose faults can be switched.
    """

    def __init__(self, channel: Channel, servers: Mapping[str, Server]) -> None:
        self._channel = channel
        self._servers = servers

    def routes(self) -> list[web.RouteDef]:
        """The routes under /api/inspector."""
        return []

    async def close(self) -> None:
        """Close the connections of pages."""
