"""Fixtures of the tests of the local cloud's parts."""

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.entra.token_issuer import TokenIssuer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """The authority of the servers' certificates."""
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls(authority: CertificateAuthority) -> ssl.SSLContext:
    """The server side of TLS."""
    return authority.server_context()


@pytest.fixture(scope="module")
def issuer() -> TokenIssuer:
    """Signs tokens as Entra does."""
    return TokenIssuer()


@pytest.fixture
def trust(authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the local authority as the app's process does: some clients prefer these variables."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))


@pytest.fixture
async def http(authority: CertificateAuthority) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that trusts the local authority."""
    trust = ssl.create_default_context(cafile=str(authority.path))
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session
