"""BotCredentials: the token provider's tokens, as botbuilder requests them."""

import pytest
import requests

from auth.errors import SignInError
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.token_provider import TokenProvider
from cloud_adapter.connector.credentials import BotCredentials, BotCredentialsFactory
from emulator.cloud import Cloud

CHANNEL = "https://api.botframework.com"
STRANGER = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def tokens(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> TokenProvider:
    """Tokens of the bot's managed identity, from the local identity endpoint."""
    for name, value in cloud.identity.settings().items():
        monkeypatch.setenv(name, value)
    return TokenProvider(ManagedIdentityCredential(cloud.registration.app_id, "MicrosoftAppId"))


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
async def test_no_token_is_an_error_at_once() -> None:
    """Where the bot cannot sign in, there are no credentials."""
    stranger = TokenProvider(ManagedIdentityCredential(STRANGER, "MicrosoftAppId"))
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
    assert not await factory.is_valid_app_id(STRANGER)
    assert not await factory.is_valid_app_id("")
    assert not await factory.is_authentication_disabled()
