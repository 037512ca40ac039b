"""What the tests of the local cloud's parts share."""

import ssl

import pytest

from emulator.certificates import CertificateAuthority
from emulator.entra.token_issuer import TokenIssuer


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
