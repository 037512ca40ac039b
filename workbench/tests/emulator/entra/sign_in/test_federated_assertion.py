"""FederatedAssertions: an identity's token signs the app in that trusts it, and no other token."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt
import msal
import pytest
import requests
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ClientAssertionCredential
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.errors import CLOCK_SKEW
from bot_workbench.emulator.entra.identity_endpoint import IdentityEndpoint
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.sign_in.federated_assertion import is_federated
from bot_workbench.emulator.entra.sign_in.token_request import ASSERTION_TYPE
from tests.emulator.registered_bot import (
    APP_ID,
    BOT_FRAMEWORK,
    MANAGED_IDENTITY,
    PRINCIPAL,
    SCOPE,
    TENANT,
    UNKNOWN,
)

EXCHANGE = "api://AzureADTokenExchange"
EXCHANGE_APP = "fb60f99c-7a34-4190-8149-302f77469936"

clouds = pytest.mark.parametrize("cloud", ["", "USGov", "China"])

pytestmark = pytest.mark.usefixtures("trust")


@pytest.fixture
async def entra(authority: CertificateAuthority) -> AsyncIterator[Entra]:
    """An authority whose registration trusts the identity."""
    entra = Entra(Registration(APP_ID, TENANT, "SingleTenant"), authority.server_context())
    async with entra.server:
        trusted = TrustedSubject(entra.authority.issuer(TENANT), PRINCIPAL)
        entra.registration.federated_credentials.append(trusted)
        yield entra


@pytest.fixture
async def identity(entra: Entra, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The app's platform: the trusted identity, and a system-assigned one that nobody trusts."""
    endpoint = IdentityEndpoint(entra, {MANAGED_IDENTITY: PRINCIPAL, "system": UNKNOWN})
    async with endpoint.server:
        for name, value in endpoint.settings().items():
            monkeypatch.setenv(name, value)
        yield


def identity_token(client_id: str | None = MANAGED_IDENTITY, resource: str = EXCHANGE) -> str:
    """From azure-identity, unmodified; blocks."""
    with ManagedIdentityCredential(client_id=client_id) as credential:
        token = credential.get_token(f"{resource}/.default")
    return str(token.token)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


@pytest.mark.usefixtures("identity")
@clouds
async def test_azure_identity_signs_in(
    entra: Entra, authority: CertificateAuthority, cloud: str
) -> None:
    """azure-identity's two credentials, one after the other, get the app's token in each cloud."""
    audience = f"{EXCHANGE}{cloud}"
    issuer = entra.authority.issuer(TENANT)
    entra.registration.federated_credentials[:] = [TrustedSubject(issuer, PRINCIPAL, audience)]
    assertion = await asyncio.to_thread(identity_token, MANAGED_IDENTITY, audience)
    credential = ClientAssertionCredential(
        TENANT,
        APP_ID,
        lambda: assertion,
        authority=entra.server.url,
        disable_instance_discovery=True,
        connection_verify=str(authority.path),
    )
    async with credential:
        token = await credential.get_token(SCOPE)
    claims = entra.issuer.verify(token.token, BOT_FRAMEWORK, entra.registration.token_issuer)
    assert (claims["appid"], claims["oid"], claims["ver"]) == (
        APP_ID,
        entra.registration.service_principal_id,
        "1.0",
    )


@pytest.mark.usefixtures("identity")
async def test_msal_signs_in(entra: Entra) -> None:
    """MSAL with a callable for its assertion gets the app's token, twice with the same one."""

    def sign_in(assertion: str, scope: str) -> Any:
        with requests.Session() as session:
            app = msal.ConfidentialClientApplication(
                APP_ID,
                client_credential={"client_assertion": lambda: assertion},
                authority=f"{entra.server.url}/{TENANT}",
                instance_discovery=False,
                http_client=session,
            )
            return app.acquire_token_for_client([scope])

    assertion = await asyncio.to_thread(identity_token)
    for scope in (SCOPE, "https://vault.azure.net/.default"):
        answer = await asyncio.to_thread(sign_in, assertion, scope)
        assert answer.get("error_description") is None
        assert claims_of(answer["access_token"])["appid"] == APP_ID


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("resource", [EXCHANGE, f"{EXCHANGE}USGov", f"{EXCHANGE}China"])
async def test_the_identitys_token_is_of_version_2(entra: Entra, resource: str) -> None:
    """Its issuer is the tenant's version 2.0 one; its audience is an application id, if known."""
    token = await asyncio.to_thread(identity_token, MANAGED_IDENTITY, resource)
    expected = {
        "aud": EXCHANGE_APP if resource == EXCHANGE else resource,
        "iss": f"{entra.server.url}/{TENANT}/v2.0",
        "sub": PRINCIPAL,
        "oid": PRINCIPAL,
        "azp": MANAGED_IDENTITY,
        "tid": TENANT,
        "ver": "2.0",
    }
    claims = entra.issuer.verify(token, expected["aud"], expected["iss"])
    assert {name: claims[name] for name in expected} == expected
    assert "appid" not in claims


async def exchange(
    entra: Entra, http: aiohttp.ClientSession, assertion: str
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the token endpoint's answer to an assertion."""
    form = {
        "grant_type": "client_credentials",
        "client_id": APP_ID,
        "scope": SCOPE,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    url = f"{entra.server.url}/{TENANT}/oauth2/v2.0/token"
    async with http.post(url, data=form) as response:
        return response.status, await response.json()


def federated(entra: Entra, changes: dict[str, Any]) -> str:
    """The identity's token with changed claims; None leaves one out, times count from now."""
    now = int(time.time())
    claims = {
        "aud": EXCHANGE_APP,
        "iss": entra.authority.issuer(TENANT),
        "sub": PRINCIPAL,
        "iat": 0,
        "nbf": 0,
        "exp": 600,
        **changes,
    }
    for name in ("iat", "nbf", "exp"):
        if isinstance(claims[name], int):
            claims[name] += now
    present = {name: value for name, value in claims.items() if value is not None}
    signer = entra.issuer.keys[-1]
    return jwt.encode(present, signer.private_key, "RS256", headers={"kid": signer.kid})


@dataclass
class Broken:
    """A trusted token with one thing changed.

    Attributes:
        code: what Entra answers.
        claims: replaced claims, as `federated` takes them.
        text: a part of the message.
    """

    code: int
    claims: dict[str, Any] = field(default_factory=dict)
    text: str = ""


BROKEN = {
    "issuer of another tenant": Broken(
        700211, {"iss": f"https://login.microsoftonline.com/{UNKNOWN}/v2.0"}, "assertion issuer"
    ),
    "issuer of version 1.0": Broken(700211, {"iss": f"https://sts.windows.net/{TENANT}/"}),
    "subject is another identity": Broken(
        700213, {"sub": UNKNOWN}, f"assertion subject '{UNKNOWN}'"
    ),
    "subject is the client id": Broken(700213, {"sub": MANAGED_IDENTITY}),
    "subject in capitals": Broken(7002138, {"sub": PRINCIPAL.upper()}, "not with case-sensitive"),
    "audience is another resource": Broken(
        700212, {"aud": BOT_FRAMEWORK}, f"assertion audience '{BOT_FRAMEWORK}'"
    ),
    "audience of another cloud": Broken(700212, {"aud": f"{EXCHANGE}China"}),
    "audience in small letters": Broken(700212, {"aud": EXCHANGE.lower()}),
    "expired": Broken(700024, {"iat": -700, "nbf": -700, "exp": -100}),
    "not valid yet": Broken(700024, {"iat": None, "nbf": 300}),
    "no expiry": Broken(50027, {"exp": None}),
    "no subject": Broken(50027, {"sub": None}),
    "subject is a number": Broken(50027, {"sub": 7}),
    "no audience": Broken(50027, {"aud": None}),
    "audience is a list": Broken(50027, {"aud": [EXCHANGE]}),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_a_token_that_is_not_trusted_is_refused(
    entra: Entra, http: aiohttp.ClientSession, broken: Broken
) -> None:
    """Each fault of a federated token is refused as invalid_client with its AADSTS code."""
    status, answer = await exchange(entra, http, federated(entra, broken.claims))
    assert (status, answer["error"], answer["error_codes"]) == (
        401,
        "invalid_client",
        [broken.code],
    )
    assert broken.text in answer["error_description"]
    assert entra.tokens_issued == 0


GOOD: dict[str, dict[str, Any]] = {
    "as an identity's": {},
    "audience is the resource": {"aud": EXCHANGE},
    "no nbf and iat": {"nbf": None, "iat": None},
    "with an id": {"jti": "1"},
    "an issuer's clock that is ahead": {"iat": CLOCK_SKEW, "nbf": CLOCK_SKEW},
}


@pytest.mark.parametrize("claims", GOOD.values(), ids=GOOD)
async def test_a_trusted_token_is_accepted_again_and_again(
    entra: Entra, http: aiohttp.ClientSession, claims: dict[str, Any]
) -> None:
    """The same tokens without a fault get a token each time, so the table tests the fault."""
    assertion = federated(entra, claims)
    for _ in range(2):
        status, answer = await exchange(entra, http, assertion)
        assert status == 200, answer


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuer": "{issuer}/"}, 700211),
        ({"issuer": "{capitals}"}, 700211),
        ({"subject": UNKNOWN}, 700213),
        ({"subject": PRINCIPAL.upper()}, 7002138),
        ({"audience": EXCHANGE_APP}, 700212),
        ({"audience": f"{EXCHANGE}USGov"}, 700212),
        ({"audience": EXCHANGE.upper()}, 700212),
    ],
)
async def test_each_value_of_the_credential_counts_exactly(
    entra: Entra, http: aiohttp.ClientSession, change: dict[str, str], code: int
) -> None:
    """A federated credential with one wrong value, even in case only, trusts no token."""
    issuer = entra.authority.issuer(TENANT)
    values = {"issuer": issuer, "subject": PRINCIPAL, **change}
    values["issuer"] = values["issuer"].format(issuer=issuer, capitals=issuer.upper())
    entra.registration.federated_credentials[:] = [TrustedSubject(**values)]
    _, answer = await exchange(entra, http, federated(entra, {}))
    assert answer["error_codes"] == [code]


async def test_the_values_must_be_of_one_credential(
    entra: Entra, http: aiohttp.ClientSession
) -> None:
    """Issuer and subject of one credential do not match with the audience of another."""
    issuer = entra.authority.issuer(TENANT)
    entra.registration.federated_credentials[:] = [
        TrustedSubject(issuer, PRINCIPAL, f"{EXCHANGE}China"),
        TrustedSubject(issuer, UNKNOWN),
        TrustedSubject("https://elsewhere", PRINCIPAL),
    ]
    _, answer = await exchange(entra, http, federated(entra, {}))
    assert answer["error_codes"] == [700212]
    entra.registration.federated_credentials.append(TrustedSubject(issuer, PRINCIPAL))
    status, _ = await exchange(entra, http, federated(entra, {}))
    assert status == 200


async def test_without_a_credential_nobody_is_trusted(
    entra: Entra, http: aiohttp.ClientSession
) -> None:
    """A registration without federated credentials refuses with AADSTS70025, and names the app."""
    entra.registration.federated_credentials.clear()
    status, answer = await exchange(entra, http, federated(entra, {}))
    assert (status, answer["error_codes"]) == (401, [70025])
    assert APP_ID in answer["error_description"]


async def test_a_multi_tenant_app_does_not_federate(
    entra: Entra, http: aiohttp.ClientSession
) -> None:
    """A multi-tenant bot is refused, also at its own tenant and with the credential in place."""
    entra.registration.app_type = "MultiTenant"
    status, answer = await exchange(entra, http, federated(entra, {}))
    assert (status, answer["error_codes"]) == (401, [700222])


async def test_a_token_of_another_key_is_refused(
    entra: Entra, http: aiohttp.ClientSession, other_key: rsa.RSAPrivateKey
) -> None:
    """A token of an unpublished key, or with a foreign signature, is refused."""
    claims = claims_of(federated(entra, {}))
    for kid, code in (("made-up", 7000272), (entra.issuer.keys[-1].kid, 700027)):
        forged = jwt.encode(claims, other_key, "RS256", headers={"kid": kid})
        status, answer = await exchange(entra, http, forged)
        assert (status, answer["error_codes"]) == (401, [code])
    assert "verify the signature failed" in answer["error_description"]
    unsigned = jwt.encode(claims, "", "none", headers={"kid": entra.issuer.keys[-1].kid})
    _, answer = await exchange(entra, http, unsigned)
    assert answer["error_codes"] == [50027]
    assert entra.tokens_issued == 0


@pytest.mark.parametrize("keep_old", [True, False])
async def test_a_token_of_an_older_key_counts_while_it_is_published(
    entra: Entra, http: aiohttp.ClientSession, keep_old: bool
) -> None:
    """After a key roll, tokens of the old key are accepted until it is removed."""
    assertion = federated(entra, {})
    entra.issuer.roll(keep_old=keep_old)
    status, answer = await exchange(entra, http, assertion)
    assert status == 200 if keep_old else answer["error_codes"] == [7000272]


@pytest.mark.usefixtures("identity")
async def test_an_identity_that_is_not_trusted_does_not_sign_in(
    entra: Entra, http: aiohttp.ClientSession
) -> None:
    """The system-assigned identity's token is refused, because its subject is not trusted."""
    assertion = await asyncio.to_thread(identity_token, None)
    _, answer = await exchange(entra, http, assertion)
    assert answer["error_codes"] == [700213]


@pytest.mark.usefixtures("identity")
async def test_a_token_for_another_resource_does_not_sign_in(
    entra: Entra, http: aiohttp.ClientSession
) -> None:
    """The identity's token for a vault is of version 1.0: its issuer is not the trusted one."""
    assertion = await asyncio.to_thread(identity_token, MANAGED_IDENTITY, "https://vault.azure.net")
    _, answer = await exchange(entra, http, assertion)
    assert answer["error_codes"] == [700211]


def unsigned(claims: object) -> str:
    """A JWT of any payload, with an invalid signature."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"x"))


@pytest.mark.parametrize(
    ("assertion", "expected"),
    [
        (unsigned({"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0"}), True),
        (unsigned({"iss": APP_ID}), False),
        (unsigned({"iss": 7}), False),
        (unsigned({}), False),
        (unsigned(["iss"]), False),
        ("no-jwt", False),
    ],
)
def test_a_url_as_issuer_makes_it_federated(assertion: str, expected: bool) -> None:
    """Only an assertion with a URL as its issuer is treated as federated."""
    assert is_federated(assertion) is expected
