"""Authority: under a public name, Entra's metadata, issuers and errors bear that name."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.entra.authority import PUBLIC_AUTHORITY
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration, issuer_of
from tests.emulator.entra.assertions import Broken, assertion, refusal
from tests.emulator.registered_bot import BOT_FRAMEWORK, TENANT, UNKNOWN

PUBLIC = {"Host": "login.microsoftonline.com"}
"""What a proxy lets through unchanged."""


@pytest.fixture
async def entra(
    registration: Registration, authority: CertificateAuthority
) -> AsyncIterator[Entra]:
    """Entra as clients reach it through a proxy."""
    entra = Entra(registration, authority.server_context(), PUBLIC_AUTHORITY)
    async with entra.server:
        yield entra


async def get(http: aiohttp.ClientSession, url: str, **query: str) -> Any:
    async with http.get(url, params=query, headers=PUBLIC) as response:
        return await response.json()


async def test_the_metadata_has_the_public_name(http: aiohttp.ClientSession, entra: Entra) -> None:
    """All endpoints and the issuer have it; version 1.0's issuer is that of version 1.0 tokens."""
    base = f"{PUBLIC_AUTHORITY}/{TENANT}"
    url = f"{entra.server.url}/{TENANT}"
    metadata = await get(http, f"{url}/v2.0/.well-known/openid-configuration")
    assert metadata["issuer"] == f"{base}/v2.0" == entra.authority.issuer(TENANT)
    assert metadata["token_endpoint"] == f"{base}/oauth2/v2.0/token"
    assert metadata["jwks_uri"] == f"{base}/discovery/v2.0/keys"
    older = await get(http, f"{url}/.well-known/openid-configuration")
    assert older["issuer"] == issuer_of(TENANT)


async def test_the_local_name_still_works(http: aiohttp.ClientSession, entra: Entra) -> None:
    """Who asks at the local address is led to it, and the issuer is still the public one."""
    url = f"{entra.server.url}/{TENANT}/v2.0/.well-known/openid-configuration"
    async with http.get(url) as response:
        metadata = await response.json()
    assert metadata["token_endpoint"] == f"{entra.server.url}/{TENANT}/oauth2/v2.0/token"
    assert metadata["issuer"] == f"{PUBLIC_AUTHORITY}/{TENANT}/v2.0"


@pytest.mark.parametrize("is_public", [True, False])
async def test_both_names_are_known_instances(
    http: aiohttp.ClientSession, entra: Entra, is_public: bool
) -> None:
    """Instance discovery knows the public host and the local one, and no other."""
    name = PUBLIC_AUTHORITY if is_public else entra.server.url
    url = f"{entra.server.url}/common/discovery/instance"
    endpoint = f"{name}/{TENANT}/oauth2/v2.0/authorize"
    answer = await get(http, url, authorization_endpoint=endpoint)
    path = f"{name}/{TENANT}/v2.0/.well-known/openid-configuration"
    assert answer["tenant_discovery_endpoint"] == path
    other = f"https://example.com/{TENANT}/oauth2/v2.0/authorize"
    assert (await get(http, url, authorization_endpoint=other))["error"] == "invalid_instance"


@pytest.mark.parametrize(
    ("audience", "code"),
    [
        (f"{PUBLIC_AUTHORITY}/{TENANT}/oauth2/v2.0/token", None),
        (f"{PUBLIC_AUTHORITY}/{TENANT}/v2.0", None),
        ("{base}/oauth2/v2.0/token", None),
        (f"https://example.com/{TENANT}/v2.0", 700023),
        (f"{PUBLIC_AUTHORITY}/{UNKNOWN}/v2.0", 700023),
    ],
)
async def test_assertions_are_for_either_name(
    http: aiohttp.ClientSession,
    entra: Entra,
    request: pytest.FixtureRequest,
    audience: str,
    code: int | None,
) -> None:
    """An assertion may name the public token endpoint or the local one, of the same tenant."""
    signed = assertion(entra, request, Broken(0, claims={"aud": audience}))
    _, answer = await refusal(http, entra, {"client_assertion": signed})
    assert answer.get("error_codes") == (None if code is None else [code])


async def test_tokens_and_errors_have_the_public_name(
    http: aiohttp.ClientSession, entra: Entra
) -> None:
    """The issuer of version 2.0 tokens and the help link of a refusal are Azure's."""
    token, _ = entra.app_token("api://AzureADTokenExchange", "id", "oid", tenant_id=TENANT)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iss"] == f"{PUBLIC_AUTHORITY}/{TENANT}/v2.0"
    _, answer = await refusal(http, entra, {})
    assert answer["error_uri"].startswith(f"{PUBLIC_AUTHORITY}/error?code=")


async def test_a_users_token_is_the_directorys_users(entra: Entra) -> None:
    """It is delegated: it has a scope and the user's name."""
    token = entra.user_token(BOT_FRAMEWORK, "a client")
    claims = entra.issuer.verify(token, BOT_FRAMEWORK, issuer_of(TENANT))
    user = entra.directory.user
    assert (claims["oid"], claims["upn"], claims["idtyp"]) == (user.object_id, user.name, "user")
