"""Entra: real clients sign in with certificates, and what is broken is refused with its code."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import aiohttp
import jwt
import msal
import pytest
import requests
from azure.identity.aio import CertificateCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bot_workbench.emulator.certificates import CertificateAuthority, private_key_pem
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT
from tests.emulator.entra.assertions import Broken, assertion, refusal
from tests.emulator.registered_bot import APP_ID, BOT_FRAMEWORK, SCOPE, TENANT, UNKNOWN
from tests.support.timing.clock import Clock

pytestmark = pytest.mark.usefixtures("trust")


def rs256(key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> dict[str, str]:
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303  # x5t is SHA-1 by definition
    return {"private_key": private_key_pem(key).decode(), "thumbprint": thumbprint}


def ps256(key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> dict[str, str]:
    public = certificate.public_bytes(Encoding.PEM).decode()
    return {"private_key": private_key_pem(key).decode(), "public_certificate": public}


@pytest.fixture(scope="module")
def credential(key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> dict[str, str]:
    return ps256(key, certificate)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """MSAL never closes the session that it makes itself."""
    with requests.Session() as session:
        yield session


def msal_app(
    entra: Entra,
    session: requests.Session,
    credential: dict[str, str],
    tenant: str = TENANT,
    instance_discovery: str | bool = False,
) -> Any:
    return msal.ConfidentialClientApplication(
        APP_ID,
        client_credential=credential,
        authority=f"{entra.server.url}/{tenant}",
        instance_discovery=instance_discovery,
        http_client=session,
    )


async def sign_in(app: Any, *scopes: str) -> list[dict[str, Any]]:
    """One token request for each scope, by one MSAL application."""
    return [await asyncio.to_thread(app.acquire_token_for_client, [scope]) for scope in scopes]


@pytest.mark.parametrize("form", [rs256, ps256])
async def test_msal_signs_in_with_either_kind_of_assertion(
    entra: Entra,
    session: requests.Session,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate,
    form: Any,
) -> None:
    """MSAL with SHA-1 (RS256) or SHA-256 thumbprint (PS256) gets a version 1.0 token."""
    app = await asyncio.to_thread(msal_app, entra, session, form(key, certificate))
    (answer,) = await sign_in(app, SCOPE)
    assert answer.get("error_description") is None
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3599
    issuer = entra.registration.token_issuer
    claims = entra.issuer.verify(answer["access_token"], BOT_FRAMEWORK, issuer)
    expected = {
        "appid": APP_ID,
        "appidacr": "2",
        "idtyp": "app",
        "oid": entra.registration.service_principal_id,
        "tid": TENANT,
        "ver": "1.0",
    }
    assert {name: claims[name] for name in expected} == expected
    assert claims["exp"] - claims["iat"] == 3599
    assert entra.tokens_issued == 1


async def test_azure_identity_signs_in(
    entra: Entra,
    authority: CertificateAuthority,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate,
) -> None:
    """azure-identity's certificate credential gets a token, unmodified."""
    data = private_key_pem(key) + certificate.public_bytes(Encoding.PEM)
    credential = CertificateCredential(
        TENANT,
        APP_ID,
        certificate_data=data,
        authority=entra.server.url,
        disable_instance_discovery=True,
        connection_verify=str(authority.path),
    )
    async with credential:
        token = await credential.get_token(SCOPE)
    assert jwt.decode(token.token, options={"verify_signature": False})["aud"] == BOT_FRAMEWORK


async def test_an_assertion_counts_once(
    entra: Entra, session: requests.Session, credential: dict[str, str]
) -> None:
    """A reused assertion is refused, unless `single_use` is off, as in Entra."""
    app = await asyncio.to_thread(msal_app, entra, session, credential)
    # MSAL sends the assertion that it made first for minutes.
    first, again = await sign_in(app, SCOPE, "https://vault.azure.net/.default")
    assert "access_token" in first
    assert again["error_codes"] == [50027]
    entra.assertions.single_use = False
    (answer,) = await sign_in(app, "https://storage.azure.com/.default")
    assert "access_token" in answer
    assert entra.tokens_issued == 2


async def test_msal_finds_the_tenant_by_instance_discovery(
    entra: Entra, session: requests.Session, credential: dict[str, str]
) -> None:
    """MSAL finds the tenant's metadata by this host's instance discovery."""
    discovery = f"{entra.server.url}/common/discovery/instance"
    app = await asyncio.to_thread(msal_app, entra, session, credential, TENANT, discovery)
    (answer,) = await sign_in(app, SCOPE)
    assert "access_token" in answer
    assert entra.server.requests["GET /common/discovery/instance"] >= 1


async def test_a_foreign_instance_is_unknown(entra: Entra, http: aiohttp.ClientSession) -> None:
    """Instance discovery refuses another host with AADSTS50049."""
    query = {"authorization_endpoint": f"https://example.com/{TENANT}/oauth2/v2.0/authorize"}
    url = f"{entra.server.url}/common/discovery/instance"
    async with http.get(url, params=query) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "invalid_instance"


async def test_a_multi_tenant_bot_signs_in_at_the_channels_tenant(
    entra: Entra, session: requests.Session, credential: dict[str, str]
) -> None:
    """At `botframework.com` a multi-tenant bot's token is issued by the channels' tenant."""
    entra.registration.app_type = "MultiTenant"
    app = await asyncio.to_thread(msal_app, entra, session, credential, "botframework.com")
    (answer,) = await sign_in(app, SCOPE)
    issuer = entra.registration.token_issuer
    claims = entra.issuer.verify(answer["access_token"], BOT_FRAMEWORK, issuer)
    assert claims["tid"] == CHANNEL_TENANT


async def test_a_single_tenant_bot_is_unknown_at_the_channels_tenant(
    entra: Entra, session: requests.Session, credential: dict[str, str]
) -> None:
    """At `botframework.com` a single-tenant bot is refused with AADSTS700016."""
    app = await asyncio.to_thread(msal_app, entra, session, credential, "botframework.com")
    (answer,) = await sign_in(app, SCOPE)
    assert answer["error_codes"] == [700016]


async def test_an_unknown_tenant_stops_msal(
    entra: Entra, session: requests.Session, credential: dict[str, str]
) -> None:
    """A tenant that does not exist has no metadata: MSAL refuses the authority."""
    with pytest.raises(ValueError, match="authority configuration"):
        await asyncio.to_thread(msal_app, entra, session, credential, UNKNOWN)


async def test_the_keys_are_published(entra: Entra, http: aiohttp.ClientSession) -> None:
    """The metadata has the URL of the signing keys, old and new ones after a roll."""
    entra.issuer.roll(keep_old=True)
    url = f"{entra.server.url}/{TENANT}/v2.0/.well-known/openid-configuration"
    async with http.get(url) as response:
        metadata = await response.json()
    async with http.get(metadata["jwks_uri"]) as response:
        published = await response.json()
    assert [key["kid"] for key in published["keys"]] == [key.kid for key in entra.issuer.keys]
    assert metadata["token_endpoint"] == f"{entra.server.url}/{TENANT}/oauth2/v2.0/token"
    assert metadata["issuer"] == f"{entra.server.url}/{TENANT}/v2.0"


async def test_the_older_metadata_names_the_issuer_of_tokens(
    entra: Entra, http: aiohttp.ClientSession
) -> None:
    """The version 1.0 metadata has the issuer of version 1.0 tokens."""
    url = f"{entra.server.url}/{TENANT}/.well-known/openid-configuration"
    async with http.get(url) as response:
        assert (await response.json())["issuer"] == entra.registration.token_issuer


async def test_a_withdrawn_certificate_is_refused(
    entra: Entra,
    session: requests.Session,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate,
) -> None:
    """A removed certificate is refused, with its thumbprint in the message."""
    entra.registration.certificates.clear()
    credential = rs256(key, certificate)
    app = await asyncio.to_thread(msal_app, entra, session, credential)
    (answer,) = await sign_in(app, SCOPE)
    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [700027]
    assert "The key was not found." in answer["error_description"]
    assert credential["thumbprint"].upper() in answer["error_description"]
    assert entra.tokens_issued == 0


async def test_a_certificate_counts_once_entra_knows_it(
    entra: Entra, http: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> None:
    """Until its lag is over, an uploaded certificate is refused like an unknown one."""
    clock = Clock()
    registration = entra.registration
    registration.clock = clock
    registration.register(registration.certificates[-1], after=10.0)
    token = assertion(entra, request, Broken(0))
    _, answer = await refusal(http, entra, {"client_assertion": token})
    assert answer["error_codes"] == [700027]
    clock.advance(10.0)
    status, answer = await refusal(http, entra, {"client_assertion": token})
    assert status == 200, answer


async def test_token_requests_are_counted_by_outcome(
    entra: Entra, http: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> None:
    """Accepted and refused requests are counted; metadata and injected faults are not."""
    await refusal(http, entra, {"client_assertion": assertion(entra, request, Broken(0))})
    await refusal(http, entra, {"client_assertion": assertion(entra, request, Broken(0))})
    await refusal(http, entra, {})
    await refusal(http, entra, {}, UNKNOWN)
    async with http.get(f"{entra.server.url}/{TENANT}/v2.0/.well-known/openid-configuration"):
        pass
    entra.server.faults.set(status=500)
    await refusal(http, entra, {})
    assert entra.token_outcomes == {"issued": 2, "AADSTS7000216": 1, "AADSTS90002": 1}
    assert entra.token_requests == 4
    assert entra.tokens_issued == 2


REQUESTS: dict[str, tuple[dict[str, str | None], int, str, int]] = {
    "client secret": ({"client_secret": "made-up"}, 401, "invalid_client", 7000215),
    "no proof": ({"client_assertion": None}, 401, "invalid_client", 7000216),
    "another app": ({"client_id": UNKNOWN}, 400, "unauthorized_client", 700016),
    "no client id": ({"client_id": None}, 400, "invalid_request", 900144),
    "no scope": ({"scope": None}, 400, "invalid_request", 900144),
    "no grant": ({"grant_type": None}, 400, "invalid_request", 900144),
    "another grant": ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    "scope without .default": ({"scope": BOT_FRAMEWORK}, 400, "invalid_scope", 1002012),
    "scope of nothing": ({"scope": "/.default"}, 400, "invalid_scope", 1002012),
    "two scopes": ({"scope": f"{SCOPE} {SCOPE}"}, 400, "invalid_scope", 70011),
    "blank scope": ({"scope": " "}, 400, "invalid_scope", 70011),
    "unknown resource": ({"scope": "https://x.example/.default"}, 400, "invalid_resource", 500011),
    "no assertion type": ({"client_assertion_type": None}, 400, "invalid_request", 900144),
    "another assertion type": ({"client_assertion_type": "x"}, 400, "invalid_request", 9002313),
}


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
async def test_a_faulty_request_is_refused(
    entra: Entra,
    http: aiohttp.ClientSession,
    request: pytest.FixtureRequest,
    case: tuple[dict[str, str | None], int, str, int],
) -> None:
    """A sound assertion does not help a request with another fault."""
    changes, status, error, code = case
    form = {"client_assertion": assertion(entra, request, Broken(0)), **changes}
    found, answer = await refusal(http, entra, form)
    assert (found, answer["error"], answer["error_codes"]) == (status, error, [code])
    assert entra.tokens_issued == 0


async def test_an_unknown_tenant_is_refused(
    entra: Entra, http: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> None:
    """A token request at a tenant that does not exist is AADSTS90002."""
    token = assertion(entra, request, Broken(0))
    status, answer = await refusal(http, entra, {"client_assertion": token}, UNKNOWN)
    assert (status, answer["error_codes"]) == (400, [90002])


async def test_a_refusal_has_the_shape_of_entra(entra: Entra, http: aiohttp.ClientSession) -> None:
    """A refusal carries code, trace id, correlation id and timestamp, in fields and in its text."""
    correlation_id = str(uuid.uuid4())
    url = f"{entra.server.url}/{TENANT}/oauth2/v2.0/token"
    async with http.post(url, headers={"client-request-id": correlation_id}) as response:
        assert response.status == 400
        answer = await response.json()
    description = answer["error_description"]
    assert answer["error"] == "invalid_request"
    assert description.startswith("AADSTS900144: ")
    assert f"Trace ID: {answer['trace_id']}" in description
    assert answer["correlation_id"] == correlation_id
    assert f"Correlation ID: {correlation_id}" in description
    assert description.endswith(f"Timestamp: {answer['timestamp']}")
    assert answer["error_uri"] == f"{entra.server.url}/error?code=900144"
