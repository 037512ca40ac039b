"""What the tests of Entra share: a registration with certificates, a server, and clients."""

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator.certificates import CertificateAuthority, self_signed
from emulator.entra.endpoints import Entra
from emulator.entra.registration import Registration
from tests.emulator.registered_bot import APP_ID, TENANT


@pytest.fixture
def trust(authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the local authority as the app's process does: some clients prefer these variables."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key)


@pytest.fixture(scope="module")
def expired(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key, starts_in_days=-30, ends_in_days=-1)


@pytest.fixture(scope="module")
def early(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key, starts_in_days=1, ends_in_days=30)


@pytest.fixture
def registration(
    certificate: x509.Certificate, expired: x509.Certificate, early: x509.Certificate
) -> Registration:
    return Registration(APP_ID, TENANT, "SingleTenant", [expired, early, certificate])


@pytest.fixture
async def entra(
    registration: Registration, authority: CertificateAuthority
) -> AsyncIterator[Entra]:
    entra = Entra(registration, authority.server_context())
    await entra.server.start()
    yield entra
    await entra.server.stop()


@pytest.fixture
async def http(authority: CertificateAuthority) -> AsyncIterator[aiohttp.ClientSession]:
    trust = ssl.create_default_context(cafile=str(authority.path))
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session
