"""IdentityEndpoint: azure-identity's managed identity credentials get tokens from it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.identity_endpoint import IdentityEndpoint
from bot_workbench.emulator.entra.registration import Registration
from tests.emulator.registered_bot import (
    BOT_FRAMEWORK,
    MANAGED_IDENTITY,
    PRINCIPAL,
    SCOPE,
    TENANT,
    UNKNOWN,
)

SYSTEM_PRINCIPAL = "d4b8e1c2-5a6f-4b44-9c3e-2e5d7a9b8d66"


@pytest.fixture(scope="module")
def entra(tmp_path_factory: pytest.TempPathFactory) -> Entra:
    """It only signs here: nobody connects to it."""
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority"))
    registration = Registration(MANAGED_IDENTITY, TENANT, "UserAssignedMSI")
    return Entra(registration, authority.server_context())


@pytest.fixture
async def endpoint(
    entra: Entra, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[IdentityEndpoint]:
    endpoint = IdentityEndpoint(entra, {MANAGED_IDENTITY: PRINCIPAL, "system": SYSTEM_PRINCIPAL})
    async with endpoint.server:
        for name, value in endpoint.settings().items():
            monkeypatch.setenv(name, value)
        yield endpoint


def claims_of(endpoint: IdentityEndpoint, token: str) -> dict[str, Any]:
    entra = endpoint.entra
    return entra.issuer.verify(token, BOT_FRAMEWORK, entra.registration.token_issuer)


def token_of_sync_credential(client_id: str | None) -> tuple[str, int]:
    with ManagedIdentityCredential(client_id=client_id) as credential:
        token = credential.get_token(SCOPE)
    return token.token, token.expires_on


async def token_of(kind: str, client_id: str | None) -> tuple[str, int]:
    """Token and expiry from the synchronous or the asynchronous credential, unmodified."""
    if kind == "sync":
        return await asyncio.to_thread(token_of_sync_credential, client_id)
    async with AsyncManagedIdentityCredential(client_id=client_id) as credential:
        token = await credential.get_token(SCOPE)
    return token.token, token.expires_on


kinds = pytest.mark.parametrize("kind", ["sync", "aio"])


@kinds
async def test_a_user_assigned_identity_gets_its_token(
    endpoint: IdentityEndpoint, kind: str
) -> None:
    """The token is for the resource, of the identity's client id and principal id."""
    began = time.monotonic()
    token, expires_on = await token_of(kind, MANAGED_IDENTITY)
    taken = time.monotonic() - began
    claims = claims_of(endpoint, token)
    assert (claims["appid"], claims["oid"], claims["tid"]) == (MANAGED_IDENTITY, PRINCIPAL, TENANT)
    # MSAL reckons the expiry from the seconds that are left: it may lose one, and those it takes.
    assert abs(claims["exp"] - expires_on) <= 1 + taken
    assert endpoint.server.requests == {"GET /msi/token": 1}


@kinds
async def test_the_system_assigned_identity_answers_without_a_client_id(
    endpoint: IdentityEndpoint, kind: str
) -> None:
    """A request without client id gets the token of the system-assigned identity."""
    token, _ = await token_of(kind, None)
    assert claims_of(endpoint, token)["oid"] == SYSTEM_PRINCIPAL


@kinds
@pytest.mark.parametrize("client_id", [UNKNOWN, None])
async def test_an_identity_that_is_not_assigned_is_refused(
    endpoint: IdentityEndpoint, kind: str, client_id: str | None
) -> None:
    """The credential raises for a client id, or a system identity, that the app does not have."""
    del endpoint.identities["system"]
    with pytest.raises(ClientAuthenticationError):
        await token_of(kind, client_id)


@kinds
async def test_a_wrong_secret_is_refused(
    endpoint: IdentityEndpoint, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A request with a wrong secret gets no token."""
    monkeypatch.setenv("IDENTITY_HEADER", "guessed")
    issued = endpoint.entra.tokens_issued
    with pytest.raises(ClientAuthenticationError):
        await token_of(kind, MANAGED_IDENTITY)
    assert endpoint.entra.tokens_issued == issued


async def test_each_endpoint_has_its_own_secret(entra: Entra) -> None:
    """Two endpoints have different secrets."""
    assert IdentityEndpoint(entra, {}).secret != IdentityEndpoint(entra, {}).secret


RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/x"


@pytest.mark.parametrize("by", ["resource_id", "object_id"])
async def test_an_identity_is_found_by_its_other_ids(
    endpoint: IdentityEndpoint, entra: Entra, by: str
) -> None:
    """azure-identity may name an assigned identity by its id in Azure or its principal id."""
    entra.directory.add_identity(PRINCIPAL, MANAGED_IDENTITY, resource_id=RESOURCE_ID)
    config = {by: {"resource_id": RESOURCE_ID.upper(), "object_id": PRINCIPAL}[by]}

    def token() -> str:
        # The asynchronous credential sends these names as they are, which App Service ignores.
        with ManagedIdentityCredential(identity_config=config) as credential:
            return str(credential.get_token(SCOPE).token)

    claims = claims_of(endpoint, await asyncio.to_thread(token))
    assert claims["appid"] == MANAGED_IDENTITY
    del endpoint.identities[MANAGED_IDENTITY]
    with pytest.raises(ClientAuthenticationError):
        await asyncio.to_thread(token)


ANSWERS: dict[str, tuple[dict[str, str | None], int]] = {
    "as App Service's reference has it": ({}, 200),
    "unknown client id": ({"client_id": UNKNOWN}, 400),
    "by resource id": ({"client_id": None, "mi_res_id": "/subscriptions/x"}, 400),
    "by principal id": ({"client_id": None, "principal_id": UNKNOWN}, 400),
    "no resource": ({"resource": None}, 400),
    "unknown resource": ({"resource": "https://api.botframework.example"}, 500),
    "an older version": ({"api-version": "2017-09-01"}, 400),
    "no version": ({"api-version": None}, 400),
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS)
async def test_the_answer_has_the_shape_of_app_service(
    endpoint: IdentityEndpoint, case: tuple[dict[str, str | None], int]
) -> None:
    """Tokens and refusals are JSON with the fields of App Service's reference."""
    changes, status = case
    query = {
        "api-version": "2019-08-01",
        "resource": BOT_FRAMEWORK,
        "client_id": MANAGED_IDENTITY,
        **changes,
    }
    present = {name: value for name, value in query.items() if value is not None}
    settings = endpoint.settings()
    header = {"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]}
    async with (
        aiohttp.ClientSession(headers=header) as http,
        http.get(settings["IDENTITY_ENDPOINT"], params=present) as response,
    ):
        assert response.status == status
        answer = await response.json()
    if status != 200:
        assert answer.keys() == {"statusCode", "message", "correlationId"}
        assert answer["statusCode"] == status
        return
    claims = claims_of(endpoint, answer.pop("access_token"))
    assert answer == {
        "expires_on": str(claims["exp"]),
        "resource": BOT_FRAMEWORK,
        "token_type": "Bearer",
        "client_id": MANAGED_IDENTITY,
    }


async def test_no_header_is_refused(endpoint: IdentityEndpoint) -> None:
    """A request without the header is forbidden, whatever it asks for."""
    url = f"{endpoint.settings()['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=x"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.status == 403
