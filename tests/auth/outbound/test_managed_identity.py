"""ManagedIdentity: signs in at an identity endpoint, and says what to fix when it cannot."""

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from auth.errors import DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS, EndpointDown, SignInError, Throttled
from auth.outbound.azure_sdk import PoolTransport
from auth.outbound.managed_identity import ManagedIdentityCredential
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.registration import issuer_of
from http_client.pool import MAX_RESPONSE_BYTES, HttpPool, Timeouts
from tests.support.credentials.sign_in import AUDIENCE, CLIENT_ID, PRINCIPAL_ID, UNKNOWN_ID
from tests.support.timing.condition import comes_true
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Reply, ScriptedService

REQUEST = "GET /msi/token"

Make = Callable[[str, str], ManagedIdentityCredential]


@pytest.fixture
def make(transport: PoolTransport) -> Make:
    """Makes a credential from a client id and a setting's name."""
    return partial(ManagedIdentityCredential, transport=transport)


@pytest.fixture
def identity(platform: Cloud, make: Make) -> ManagedIdentityCredential:
    """A user-assigned identity of the app."""
    platform.identity.identities[CLIENT_ID] = PRINCIPAL_ID
    return make(CLIENT_ID, "MicrosoftAppId")


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedService]:
    """An identity endpoint that responds as the test says."""
    async with ScriptedService() as service:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{service.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        yield service


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port without a listener."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def failure(identity: ManagedIdentityCredential) -> SignInError:
    """What a request raises."""
    with pytest.raises(SignInError) as caught:
        await identity.request_token(AUDIENCE)
    return caught.value


async def test_a_token(identity: ManagedIdentityCredential, platform: Cloud) -> None:
    """The token is the identity's, for the audience, and lives as long as it says."""
    token = await identity.request_token(AUDIENCE)
    issuer = issuer_of(platform.registration.tenant_id)
    claims = platform.entra.issuer.verify(token.value, AUDIENCE, issuer)
    assert (claims["appid"], claims["oid"]) == (CLIENT_ID, PRINCIPAL_ID)
    assert token.expires_on == claims["exp"] > time.time()
    assert (token.thumbprint, token.certificate_expires_on) == ("", 0.0)


async def test_the_system_assigned_identity(make: Make, platform: Cloud) -> None:
    """Without a client id, it is the identity that the app has itself."""
    token = await make("", "AZURE_CLIENT_ID").request_token(AUDIENCE)
    issuer = issuer_of(platform.registration.tenant_id)
    claims = platform.entra.issuer.verify(token.value, AUDIENCE, issuer)
    assert claims["oid"] == platform.reader


async def test_each_request_is_made(identity: ManagedIdentityCredential, platform: Cloud) -> None:
    """Each call is a request: no library's cache returns an old token for a refresh."""
    before = platform.identity.server.requests[REQUEST]
    first, second = [await identity.request_token(AUDIENCE) for _ in range(2)]
    assert first.value != second.value
    assert platform.identity.server.requests[REQUEST] == before + 2


async def test_the_token_tells_its_end(make: Make, service: ScriptedService) -> None:
    """The expiry is the response's `expires_on`, seconds since the epoch in a string."""
    answer = {"access_token": "secret", "expires_on": "1900000000", "resource": AUDIENCE}
    service.otherwise = Reply(json=answer)
    token = await make(CLIENT_ID, "MicrosoftAppId").request_token(AUDIENCE)
    assert (token.value, token.expires_on) == ("secret", 1_900_000_000)
    [seen] = service.seen
    assert seen.query["resource"] == AUDIENCE
    assert seen.query["client_id"] == CLIENT_ID


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("setting", ["MicrosoftAppId", "AZURE_CLIENT_ID"])
async def test_another_client_id(make: Make, setting: str) -> None:
    """An identity that the app does not have is named, with the setting that says it."""
    error = await failure(make(UNKNOWN_ID, setting))
    assert not isinstance(error, EndpointDown)
    assert UNKNOWN_ID in str(error)
    assert f"set {setting} to the client id of a managed identity" in str(error)
    assert "assign that identity to this app" in str(error)
    assert str(error).endswith(f"check the audience {AUDIENCE}")


async def test_an_unknown_audience(identity: ManagedIdentityCredential, platform: Cloud) -> None:
    """The endpoint answers as in an outage: the text names what else it can mean."""
    before = platform.entra.tokens_issued
    with pytest.raises(
        EndpointDown, match=r"500 if Entra does not know the audience https://x\.example"
    ):
        await identity.request_token("https://x.example")
    assert platform.entra.tokens_issued == before


async def test_no_system_assigned_identity(make: Make, platform: Cloud) -> None:
    """For an app without an identity, the text says to assign one or to set which."""
    platform.identity.identities.clear()
    error = await failure(make("", "AZURE_CLIENT_ID"))
    assert str(error).startswith("the system-assigned identity cannot sign in")
    assert "set AZURE_CLIENT_ID" in str(error)


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 404, "html": True}], ids=str)
async def test_a_refused_identity(
    fault: dict[str, Any], identity: ManagedIdentityCredential, platform: Cloud
) -> None:
    """Any other refusal reads like that too."""
    platform.identity.server.faults.set(**fault)
    error = await failure(identity)
    assert type(error) is SignInError
    assert "set MicrosoftAppId" in str(error)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "retry_after": 0},
        {"status": 504, "retry_after": 30},
        {"status": 500, "html": True},
        {"status": 502, "html": True},
        {"status": 200},
        {"status": 200, "html": True},
        {"status": 204},
        {"status": 302},
    ],
    ids=str,
)
async def test_an_outage(
    fault: dict[str, Any], identity: ManagedIdentityCredential, platform: Cloud
) -> None:
    """An outage is one failed request: only the token cache retries."""
    before = platform.identity.server.requests.total()
    platform.identity.server.faults.set(**fault)
    error = await failure(identity)
    assert isinstance(error, EndpointDown)
    assert f"does not answer for {CLIENT_ID} (MicrosoftAppId)" in str(error)
    assert platform.identity.server.requests.total() == before + 1


@pytest.mark.parametrize(
    "content",
    [
        {"access_token": "secret"},
        {"accessToken": "secret", "expiresOn": "1900000000"},
        {"access_token": "secret", "expires_on": "soon", "resource": AUDIENCE},
        {"access_token": "secret", "expires_on": "1900000000"},
        {"access_token": "secret", "expires_on": None, "resource": AUDIENCE},
        {"expires_on": "1900000000", "resource": AUDIENCE},
        {"access_token": "secret", "expires_on": [], "resource": AUDIENCE},
        [],
        "soon",
        7,
    ],
    ids=str,
)
async def test_an_answer_of_another_shape(
    make: Make, content: object, service: ScriptedService
) -> None:
    """A response without a valid token is an outage, and no cause quotes it."""
    service.otherwise = Reply(json=content)
    error = await failure(make(CLIENT_ID, "MicrosoftAppId"))
    assert isinstance(error, EndpointDown)
    assert "secret" not in str(error.__cause__)


async def test_a_garbled_answer(make: Make, service: ScriptedService) -> None:
    """Bytes that are not what their header says are an outage as well."""
    service.otherwise = Reply(json={}, headers={"Content-Encoding": "gzip"})
    error = await failure(make(CLIENT_ID, "MicrosoftAppId"))
    assert isinstance(error, EndpointDown)


async def test_a_page_in_another_encoding(make: Make, service: ScriptedService) -> None:
    """What a proxy says in its own words does not hide that it asks to wait."""

    async def page(_: web.Request) -> web.Response:
        headers = {"Content-Type": "text/html", "Retry-After": "7"}
        return web.Response(status=429, body="à bientôt".encode("latin-1"), headers=headers)

    service.otherwise = page
    error = await failure(make(CLIENT_ID, "MicrosoftAppId"))
    assert isinstance(error, Throttled)
    assert error.retry_after == 7


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize(
    ("asked", "seconds"), [(None, DEFAULT_WAIT_SECONDS), (0, 0), (17, 17), (3600, MAX_WAIT_SECONDS)]
)
async def test_an_endpoint_that_asks_to_wait(
    asked: int | None,
    seconds: float,
    html: bool,
    identity: ManagedIdentityCredential,
    platform: Cloud,
) -> None:
    """429 tells how long, within bounds, and is not tried again by a library."""
    before = platform.identity.server.requests.total()
    platform.identity.server.faults.set(status=429, retry_after=asked, html=html)
    error = await failure(identity)
    assert isinstance(error, Throttled)
    assert error.retry_after == seconds
    assert "(429)" in str(error)
    assert f"for {CLIENT_ID} (MicrosoftAppId)" in str(error)
    assert platform.identity.server.requests.total() == before + 1


async def test_a_silent_endpoint(
    pool: HttpPool, platform: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request to an endpoint that never responds times out."""
    clock = MovedClock(monkeypatch)
    transport = PoolTransport(pool, Timeouts(999, 60, 999))
    identity = ManagedIdentityCredential("", "AZURE_CLIENT_ID", transport)
    before = platform.identity.server.requests[REQUEST]
    platform.identity.server.faults.set(silent=True)
    request = asyncio.create_task(failure(identity))
    await comes_true(lambda: platform.identity.server.requests[REQUEST] > before)
    assert (clock.until_next_timer() or 0) > 10  # the default is less
    clock.move(60)
    async with asyncio.timeout(30):
        assert isinstance(await request, EndpointDown)
    assert platform.identity.server.requests[REQUEST] == before + 1


async def test_a_closed_port(
    identity: ManagedIdentityCredential, close_port: Callable[[str], None]
) -> None:
    """So is one that is not there."""
    close_port("identity")
    assert isinstance(await failure(identity), EndpointDown)


async def test_no_endpoint(make: Make, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the platform names no endpoint, the app has no identity: to be assigned."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    # The SDK turns to virtual machines' endpoint then, whose real address no test may call.
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{closed_port}")
    error = await failure(make(CLIENT_ID, "MicrosoftAppId"))
    assert type(error) is SignInError
    assert "assign that identity to this app" in str(error)
    assert f"127.0.0.1:{closed_port}" in _causes(error)


async def test_half_an_endpoint(
    make: Make, monkeypatch: pytest.MonkeyPatch, platform: Cloud
) -> None:
    """An endpoint without the header that opens it reads like that too."""
    monkeypatch.delenv("IDENTITY_HEADER")
    before = platform.identity.server.requests.total()
    assert type(await failure(make(CLIENT_ID, "MicrosoftAppId"))) is SignInError
    assert platform.identity.server.requests.total() == before


async def test_nothing_secret_is_logged(
    make: Make,
    identity: ManagedIdentityCredential,
    platform: Cloud,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the token nor the endpoint's secret is in a log, at any level."""
    caplog.set_level(logging.DEBUG)
    token = await identity.request_token(AUDIENCE)
    await failure(make(UNKNOWN_ID, "AZURE_CLIENT_ID"))
    platform.identity.server.faults.set(status=429)
    await failure(identity)
    assert token.value not in caplog.text
    assert platform.identity.secret not in caplog.text


def _causes(error: BaseException | None) -> str:
    """An error with everything that led to it."""
    return "" if error is None else f"{error} {_causes(error.__cause__ or error.__context__)}"


async def test_the_largest_answer(pool: HttpPool, service: ScriptedService) -> None:
    """An answer of MAX_RESPONSE_BYTES is read; a larger one is an outage, whose cause says why."""
    identity = ManagedIdentityCredential(CLIENT_ID, "MicrosoftAppId", PoolTransport(pool))
    answer = {"access_token": "a", "expires_on": "1900000000", "resource": AUDIENCE, "x": ""}
    answer["x"] = "x" * (MAX_RESPONSE_BYTES - len(json.dumps(answer)))
    service.otherwise = Reply(json=answer)
    assert (await identity.request_token(AUDIENCE)).value == "a"
    answer["x"] += "x"
    error = await failure(identity)
    assert isinstance(error, EndpointDown)
    assert "too large" in str(error.__cause__)
