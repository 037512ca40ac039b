"""Entra: signs an app registration in with unmodified MSAL, and says what to fix when it cannot."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.certificate import Certificate
from auth.certificates.client_assertion import client_assertion
from auth.certificates.private_key import LocalKey
from auth.errors import (
    CertificateError,
    CertificateUnknown,
    EndpointDown,
    SignInError,
    Throttled,
    VaultForbidden,
)
from auth.outbound.entra import Assertion, EntraClient
from emulator.cloud import Cloud
from emulator.entra.registration import CHANNEL_TENANT, issuer_of
from http_client.pool import HttpPool, Timeouts
from tests.support.timing.clock import Clock
from tests.support.timing.condition import comes_true
from tests.support.wire.scripted_service import Reply, ScriptedService

AUDIENCE = "https://api.botframework.com"
UNKNOWN = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"

MAX_CHARACTERS = 5000
"""Of any error's text: every character of Entra's description may have to be escaped."""


MadeAssertion = partial[Coroutine[Any, Any, str]]
"""An assertion whose clock a test can change."""


@pytest.fixture
def certificate(key: rsa.RSAPrivateKey, public: x509.Certificate, platform: Cloud) -> Certificate:
    """A certificate that the registration knows."""
    platform.registration.certificates.append(public)
    return Certificate(public, LocalKey(key))


@pytest.fixture
def authority(platform: Cloud) -> str:
    """URL of the bot's home tenant."""
    return f"{platform.entra.server.url}/{platform.registration.tenant_id}"


@pytest.fixture
def entra(platform: Cloud, authority: str, pool: HttpPool) -> EntraClient:
    """The bot's registration at home."""
    return EntraClient(platform.registration.app_id, authority, pool)


@pytest.fixture
def assertion(platform: Cloud, certificate: Certificate) -> MadeAssertion:
    """Signed with the certificate."""
    return partial(
        client_assertion, certificate, client_id=platform.registration.app_id, send_x5c=False
    )


@pytest.fixture
async def odd(platform: Cloud) -> AsyncIterator[ScriptedService]:
    """Another Entra, whose token endpoint answers as the test says."""
    async with ScriptedService(platform.authority.server_context()) as service:
        service.script = [Reply(json=metadata(service))]
        yield service


def metadata(service: ScriptedService) -> dict[str, Any]:
    """What a tenant publishes."""
    base = f"{service.url}/tenant"
    return {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
    }


@pytest.fixture
def at_odd(odd: ScriptedService, pool: HttpPool) -> EntraClient:
    """A registration there."""
    return EntraClient(UNKNOWN, f"{odd.url}/tenant", pool)


async def made(_: str) -> str:
    """An assertion that nobody checks."""
    return "an-assertion"


def claims(platform: Cloud, token: str, tenant: str) -> Mapping[str, Any]:
    """What Entra signed."""
    return platform.entra.issuer.verify(token, AUDIENCE, issuer_of(tenant))


async def failure(request: Awaitable[object]) -> SignInError:
    """What a request raises: one line of bounded length."""
    with pytest.raises(SignInError) as caught:
        await request
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < MAX_CHARACTERS
    return caught.value


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
    assert form["client_id"] == [UNKNOWN]
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
    """What keeps it from being made is told as it is, a fault too; Entra is not asked."""

    async def failing(_: str) -> str:
        raise error

    before = platform.entra.token_requests
    with pytest.raises(type(error)) as caught:
        await entra.request_token(AUDIENCE, failing)
    assert caught.value is error
    assert platform.entra.token_requests == before


async def test_an_unknown_app(authority: str, pool: HttpPool, assertion: Assertion) -> None:
    """An app that the tenant does not know is told with the settings to compare."""
    error = await failure(EntraClient(UNKNOWN, authority, pool).request_token(AUDIENCE, assertion))
    assert type(error) is SignInError
    assert f"no app registration {UNKNOWN} in {authority}" in str(error)
    for part in ("AADSTS700016", "MicrosoftAppId", "MicrosoftAppTenantId", "MicrosoftAppType"):
        assert part in str(error)


async def test_the_channel_s_tenant_for_a_single_tenant_app(
    platform: Cloud, pool: HttpPool, assertion: Assertion
) -> None:
    """A SingleTenant bot that signs in where MultiTenant ones do hears that its type is wrong."""
    authority = f"{platform.entra.server.url}/botframework.com"
    entra = EntraClient(platform.registration.app_id, authority, pool)
    error = await failure(entra.request_token(AUDIENCE, assertion))
    assert "MicrosoftAppType" in str(error)
    assert authority in str(error)


async def test_an_unknown_tenant(platform: Cloud, pool: HttpPool, assertion: Assertion) -> None:
    """A tenant that does not exist is told with its setting."""
    authority = f"{platform.entra.server.url}/{UNKNOWN}"
    entra = EntraClient(platform.registration.app_id, authority, pool)
    error = await failure(entra.request_token(AUDIENCE, assertion))
    assert type(error) is SignInError
    assert authority in str(error)
    assert "MicrosoftAppTenantId" in str(error)


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_wrong_clock(hours: int, entra: EntraClient, assertion: MadeAssertion) -> None:
    """When the machine's clock is hours off, the text says to set it."""
    wrong = partial(assertion, clock=lambda: time.time() + 3600 * hours)
    error = await failure(entra.request_token(AUDIENCE, wrong))
    assert type(error) is SignInError
    assert "AADSTS700024" in str(error)
    assert "set this machine's clock" in str(error)


async def test_an_unknown_certificate(
    entra: EntraClient, assertion: Assertion, certificate: Certificate, platform: Cloud
) -> None:
    """A certificate that Entra does not know is named, with its dates and where to upload it."""
    platform.registration.certificates.clear()
    error = await failure(entra.request_token(AUDIENCE, assertion, certificate))
    assert isinstance(error, CertificateUnknown)
    assert f"app registration {platform.registration.app_id}" in str(error)
    assert f"AADSTS700027; signed with {certificate}; " in str(error)
    assert certificate.thumbprint in str(error)
    assert f"to {certificate.public.not_valid_after_utc:%Y-%m-%d}" in str(error)


CURES = {
    700016: ("{client}", "{authority}", "MicrosoftAppId"),
    90002: ("{authority}", "MicrosoftAppTenantId"),
    900023: ("{authority}", "MicrosoftAppTenantId"),
    700024: ("clock",),
    700027: ("Entra refused to sign in {client} at {authority}",),
    70021: ("federated credential", "{client}", "{authority}/v2.0", "AZURE_CLIENT_ID"),
    70025: ("federated credential", "{client}", "{authority}/v2.0", "AZURE_CLIENT_ID"),
    700211: ("federated credential", "{client}", "{authority}/v2.0", "AZURE_CLIENT_ID"),
    700212: ("federated credential", "{client}", "{authority}/v2.0", "AZURE_CLIENT_ID"),
    700213: ("federated credential", "{client}", "{authority}/v2.0", "AZURE_CLIENT_ID"),
    7002138: ("federated credential", "{client}", "{authority}/v2.0", "AZURE_CLIENT_ID"),
    700222: ("user-assigned identity of the same tenant", "AZURE_CLIENT_ID"),
    7000112: ("{client} is disabled",),
    7000229: ("no service principal of {client}",),
    500011: (AUDIENCE, "ToChannelFromBotOAuthScope"),
    53003: ("Conditional Access", "{client}"),
    12345: ("Entra refused to sign in {client} at {authority}",),
}
"""By Entra's code, what the text must say where no certificate signs."""


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("code", CURES)
async def test_every_refusal(
    code: int, status: int, at_odd: EntraClient, odd: ScriptedService
) -> None:
    """Each code of Entra's has its cure in the text, with Entra's own words behind it."""
    odd.otherwise = Reply(
        status,
        {
            "error": "invalid_client",
            "error_description": f"AADSTS{code}: Entra's own {{words}}.",
            "error_codes": [code],
        },
    )
    error = await failure(at_odd.request_token(AUDIENCE, made))
    assert type(error) is SignInError
    for part in (*CURES[code], f"(AADSTS{code}; ", "Entra's own {words}."):
        assert part.format(client=UNKNOWN, authority=f"{odd.url}/tenant", words="{words}") in str(
            error
        )
    assert "an-assertion" not in str(error)


@pytest.mark.parametrize(
    "content",
    [
        {"error": "invalid_client"},
        {"error": None, "error_description": None, "error_codes": None},
        {"error": 7, "error_description": 7, "error_codes": 700027},
        {"error": ["a"], "error_description": ["a"], "error_codes": "700027"},
        {"error": {}, "error_description": {"a": "b" * 9999}, "error_codes": {"a": "b"}},
        {"error": "a", "error_description": "b" * 100_000, "error_codes": []},
        {"error": "a", "error_description": "one\ntwo\r\n\x1b[31mthree\u2028four"},
        {"error": "a", "error_description": "\ud800\udfff\x00" * 999},
        {"error": "\u202e" * 999},
        {"error": "a", "error_codes": ["700027"]},
        {"error": "a", "error_codes": [[700027]]},
        {"error": "a", "error_codes": [{"a": 1}]},
        {"error": "a", "error_codes": [None]},
        {"error": "a", "error_codes": [True]},
        {"error": "a", "error_codes": ["b\n" * 9999]},
        {"error": "a", "error_codes": [10**500]},
    ],
    ids=lambda content: str(content)[:60],
)
async def test_an_odd_refusal(content: object, at_odd: EntraClient, odd: ScriptedService) -> None:
    """Whatever a refusal says, it is a sign-in that failed, told in one bounded line."""
    odd.otherwise = Reply(400, content)
    error = await failure(at_odd.request_token(AUDIENCE, made))
    assert UNKNOWN in str(error)


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"error_description": "AADSTS700027: Entra's own words", "error_codes": [700027]},
        {"token_type": "Bearer", "expires_in": 3599},
        {"access_token": "secret"},
        {"access_token": "secret", "expires_in": "soon"},
        {"access_token": "secret", "expires_in": None},
        {"access_token": "secret", "expires_in": []},
        {"access_token": "secret", "expires_in": 1e400},
        {"access_token": None, "expires_in": 3599},
        {"access_token": "", "expires_in": 3599},
        {"access_token": 7, "expires_in": 3599},
        {"access_token": ["secret"], "expires_in": 3599},
        {"access_token": "secret", "expires_in": 3599, "id_token": "odd"},
    ],
    ids=str,
)
async def test_an_answer_of_another_shape(
    content: object,
    status: int,
    at_odd: EntraClient,
    odd: ScriptedService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What holds neither a token with its life nor an error is no Entra's, and told without it."""
    caplog.set_level(logging.DEBUG)
    odd.otherwise = Reply(status, content)
    error = await failure(at_odd.request_token(AUDIENCE, made))
    assert isinstance(error, EndpointDown)
    assert f"{odd.url}/tenant does not answer as Entra does: neither token nor error" in str(error)
    assert "MicrosoftAppTenantId" not in str(error)
    assert "secret" not in f"{error} {error.__cause__} {caplog.text}"


async def test_a_life_in_a_string(at_odd: EntraClient, odd: ScriptedService) -> None:
    """Older endpoints write the seconds into a string."""
    odd.otherwise = Reply(json={"access_token": "secret", "expires_in": "3599"})
    token = await at_odd.request_token(AUDIENCE, made)
    assert 3590 < token.expires_on - time.time() < 3600


@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint"])
@pytest.mark.parametrize("value", ["absent", None, 7, [], {}, "", "a", "http://localhost/t/token"])
async def test_odd_metadata(
    name: str, value: object, at_odd: EntraClient, odd: ScriptedService
) -> None:
    """A tenant that publishes no endpoint to sign in at is a failed sign-in."""
    published = metadata(odd) | {name: value}
    if value == "absent":
        del published[name]
    odd.script = [Reply(json=published)]
    odd.otherwise = Reply(400, {"error": "invalid_request"})
    error = await failure(at_odd.request_token(AUDIENCE, made))
    assert odd.url in str(error)


@pytest.mark.parametrize("authority", ["http://localhost:1/tenant", "https://localhost:1"])
async def test_no_tenant(authority: str, pool: HttpPool) -> None:
    """An address that cannot be a tenant's is told with the setting, without a request."""
    error = await failure(EntraClient(UNKNOWN, authority, pool).request_token(AUDIENCE, made))
    assert authority in str(error)
    assert "MicrosoftAppTenantId" in str(error)


@pytest.mark.parametrize("path", ["openid-configuration", "token"])
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "html": True},
        {"status": 200, "html": True},
        {"status": 400, "html": True},
        {"status": 204},
        {"status": 302},
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
    """Whatever is answered in place of Entra's words is an endpoint that is down, for now."""
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
    """429 is told with its time; MSAL remembers nothing of it."""
    platform.entra.server.faults.set(path=path, status=429, retry_after=30, remaining=1)
    error = await failure(entra.request_token(AUDIENCE, assertion))
    assert isinstance(error, Throttled)
    assert error.retry_after == 30
    assert (await entra.request_token(AUDIENCE, assertion)).value


async def test_a_refusal_is_not_remembered(
    entra: EntraClient,
    assertion: Assertion,
    authority: str,
    platform: Cloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once its cause is fixed, a refusal is over at once, even for the same assertion."""
    monkeypatch.setattr(platform.entra.assertions, "single_use", False)
    once = await assertion(f"{authority}/oauth2/v2.0/token")

    async def same(_: str) -> str:
        return once

    app_id = platform.registration.app_id
    monkeypatch.setattr(platform.registration, "app_id", UNKNOWN)
    await failure(entra.request_token(AUDIENCE, same))
    monkeypatch.setattr(platform.registration, "app_id", app_id)
    assert (await entra.request_token(AUDIENCE, same)).value


async def test_a_closed_port(
    entra: EntraClient, assertion: Assertion, authority: str, close_port: Callable[[str], None]
) -> None:
    """An endpoint that is not there is down."""
    close_port("entra")
    error = await failure(entra.request_token(AUDIENCE, assertion))
    assert isinstance(error, EndpointDown)
    assert authority in str(error)


async def test_a_silent_endpoint(
    authority: str, pool: HttpPool, assertion: Assertion, platform: Cloud
) -> None:
    """A request to a silent endpoint times out, and the event loop runs meanwhile."""
    timeouts = Timeouts(connect=2, response=0.3, total=8)
    entra = EntraClient(platform.registration.app_id, authority, pool, timeouts)
    before = platform.entra.server.requests.total()
    platform.entra.server.faults.set(silent=True)
    request = asyncio.create_task(entra.request_token(AUDIENCE, assertion))
    async with asyncio.timeout(5):
        await comes_true(lambda: platform.entra.server.requests.total() > before)
        assert not request.done()
        assert isinstance(await failure(request), EndpointDown)
    platform.entra.server.faults.clear()
    assert (await entra.request_token(AUDIENCE, assertion)).value


async def test_many_at_once(entra: EntraClient, assertion: Assertion) -> None:
    """Requests for many audiences do not take the threads that hosts are looked up in."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    audiences = [f"https://skill-{number}.example" for number in range(40)]
    async with asyncio.timeout(30):
        tokens = await asyncio.gather(
            *(entra.request_token(audience, assertion) for audience in audiences)
        )
    assert len({token.value for token in tokens}) == len(audiences)


async def test_a_redirect_is_not_followed(at_odd: EntraClient, odd: ScriptedService) -> None:
    """The assertion goes to the tenant's own endpoint only."""
    async with ScriptedService() as elsewhere:
        elsewhere.otherwise = Reply(json={"access_token": "theirs", "expires_in": 60})
        odd.otherwise = Reply(307, {}, {"Location": f"{elsewhere.url}/token"})
        assert isinstance(await failure(at_odd.request_token(AUDIENCE, made)), EndpointDown)
        assert elsewhere.seen == []


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
