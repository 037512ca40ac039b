"""What the tests of the local cloud's parts share."""

import pytest

from emulator.certificates import CertificateAuthority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """The authority of the servers' certificates."""
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))
