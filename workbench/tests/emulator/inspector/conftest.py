"""Fixtures of the tests of the inspector: a channel, a bot that it talks to, and its API."""

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Activity, Conversations
from bot_workbench.emulator.channel.oauth_cards import OAuthCards
from bot_workbench.emulator.channel.user_tokens import UserTokens
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.inspector.inspector import Inspector
from bot_workbench.emulator.server import Server
from bot_workbench.emulator.services.services import Services
from bot_workbench.emulator.token_service.service import TokenService
from tests.emulator.inspector.inspected_bot import InspectedBot
from tests.emulator.inspector.inspector_client import InspectorClient
from tests.emulator.registered_bot import APP_ID, TENANT

USER = {"id": "29:new", "name": "You"}
BOT = {"id": APP_ID, "name": "Bot"}


@pytest.fixture(scope="module")
def registration() -> Registration:
    """The bot's."""
    return Registration(APP_ID, TENANT, "SingleTenant")


@pytest.fixture(scope="module")
def module_channel(registration: Registration, authority: CertificateAuthority) -> Channel:
    """Shared by a module's tests, because its signing key takes long to make."""
    return Channel(registration, authority.server_context())


@pytest.fixture
async def connector(
    issuer: TokenIssuer, registration: Registration, tls: ssl.SSLContext
) -> AsyncIterator[BotConnector]:
    """Accepts what the bot sends."""
    cards = OAuthCards(UserTokens(issuer, registration), lambda: "http://localhost:1")
    connector = BotConnector(issuer, registration, Conversations(), cards, tls)
    async with connector.server:
        yield connector


@pytest.fixture
async def token_service(
    issuer: TokenIssuer, registration: Registration, tls: ssl.SSLContext
) -> AsyncIterator[TokenService]:
    """Has the users' tokens."""
    users = UserTokens(issuer, registration)
    service = TokenService(issuer, registration, {APP_ID}, users, lambda: "http://localhost:1", tls)
    async with service.server:
        yield service


@pytest.fixture
async def bot(
    issuer: TokenIssuer, connector: BotConnector, http: aiohttp.ClientSession
) -> AsyncIterator[InspectedBot]:
    """Answers 200, unless a test has it do something."""
    bot = InspectedBot(issuer, connector, http)
    async with bot.server:
        yield bot


@pytest.fixture
async def inspector(
    module_channel: Channel,
    connector: BotConnector,
    token_service: TokenService,
    bot: InspectedBot,
) -> AsyncIterator[Inspector]:
    """It watches the channel, whose bot is `bot`; nothing serves its routes yet."""
    channel = module_channel
    channel.bot_endpoint, channel.timeout = f"{bot.server.url}/api/messages", 15.0
    servers = {each.name: each for each in (channel.server, connector.server, token_service.server)}
    pages: list[Server] = []

    def new_address() -> Activity:
        conversation = connector.conversations.create([USER, BOT])
        place = {"id": conversation.id}
        return {"channelId": "msteams", "from": USER, "recipient": BOT, "conversation": place}

    inspector = Inspector(channel, connector, Services(servers), lambda: pages[0].url, new_address)
    pages.append(Server("chat", inspector.routes(), loopback_host_only=True))
    inspector.watch(token_service.server)
    await inspector.start()
    async with pages[0]:
        yield inspector
        await inspector.close()
    channel.observer = None
    await channel.close()


@pytest.fixture
async def client(inspector: Inspector) -> AsyncIterator[InspectorClient]:
    """A client of the inspector's API."""
    async with aiohttp.ClientSession(inspector.url) as session:
        yield InspectorClient(session)
