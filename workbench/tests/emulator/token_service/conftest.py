"""A token service, and a client that trusts it."""

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.user_tokens import UserTokens
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.token_service.service import TokenService
from tests.emulator.registered_bot import APP_ID, TENANT

PAGE = "http://localhost:1"
"""The base URL of the server with the sign-in page."""


@pytest.fixture
def registration() -> Registration:
    """The bot's."""
    return Registration(APP_ID, TENANT, "SingleTenant")


@pytest.fixture
def users(issuer: TokenIssuer, registration: Registration) -> UserTokens:
    """The signed-in users."""
    return UserTokens(issuer, registration)


@pytest.fixture
async def service(
    issuer: TokenIssuer, registration: Registration, users: UserTokens, tls: ssl.SSLContext
) -> AsyncIterator[TokenService]:
    """The service, which listens."""
    service = TokenService(issuer, registration, {registration.app_id}, users, lambda: PAGE, tls)
    async with service.server:
        yield service


@pytest.fixture
async def http(
    service: TokenService, authority: CertificateAuthority
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the service, without the bot's token."""
    trusted = ssl.create_default_context(cafile=str(authority.path))
    connector = aiohttp.TCPConnector(ssl=trusted)
    async with aiohttp.ClientSession(service.server.url, connector=connector) as session:
        yield session
