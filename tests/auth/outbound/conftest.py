"""What the tests of `auth.outbound` share: a token cache, and an app registration at Entra."""

from collections.abc import AsyncIterator, Coroutine
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.certificate import Certificate
from auth.certificates.private_key import LocalKey
from auth.outbound.client_certificate import client_assertion
from auth.outbound.entra import EntraClient
from auth.outbound.token_provider import TokenCache
from bot_workbench.emulator.cloud import Cloud
from http_client.pool import HttpPool
from tests.support.credentials.sign_in import UNKNOWN_ID, SignIn
from tests.support.timing.clock import Clock
from tests.support.wire.scripted_service import Reply, ScriptedService


@pytest.fixture
def clock() -> Clock:
    """The clock of `cache`."""
    return Clock()


@pytest.fixture
def sign_in(clock: Clock) -> SignIn:
    """How `cache` signs in."""
    return SignIn(clock)


@pytest.fixture
def cache(sign_in: SignIn, clock: Clock) -> TokenCache:
    """A cache whose retries take real time."""
    return TokenCache(sign_in, clock=clock)


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
def assertion(platform: Cloud, certificate: Certificate) -> "partial[Coroutine[Any, Any, str]]":
    """An assertion that is signed with the certificate."""
    return partial(
        client_assertion, certificate, client_id=platform.registration.app_id, send_x5c=False
    )


@pytest.fixture
async def odd(platform: Cloud) -> AsyncIterator[ScriptedService]:
    """Another Entra, whose token endpoint responds as the test says."""
    async with ScriptedService(platform.authority.server_context()) as service:
        service.script = [Reply(json=metadata(service))]
        yield service


def metadata(service: ScriptedService) -> dict[str, Any]:
    """A tenant's metadata."""
    base = f"{service.url}/tenant"
    return {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
    }


@pytest.fixture
def at_odd(odd: ScriptedService, pool: HttpPool) -> EntraClient:
    """An app registration there."""
    return EntraClient(UNKNOWN_ID, f"{odd.url}/tenant", pool)


@pytest.fixture
def published(odd: ScriptedService) -> dict[str, Any]:
    """The metadata of its tenant."""
    return metadata(odd)
