"""ManagedIdentity: signs in at an identity endpoint, and says what to fix when it cannot."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from auth.errors import SignInError
from auth.managed_identity import RETRIES, ManagedIdentity
from emulator.cloud import Cloud
from emulator.entra import issuer_of

AUDIENCE = "https://api.botframework.com"
CLIENT = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
PRINCIPAL = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
UNKNOWN = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"

REQUEST = "GET /msi/token"


@pytest.fixture
def identity(platform: Cloud) -> ManagedIdentity:
    """A user-assigned identity of the app."""
    platform.identity.identities[CLIENT] = PRINCIPAL
    return ManagedIdentity(CLIENT)


async def test_a_token(identity: ManagedIdentity, platform: Cloud) -> None:
    """The token is the identity's, for the audience, and lives as long as it says."""
    token = await identity.request_token(AUDIENCE)
    issuer = issuer_of(platform.registration.tenant_id)
    claims = platform.entra.issuer.verify(token.value, AUDIENCE, issuer)
    assert (claims["appid"], claims["oid"]) == (CLIENT, PRINCIPAL)
    assert token.expires_on == claims["exp"] > time.time()
    assert token.thumbprint == ""


async def test_each_request_is_made(identity: ManagedIdentity, platform: Cloud) -> None:
    """Each call asks the endpoint: no library's cache answers a renewal with the old token."""
    before = platform.identity.server.requests[REQUEST]
    first, second = [await identity.request_token(AUDIENCE) for _ in range(2)]
    assert first.value != second.value
    assert platform.identity.server.requests[REQUEST] == before + 2


@pytest.mark.usefixtures("platform")
async def test_another_client_id() -> None:
    """An identity that the app does not have is named, with the setting to correct."""
    with pytest.raises(SignInError, match=UNKNOWN) as caught:
        await ManagedIdentity(UNKNOWN).request_token(AUDIENCE)
    assert "set MicrosoftAppId" in str(caught.value)
    assert caught.value.__cause__ is not None


async def test_a_refused_identity(identity: ManagedIdentity, platform: Cloud) -> None:
    """Any other refusal reads like that too."""
    platform.identity.server.faults.set(status=403)
    with pytest.raises(SignInError, match="set MicrosoftAppId"):
        await identity.request_token(AUDIENCE)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "retry_after": 0},
        {"status": 429, "retry_after": 0},
        {"status": 500, "html": True},
        {"status": 502, "html": True},
    ],
    ids=str,
)
async def test_an_outage(
    fault: dict[str, Any],
    identity: ManagedIdentity,
    platform: Cloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An outage is told as one: no setting is blamed for it."""
    monkeypatch.setattr("auth.managed_identity.RETRIES", 0)
    platform.identity.server.faults.set(**fault)
    with pytest.raises(SignInError, match=f"does not answer for {CLIENT}") as caught:
        await identity.request_token(AUDIENCE)
    assert "MicrosoftAppId" not in str(caught.value)


@pytest.mark.parametrize("html", [False, True])
async def test_an_answer_without_a_token(
    html: bool, identity: ManagedIdentity, platform: Cloud
) -> None:
    """An answer of 200 that holds no token is a failed sign-in like any other."""
    platform.identity.server.faults.set(status=200, html=html)
    with pytest.raises(SignInError):
        await identity.request_token(AUDIENCE)


async def test_one_failure_is_tried_again(identity: ManagedIdentity, platform: Cloud) -> None:
    """A single failure of the endpoint goes unnoticed."""
    platform.identity.server.faults.set(status=500, remaining=1)
    assert (await identity.request_token(AUDIENCE)).value


async def test_a_silent_endpoint(
    identity: ManagedIdentity, platform: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that takes requests and never answers is given up on after a few."""
    monkeypatch.setattr("auth.managed_identity.READ_TIMEOUT", 0.05)
    before = platform.identity.server.requests[REQUEST]
    platform.identity.server.faults.set(silent=True)
    async with asyncio.timeout(5):
        with pytest.raises(SignInError, match="does not answer"):
            await identity.request_token(AUDIENCE)
    assert platform.identity.server.requests[REQUEST] <= before + 1 + RETRIES


async def test_a_closed_port(
    identity: ManagedIdentity, close_port: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is one that is not there."""
    monkeypatch.setattr("auth.managed_identity.RETRIES", 0)
    close_port("identity")
    with pytest.raises(SignInError, match="does not answer"):
        await identity.request_token(AUDIENCE)


async def test_nothing_secret_is_logged(
    identity: ManagedIdentity, platform: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the token nor the endpoint's secret is in a log, at any level."""
    caplog.set_level(logging.DEBUG)
    token = await identity.request_token(AUDIENCE)
    with pytest.raises(SignInError):
        await ManagedIdentity(UNKNOWN).request_token(AUDIENCE)
    assert token.value not in caplog.text
    assert platform.identity.secret not in caplog.text
