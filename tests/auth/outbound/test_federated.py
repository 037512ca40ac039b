"""FederatedCredential: a managed identity's token signs an app registration in."""

from collections.abc import Callable, Mapping
from typing import Any

import jwt
import pytest

from auth.errors import EndpointDown, SignInError
from auth.outbound.azure_sdk import PoolTransport
from auth.outbound.entra import EntraClient
from auth.outbound.federated import FederatedCredential
from auth.outbound.managed_identity import ManagedIdentityCredential
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.entra.sign_in.federated_assertion import EXCHANGE_AUDIENCES
from http_client.pool import HttpPool
from tests.support.credentials.sign_in import AUDIENCE, CLIENT_ID, PRINCIPAL_ID, UNKNOWN_ID

EXCHANGE = "api://AzureADTokenExchange"


@pytest.fixture
def trusted(platform: Cloud) -> TrustedSubject:
    """What the registration trusts: the app's user-assigned identity, by its principal id."""
    platform.identity.identities[CLIENT_ID] = PRINCIPAL_ID
    issuer = platform.entra.authority.issuer(platform.registration.tenant_id)
    credential = TrustedSubject(issuer, PRINCIPAL_ID, EXCHANGE)
    platform.registration.federated_credentials[:] = [credential]
    return credential


@pytest.fixture
def entra(platform: Cloud, pool: HttpPool) -> EntraClient:
    """The bot's registration at home."""
    authority = f"{platform.entra.server.url}/{platform.registration.tenant_id}"
    return EntraClient(platform.registration.app_id, authority, pool)


def federated(
    entra: EntraClient,
    transport: PoolTransport,
    client_id: str = CLIENT_ID,
    exchange: str = EXCHANGE,
) -> FederatedCredential:
    """A bot that shows the token of this identity."""
    identity = ManagedIdentityCredential(client_id, "AZURE_CLIENT_ID", transport)
    return FederatedCredential(entra, identity, exchange)


@pytest.fixture
def credential(
    trusted: TrustedSubject, entra: EntraClient, transport: PoolTransport
) -> FederatedCredential:
    """That of a bot whose identity is trusted."""
    return federated(entra, transport, exchange=trusted.audience)


@pytest.fixture
def shown(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every federated assertion that Entra gets, in order."""
    seen: list[str] = []
    verify = platform.entra.federated.verify

    def recorded(assertion: str, *arguments: Any) -> Any:
        seen.append(assertion)
        return verify(assertion, *arguments)

    monkeypatch.setattr(platform.entra.federated, "verify", recorded)
    return seen


def unverified(token: str) -> Mapping[str, Any]:
    """What a token says."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def refusal(credential: FederatedCredential) -> str:
    """The text of a refusal that is not an outage."""
    with pytest.raises(SignInError) as caught:
        await credential.request_token(AUDIENCE)
    assert type(caught.value) is SignInError
    return str(caught.value)


async def test_a_token(credential: FederatedCredential, platform: Cloud) -> None:
    """The token is the app's, not the identity's, and no certificate proved it."""
    token = await credential.request_token(AUDIENCE)
    issuer = issuer_of(platform.registration.tenant_id)
    claims = platform.entra.issuer.verify(token.value, AUDIENCE, issuer)
    assert claims["appid"] == platform.registration.app_id
    assert claims["oid"] == platform.entra.registration.service_principal_id != PRINCIPAL_ID
    assert token.expires_on <= claims["exp"] + 1
    assert (token.thumbprint, token.certificate_expires_on) == ("", 0.0)


@pytest.mark.parametrize("exchange", EXCHANGE_AUDIENCES)
async def test_each_cloud_s_exchange(
    exchange: str,
    trusted: TrustedSubject,
    entra: EntraClient,
    transport: PoolTransport,
    platform: Cloud,
    shown: list[str],
) -> None:
    """The identity's token is for the cloud's exchange, and is what Entra is shown."""
    platform.registration.federated_credentials[:] = [
        TrustedSubject(trusted.issuer, trusted.subject, exchange)
    ]
    assert (await federated(entra, transport, exchange=exchange).request_token(AUDIENCE)).value
    [assertion] = shown
    claims = unverified(assertion)
    assert claims["aud"] == EXCHANGE_AUDIENCES[exchange]
    assert claims["sub"] == PRINCIPAL_ID
    assert claims["azp"] == CLIENT_ID


async def test_each_request_asks_for_a_fresh_assertion(
    credential: FederatedCredential, platform: Cloud, shown: list[str]
) -> None:
    """One token of the identity for each of the app's."""
    before = platform.identity.server.requests.total()
    for _ in range(3):
        await credential.request_token(AUDIENCE)
    assert platform.identity.server.requests.total() == before + 3
    assert len(set(shown)) == 3


@pytest.mark.usefixtures("trusted")
async def test_an_identity_that_the_app_does_not_have(
    entra: EntraClient, transport: PoolTransport, platform: Cloud
) -> None:
    """The text names the identity's setting, not the bot's; Entra is not called."""
    before = platform.entra.token_requests
    text = await refusal(federated(entra, transport, UNKNOWN_ID))
    assert f"{UNKNOWN_ID} cannot sign in: set AZURE_CLIENT_ID" in text
    assert platform.entra.token_requests == before


@pytest.mark.usefixtures("trusted")
async def test_a_multi_tenant_bot(
    platform: Cloud, pool: HttpPool, transport: PoolTransport
) -> None:
    """The channels' tenant trusts no managed identity."""
    platform.registration.app_type = "MultiTenant"
    authority = f"{platform.entra.server.url}/botframework.com"
    elsewhere = EntraClient(platform.registration.app_id, authority, pool)
    text = await refusal(federated(elsewhere, transport))
    assert "AADSTS700222" in text
    assert "AZURE_CLIENT_ID" in text


async def test_the_identity_endpoint_is_down(
    credential: FederatedCredential, close_port: Callable[[str], None]
) -> None:
    """An outage of the identity endpoint is reported as such."""
    close_port("identity")
    with pytest.raises(EndpointDown, match="the identity endpoint does not answer") as caught:
        await credential.request_token(AUDIENCE)
    assert f"{CLIENT_ID} (AZURE_CLIENT_ID)" in str(caught.value)
