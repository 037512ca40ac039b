"""BotChannel: what Bot Service runs for one Azure Bot: channel, connector and chat page."""

import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp

from bot_workbench.emulator.channel.channel import BotAnswer, Channel
from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Activity, Conversations
from bot_workbench.emulator.channel.direct_line import DirectLine
from bot_workbench.emulator.channel.oauth_cards import OAuthCards
from bot_workbench.emulator.channel.user_tokens import UserTokens
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.pages.assets import PageAssets
from bot_workbench.emulator.pages.sign_in_page import SignInPage
from bot_workbench.emulator.pages.webchat_page import WebChatPage
from bot_workbench.emulator.server import Server

SERVICE_DOMAIN = "smba.trafficmanager.net"
"""Where Teams has its connector."""


class RoutedChannel(Channel):
    """A channel that looks the bot's endpoint up at each delivery.

    Args:
        registration: the bot's.
        tls: the server side of TLS.
        issuer: the signing keys that all channels share.
        endpoint: returns the bot's messaging endpoint (URL) as it is now.
        connector: makes the connections to it.
    """

    def __init__(
        self,
        registration: Registration,
        tls: ssl.SSLContext,
        issuer: TokenIssuer,
        endpoint: Callable[[], str],
        connector: Callable[[], aiohttp.BaseConnector],
    ) -> None:
        super().__init__(registration, tls, issuer)
        self._endpoint = endpoint
        self._new_connector = connector

    async def deliver(self, activity: Activity, turn: str = "") -> BotAnswer:
        """POST an activity to where the bot is now."""
        self.locate_bot()
        return await super().deliver(activity, turn)

    def locate_bot(self) -> None:
        """Look the endpoint up."""
        self.bot_endpoint = self._endpoint()

    def _connector(self) -> aiohttp.BaseConnector:
        return self._new_connector()


class BotChannel:
    """One Azure Bot's channel, with the conversations that users have with it.

    Args:
        name: the Azure Bot's.
        channel: delivers to the bot.
        entra_issuer: signs the bots' tokens.
        tls: the server side of TLS.
        libraries: the folder with the pages' libraries, if there is one.

    Attributes:
        name: as given.
        conversations: all of them.
        connector: what the bot calls; its public host name is `host`.
        pages: serves the page where a person talks to the bot.
    """

    def __init__(
        self,
        name: str,
        channel: RoutedChannel,
        entra_issuer: TokenIssuer,
        tls: ssl.SSLContext,
        libraries: Path | None = None,
    ) -> None:
        self.name = name
        self.host = f"{name}.{SERVICE_DOMAIN}".lower()
        self.channel = channel
        self.conversations = Conversations()
        users = UserTokens(entra_issuer, channel.registration)
        self.connector = BotConnector(
            entra_issuer,
            channel.registration,
            self.conversations,
            OAuthCards(users, lambda: self.pages.url),
            tls,
            f"https://{self.host}",
        )
        self.direct_line = DirectLine(channel, lambda: self.connector.url, self.conversations)
        page = SignInPage(users, channel.registration.app_id, self.direct_line.announce)
        assets = PageAssets(libraries)
        chat_page = WebChatPage(self.direct_line, assets, "/")
        routes = [*chat_page.routes(), *page.routes(), *assets.routes()]
        self.pages = Server("chat", routes, loopback_host_only=True, host="localhost")

    async def start(self, chat_port: int = 0) -> None:
        """Start the connector and the page.

        Args:
            chat_port: the page's; 0 takes a free one.

        Raises:
            OSError: the port is in use.
        """
        self.channel.locate_bot()  # for the page's header
        await self.connector.server.start()
        await self.pages.start(chat_port)

    async def stop(self) -> None:
        """Stop both, and cancel deliveries in progress."""
        await self.direct_line.close()
        await self.channel.close()
        await self.pages.stop()
        await self.connector.server.stop()
