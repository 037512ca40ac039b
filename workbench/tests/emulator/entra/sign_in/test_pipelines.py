"""FederatedAssertions: a pipeline's token of another issuer signs an application in."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import WorkloadIdentityCredential

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.entra.credentials import FEDERATED, TrustedSubject
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from tests.emulator.registered_bot import APP_ID, BOT_FRAMEWORK, SCOPE, TENANT
from tests.support.timing.clock import Clock

GITHUB = "https://token.actions.githubusercontent.com"
SUBJECT = "repo:contoso/bot:ref:refs/heads/main"
EXCHANGE = "api://AzureADTokenExchange"

pytestmark = pytest.mark.usefixtures("trust")


@pytest.fixture(scope="module")
def pipeline() -> TokenIssuer:
    """GitHub's issuer."""
    return TokenIssuer()


@pytest.fixture
def trusted() -> TrustedSubject:
    return TrustedSubject(GITHUB, SUBJECT)


@pytest.fixture
async def entra(
    authority: CertificateAuthority, pipeline: TokenIssuer, trusted: TrustedSubject
) -> AsyncIterator[Entra]:
    """An authority that knows the issuer, whose application trusts one branch."""
    registration = Registration(APP_ID, TENANT, "SingleTenant", federated_credentials=[trusted])
    entra = Entra(registration, authority.server_context())
    entra.directory.issuers[GITHUB] = pipeline
    async with entra.server:
        yield entra


async def sign_in(
    entra: Entra, authority: CertificateAuthority, folder: Path, token: str
) -> dict[str, Any]:
    """The claims of the token that azure-identity gets, as in a pipeline."""
    file = folder / "token"
    await asyncio.to_thread(file.write_text, token)
    credential = WorkloadIdentityCredential(
        tenant_id=TENANT,
        client_id=APP_ID,
        token_file_path=os.fspath(file),
        authority=entra.server.url,
        disable_instance_discovery=True,
        connection_verify=str(authority.path),
    )
    async with credential:
        issued = (await credential.get_token(SCOPE)).token
    return entra.issuer.verify(issued, BOT_FRAMEWORK, entra.registration.token_issuer)


def pipeline_token(issuer: TokenIssuer, **changes: str) -> str:
    return issuer.sign({"iss": GITHUB, "sub": SUBJECT, "aud": EXCHANGE, **changes})


async def test_a_pipeline_signs_in(
    entra: Entra,
    authority: CertificateAuthority,
    pipeline: TokenIssuer,
    trusted: TrustedSubject,
    tmp_path: Path,
) -> None:
    """azure-identity's workload identity gets the application's token; it is remembered."""
    claims = await sign_in(entra, authority, tmp_path, pipeline_token(pipeline))
    assert (claims["appid"], claims["appidacr"]) == (APP_ID, "2")
    (remembered,) = entra.directory.sign_ins
    assert remembered.credential == (FEDERATED, trusted.key_id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sub": "repo:contoso/bot:ref:refs/heads/other"}, "AADSTS700213"),
        ({"sub": SUBJECT.upper()}, "AADSTS7002138"),
        ({"aud": "https://github.com/contoso"}, "AADSTS700212"),
        ({"iss": f"{GITHUB}/"}, "AADSTS700211"),
    ],
)
async def test_other_pipelines_are_refused(
    entra: Entra,
    authority: CertificateAuthority,
    pipeline: TokenIssuer,
    tmp_path: Path,
    changes: dict[str, str],
    code: str,
) -> None:
    """Subject, audience and issuer are compared exactly."""
    with pytest.raises(ClientAuthenticationError, match=f"{code}:"):
        await sign_in(entra, authority, tmp_path, pipeline_token(pipeline, **changes))


@pytest.mark.parametrize("is_entras", [True, False])
async def test_only_the_issuers_own_key_signs(
    entra: Entra, authority: CertificateAuthority, tmp_path: Path, is_entras: bool
) -> None:
    """A token that says it is the issuer's, but is signed with another's key, is refused."""
    signer = entra.issuer if is_entras else TokenIssuer()
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000272:"):
        await sign_in(entra, authority, tmp_path, pipeline_token(signer))


async def test_the_issuers_key_signs_for_no_other_issuer(
    entra: Entra, authority: CertificateAuthority, pipeline: TokenIssuer, tmp_path: Path
) -> None:
    """A pipeline cannot make tokens of the tenant's managed identities."""
    issuer = entra.authority.issuer(TENANT)
    entra.registration.federated_credentials.append(TrustedSubject(issuer, SUBJECT))
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000272:"):
        await sign_in(entra, authority, tmp_path, pipeline_token(pipeline, iss=issuer))


async def test_a_new_federated_credential_is_refused_for_a_while(
    entra: Entra, http: aiohttp.ClientSession, pipeline: TokenIssuer, trusted: TrustedSubject
) -> None:
    """Until it has reached all of Entra, the refusal is AADSTS70021 with all three values."""
    clock = Clock()
    entra.registration.clock = clock
    entra.registration.delay(trusted, 60.0)
    form = {
        "grant_type": "client_credentials",
        "client_id": APP_ID,
        "scope": SCOPE,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": pipeline_token(pipeline),
    }
    url = f"{entra.server.url}/{TENANT}/oauth2/v2.0/token"
    async with http.post(url, data=form) as response:
        answer = await response.json()
        assert response.status == 400
    assert (answer["error"], answer["error_codes"]) == ("invalid_request", [70021])
    values = (
        f"Assertion Issuer: '{GITHUB}'. Assertion Subject: '{SUBJECT}'. "
        f"Assertion Audience: '{EXCHANGE}'."
    )
    assert values in answer["error_description"]
    clock.advance(60.0)
    async with http.post(url, data=form) as response:
        token = (await response.json())["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["appid"] == APP_ID
