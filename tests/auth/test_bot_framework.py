"""BotCredentials: the bot's tokens, as botbuilder requests them."""

from collections.abc import AsyncIterator

import pytest
import requests

from auth.bot_framework import (
    BotCredentials,
    BotCredentialsFactory,
    StandaloneCredentialsFactory,
    credentials_factory,
)
from auth.errors import SettingsError, SignInError
from auth.outbound.azure_sdk import PoolTransport
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.token_provider import TokenProvider
from bot_workbench.emulator.cloud import Cloud

CHANNEL = "https://api.botframework.com"
STRANGER = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def tokens(
    cloud: Cloud, transport: PoolTransport, monkeypatch: pytest.MonkeyPatch
) -> TokenProvider:
    """Tokens of the bot's managed identity, from the local identity endpoint."""
    for name, value in cloud.identity.settings().items():
        monkeypatch.setenv(name, value)
    app_id = cloud.registration.app_id
    return TokenProvider(ManagedIdentityCredential(app_id, "MicrosoftAppId", transport))


@pytest.fixture
def factory(cloud: Cloud, tokens: TokenProvider) -> BotCredentialsFactory:
    return BotCredentialsFactory(cloud.registration.app_id, tokens)


def check(cloud: Cloud, token: str, audience: str) -> None:
    """The token is one of Entra's, for the bot and this audience."""
    claims = cloud.entra.issuer.verify(token, audience, cloud.registration.token_issuer)
    assert claims["appid"] == cloud.registration.app_id


@pytest.mark.parametrize("scope", [CHANNEL, f"{CHANNEL}/.default"])
async def test_credentials_come_with_a_token(
    cloud: Cloud, factory: BotCredentialsFactory, scope: str
) -> None:
    """The SDK's clients, which do not await, get a token for the scope at once."""
    credentials = await factory.create_credentials(
        "any", scope, "https://login", validate_authority=True
    )
    token = credentials.get_access_token()
    check(cloud, token, CHANNEL)
    assert credentials.get_access_token(force_refresh=True) == token
    assert credentials.microsoft_app_id == cloud.registration.app_id
    assert credentials.oauth_scope == CHANNEL


async def test_msrest_sends_the_token(cloud: Cloud, factory: BotCredentialsFactory) -> None:
    """The SDK's own clients, such as Teams', sign their sessions with it."""
    credentials = await factory.create_credentials("any", CHANNEL)
    scheme, _, token = (
        credentials.signed_session(requests.Session()).headers["Authorization"].partition(" ")
    )
    assert scheme == "Bearer"
    check(cloud, token, CHANNEL)


async def test_one_sign_in_serves_all_credentials(
    cloud: Cloud, factory: BotCredentialsFactory
) -> None:
    """Tokens are shared by audience, not by credentials object."""
    before = cloud.identity.server.requests["GET /msi/token"]
    first = await factory.create_credentials("a", CHANNEL)
    second = await factory.create_credentials("b", f"{CHANNEL}/.default")
    assert await first.get_token() == await second.get_token() == second.get_access_token()
    other = await factory.create_credentials("a", STRANGER)
    check(cloud, await other.get_token(), STRANGER)
    assert cloud.identity.server.requests["GET /msi/token"] == before + 2


async def test_making_credentials_asks_for_nothing(cloud: Cloud, tokens: TokenProvider) -> None:
    """A constructor does no I/O: until `get_token` there is no token."""
    before = cloud.identity.server.requests["GET /msi/token"]
    credentials = BotCredentials(cloud.registration.app_id, tokens, CHANNEL)
    assert credentials.get_access_token() == ""
    assert cloud.identity.server.requests["GET /msi/token"] == before
    token = await credentials.get_token()
    assert credentials.get_access_token() == token
    check(cloud, token, CHANNEL)


@pytest.mark.usefixtures("tokens")
async def test_no_token_is_an_error_at_once(transport: PoolTransport) -> None:
    """Where the bot cannot sign in, there are no credentials."""
    stranger = TokenProvider(ManagedIdentityCredential(STRANGER, "MicrosoftAppId", transport))
    with pytest.raises(SignInError, match="MicrosoftAppId"):
        await BotCredentialsFactory(STRANGER, stranger).create_credentials("", CHANNEL)


async def test_without_authentication() -> None:
    """There is no token, no app id, and no header for the SDK's own clients."""
    factory = BotCredentialsFactory(STRANGER, None)
    credentials = await factory.create_credentials(STRANGER, CHANNEL)
    assert await credentials.get_token() == ""
    assert credentials.get_access_token() == ""
    assert credentials.microsoft_app_id == ""
    assert "Authorization" not in credentials.signed_session(requests.Session()).headers
    assert await factory.is_authentication_disabled()


async def test_whose_app_id_it_is(cloud: Cloud, factory: BotCredentialsFactory) -> None:
    """Only the bot's own id is valid, and the caller check is on."""
    assert await factory.is_valid_app_id(cloud.registration.app_id)
    assert await factory.is_valid_app_id(cloud.registration.app_id.upper())
    assert not await factory.is_valid_app_id(STRANGER)
    assert not await factory.is_valid_app_id("")
    assert not await factory.is_authentication_disabled()


@pytest.fixture
async def standalone(
    cloud: Cloud, tokens: TokenProvider
) -> AsyncIterator[StandaloneCredentialsFactory]:
    """The factory of a bot on botbuilder's own adapter."""
    del tokens  # its environment is needed
    factory = credentials_factory(cloud.settings())
    yield factory
    await factory.close()


def test_every_problem_is_reported_at_once() -> None:
    """The factory reads the app's settings, and lists all that is wrong with them."""
    with pytest.raises(SettingsError) as caught:
        credentials_factory({"MicrosoftAppType": "Bot", "BotCredential": "Password"})
    problems = " ".join(caught.value.problems)
    for name in ("MicrosoftAppType", "MicrosoftAppId", "BotCredential"):
        assert name in problems


async def test_the_factory_requests_nothing_by_itself(
    cloud: Cloud, standalone: StandaloneCredentialsFactory
) -> None:
    """The first credentials sign in; making the factory does not."""
    before = cloud.identity.server.requests["GET /msi/token"]
    assert not await standalone.is_authentication_disabled()
    assert cloud.identity.server.requests["GET /msi/token"] == before
    await standalone.create_credentials(standalone.app_id, CHANNEL)
    assert cloud.identity.server.requests["GET /msi/token"] == before + 1


async def test_standalone_credentials_have_a_token(
    cloud: Cloud, standalone: StandaloneCredentialsFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """They sign sessions of botbuilder's own clients, which is nothing to warn of."""
    for scope in (CHANNEL, f"{CHANNEL}/.default", None):
        credentials = await standalone.create_credentials("any", scope, "https://login", True)
        session = credentials.signed_session(requests.Session())
        scheme, _, token = session.headers["Authorization"].partition(" ")
        assert scheme == "Bearer"
        check(cloud, token, CHANNEL)
        assert credentials.get_access_token() == token
        assert await credentials.get_token() == token
    assert not caplog.records


async def test_a_leftover_password_is_warned_of(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """A secret that is still among the settings is not used, and the log says so."""
    credentials_factory({**cloud.settings(), "MicrosoftAppPassword": "leftover"})
    (record,) = caplog.records
    assert "MicrosoftAppPassword is set but never read" in record.getMessage()
    assert "leftover" not in record.getMessage()


async def test_development_without_authentication() -> None:
    """Where the settings allow it, botbuilder checks no callers, and calls carry no token."""
    factory = credentials_factory(
        {
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            "DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true",
            "MicrosoftAppType": "UserAssignedMSI",
            "MicrosoftAppId": STRANGER,
            "MicrosoftAppTenantId": STRANGER,
        }
    )
    assert await factory.is_authentication_disabled()
    credentials = await factory.create_credentials(STRANGER, CHANNEL)
    assert credentials.get_access_token() == ""
    assert "Authorization" not in credentials.signed_session(requests.Session()).headers
    await factory.close()
