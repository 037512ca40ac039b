"""Fixtures of the tests of the channel: a connector, and Direct Line with a bot behind it."""

import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from botframework.connector.aio import ConnectorClient

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Conversation, Conversations
from bot_workbench.emulator.channel.direct_line import DirectLine
from bot_workbench.emulator.channel.oauth_cards import OAuthCards
from bot_workbench.emulator.channel.user_tokens import UserTokens
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.server import Server
from tests.emulator.channel.direct_line_client import CONNECTOR, DirectLineClient, RecordingBot
from tests.emulator.registered_bot import APP_ID, CLAIMS, TENANT
from tests.support.credentials.issued_credentials import IssuedCredentials


@pytest.fixture(scope="module")
def module_channel(authority: CertificateAuthority) -> Channel:
    """Shared by a module's tests, because its signing key takes long to make."""
    registration = Registration(APP_ID, TENANT, "UserAssignedMSI")
    return Channel(registration, authority.server_context())


@pytest.fixture
async def bot() -> AsyncIterator[RecordingBot]:
    bot = RecordingBot()
    async with bot.server:
        yield bot


@pytest.fixture
async def direct_line(module_channel: Channel, bot: RecordingBot) -> AsyncIterator[DirectLine]:
    channel = module_channel
    channel.bot_endpoint, channel.timeout = f"{bot.server.url}/api/messages", 15.0
    direct_line = DirectLine(channel, lambda: CONNECTOR, Conversations())
    yield direct_line
    await direct_line.close()
    await channel.close()


@pytest.fixture
async def client(direct_line: DirectLine) -> AsyncIterator[DirectLineClient]:
    """Connected to a server, with no conversation yet."""
    server = Server("chat", direct_line.routes())
    async with server, aiohttp.ClientSession(server.url) as http:
        yield DirectLineClient(http)


@pytest.fixture
async def conversation(client: DirectLineClient, direct_line: DirectLine) -> Conversation:
    """Started by the client; the bot may not have been notified yet."""
    await client.start()
    return direct_line.conversations.find(client.conversation_id)


@pytest.fixture
async def connector(issuer: TokenIssuer, tls: ssl.SSLContext) -> AsyncIterator[BotConnector]:
    registration = Registration(APP_ID, TENANT, "SingleTenant")
    cards = OAuthCards(UserTokens(issuer, registration), lambda: "http://localhost:1")
    connector = BotConnector(issuer, registration, Conversations(), cards, tls)
    async with connector.server:
        yield connector


@pytest.fixture
def sdk_client(
    connector: BotConnector,
    issuer: TokenIssuer,
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """The SDK's client, trusting the local authority as the app's process does."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    return ConnectorClient(IssuedCredentials(issuer, CLAIMS), base_url=f"{connector.server.url}/")
