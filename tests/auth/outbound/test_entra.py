"""EntraClient: signs an app registration in, with unmodified MSAL."""

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pytest

from auth.certificates.certificate import Certificate
from auth.errors import CertificateError, EndpointDown, SignInError, Throttled, VaultForbidden
from auth.outbound.entra import Assertion, EntraClient
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT, issuer_of
from http_client.pool import HttpPool, Timeouts
from tests.support.credentials.sign_in import AUDIENCE, UNKNOWN_ID, failure, made
from tests.support.timing.clock import Clock
from tests.support.timing.condition import comes_true
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Reply, ScriptedService


def claims(platform: Cloud, token: str, tenant: str) -> Mapping[str, Any]:
    """What Entra signed."""
    return platform.entra.issuer.verify(token, AUDIENCE, issuer_of(tenant))


async def test_a_token_by_certificate(
    platform: Cloud, authority: str, pool: HttpPool, assertion: Assertion, certificate: Certificate
) -> None:
    """The token is the app's, for the audience, and tells how long it and its proof last."""
    clock = Clock(1_900_000_000.0)
    entra = EntraClient(platform.registration.app_id, authority, pool, clock=clock)
    token = await entra.request_token(AUDIENCE, assertion, certificate)
    found = claims(platform, token.value, platform.registration.tenant_id)
    assert found["appid"] == platform.registration.app_id
    assert token.expires_on == 1_900_000_000.0 + platform.entra.token_lifetime
    assert token.thumbprint == certificate.thumbprint
    assert token.certificate_expires_on == certificate.expires_on


async def test_a_token_without_certificate(entra: EntraClient, assertion: Assertion) -> None:
    """An assertion that no certificate signs proves none."""
    before = time.time()
    token = await entra.request_token(AUDIENCE, assertion)
    assert before + 3598 < token.expires_on < time.time() + 3600
    assert (token.thumbprint, token.certificate_expires_on) == ("", 0.0)


async def test_a_multi_tenant_bot(platform: Cloud, pool: HttpPool, assertion: Assertion) -> None:
    """A MultiTenant bot's token is of the channel's tenant."""
    platform.registration.app_type = "MultiTenant"
    authority = f"{platform.entra.server.url}/botframework.com"
    entra = EntraClient(platform.registration.app_id, authority, pool)
    token = await entra.request_token(AUDIENCE, assertion)
    assert claims(platform, token.value, CHANNEL_TENANT)["tid"] == CHANNEL_TENANT


async def test_each_request_is_made(
    entra: EntraClient, assertion: Assertion, platform: Cloud
) -> None:
    """Each call asks Entra, for its tenant and a token, and for nothing else."""
    platform.entra.server.requests.clear()
    first, second = [await entra.request_token(AUDIENCE, assertion) for _ in range(2)]
    assert first.value != second.value
    tenant = platform.registration.tenant_id
    assert platform.entra.server.requests == {
        f"GET /{tenant}/v2.0/.well-known/openid-configuration": 2,
        f"POST /{tenant}/oauth2/v2.0/token": 2,
    }


async def test_what_is_sent(at_odd: EntraClient, odd: ScriptedService) -> None:
    """The form is the client credentials grant with the assertion (RFC 7523, 2.2)."""
    odd.otherwise = Reply(json={"access_token": "token", "expires_in": 60})
    token = await at_odd.request_token("https://api.example/a b&c", made)
    assert token.value == "token"
    form = parse_qs(odd.seen[1].body.decode("ascii"))
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_id"] == [UNKNOWN_ID]
    assert form["scope"] == ["https://api.example/a b&c/.default"]
    assert form["client_assertion"] == ["an-assertion"]
    assert form["client_assertion_type"] == [
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    ]
    assert "client_secret" not in form
    assert "an-assertion" not in odd.seen[1].path + str(odd.seen[1].query)


async def test_the_assertion_is_made_once(
    entra: EntraClient, assertion: Assertion, authority: str
) -> None:
    """It is awaited in the event loop, for the token endpoint, once for each request."""
    endpoints: list[str] = []
    loop = asyncio.get_running_loop()

    async def recorded(endpoint: str) -> str:
        assert asyncio.get_running_loop() is loop
        await asyncio.sleep(0)
        endpoints.append(endpoint)
        return await assertion(endpoint)

    for _ in range(3):
        await entra.request_token(AUDIENCE, recorded)
    assert endpoints == [f"{authority}/oauth2/v2.0/token"] * 3


@pytest.mark.parametrize(
    "error",
    [
        SignInError("no identity"),
        EndpointDown("silent"),
        Throttled("busy", 17),
        VaultForbidden("no role"),
        CertificateError("expired"),
        ValueError("a fault of ours"),
        KeyError("a fault of ours"),
        TypeError("a fault of ours"),
        RuntimeError("a fault of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_assertion_that_cannot_be_made(
    error: Exception, entra: EntraClient, platform: Cloud
) -> None:
    """An error of the assertion is raised unchanged, and Entra is not called."""

    async def failing(_: str) -> str:
        raise error

    before = platform.entra.token_requests
    with pytest.raises(type(error)) as caught:
        await entra.request_token(AUDIENCE, failing)
    assert caught.value is error
    assert platform.entra.token_requests == before


async def test_a_life_in_a_string(at_odd: EntraClient, odd: ScriptedService) -> None:
    """Older endpoints write the seconds into a string."""
    odd.otherwise = Reply(json={"access_token": "secret", "expires_in": "3599"})
    token = await at_odd.request_token(AUDIENCE, made)
    assert 3590 < token.expires_on - time.time() < 3600


@pytest.mark.parametrize("path", ["openid-configuration", "token"])
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 200, "html": True},
    ],
    ids=str,
)
async def test_an_outage(
    path: str,
    fault: dict[str, Any],
    entra: EntraClient,
    assertion: Assertion,
    platform: Cloud,
    authority: str,
) -> None:
    """Any response that is not Entra's is an outage."""
    platform.entra.server.faults.set(path=path, **fault)
    error = await failure(entra.request_token(AUDIENCE, assertion))
    assert isinstance(error, EndpointDown)
    assert authority in str(error)
    assert "AZURE_AUTHORITY_HOST" in str(error)
    platform.entra.server.faults.clear()
    assert (await entra.request_token(AUDIENCE, assertion)).value


@pytest.mark.parametrize("path", ["openid-configuration", "token"])
async def test_an_endpoint_that_asks_to_wait(
    path: str, entra: EntraClient, assertion: Assertion, platform: Cloud
) -> None:
    """429 has its Retry-After, and MSAL does not remember it."""
    platform.entra.server.faults.set(path=path, status=429, retry_after=30, remaining=1)
    error = await failure(entra.request_token(AUDIENCE, assertion))
    assert isinstance(error, Throttled)
    assert error.retry_after == 30
    assert (await entra.request_token(AUDIENCE, assertion)).value


async def test_a_silent_endpoint(
    authority: str,
    pool: HttpPool,
    assertion: Assertion,
    platform: Cloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request to a silent endpoint times out, and the event loop runs meanwhile."""
    clock = MovedClock(monkeypatch)
    timeouts = Timeouts(connect=999, response=60, total=999)
    entra = EntraClient(platform.registration.app_id, authority, pool, timeouts)
    before = platform.entra.server.requests.total()
    platform.entra.server.faults.set(silent=True)
    request = asyncio.create_task(entra.request_token(AUDIENCE, assertion))
    await comes_true(lambda: platform.entra.server.requests.total() > before)
    assert not request.done()
    assert (clock.until_next_timer() or 0) > 10  # the default is less
    clock.move(60)
    async with asyncio.timeout(30):
        assert isinstance(await failure(request), EndpointDown)
    platform.entra.server.faults.clear()
    assert (await entra.request_token(AUDIENCE, assertion)).value


async def test_many_at_once(entra: EntraClient, assertion: Assertion) -> None:
    """Requests for many audiences do not take the threads that hosts are looked up in."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    audiences = [f"api://skill-{number}.example" for number in range(40)]
    async with asyncio.timeout(30):
        tokens = await asyncio.gather(
            *(entra.request_token(audience, assertion) for audience in audiences)
        )
    assert len({token.value for token in tokens}) == len(audiences)


async def test_nothing_secret_is_logged(
    entra: EntraClient,
    assertion: Assertion,
    certificate: Certificate,
    platform: Cloud,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither a token nor an assertion is in a log, at any level: ours, MSAL's, aiohttp's."""
    caplog.set_level(logging.DEBUG)
    for name in ("msal", "aiohttp", "asyncio", "auth"):
        caplog.set_level(logging.DEBUG, name)
    secrets: list[str] = []

    async def recorded(endpoint: str) -> str:
        secrets.append(await assertion(endpoint))
        return secrets[-1]

    secrets.append((await entra.request_token(AUDIENCE, recorded, certificate)).value)
    platform.registration.certificates.clear()
    texts = [str(await failure(entra.request_token(AUDIENCE, recorded, certificate)))]
    for fault in ({"status": 429}, {"status": 500}, {"status": 200, "html": True}):
        platform.entra.server.faults.set(path="token", **fault)
        texts.append(str(await failure(entra.request_token(AUDIENCE, recorded, certificate))))
    assert len(secrets) == 6
    assert any(record.name.startswith("msal") for record in caplog.records)
    assert not [secret for secret in secrets if secret in caplog.text or secret in str(texts)]
    assert not [secret for secret in secrets if secret.rpartition(".")[2] in caplog.text]
