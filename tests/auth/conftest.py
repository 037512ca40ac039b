"""What the tests of `auth` share: a certificate, and the platform that a bot signs in at."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.key_vault import CertificateVault
from auth.credential_kinds import CERTIFICATE
from auth.outbound.azure_sdk import AzureSdkCredential, PoolTransport
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.token_provider import TokenProvider
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.certificates import self_signed
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, Cloud
from bot_workbench.emulator.key_vault.vault import GrantedOperations
from http_client.pool import HttpPool


@pytest.fixture(scope="session")
def public(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """The certificate of `key`."""
    return self_signed("bot", key)


@pytest.fixture(scope="session")
def small_key() -> rsa.RSAPrivateKey:
    """A key that is too short to be trusted."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # to be refused


@pytest.fixture(scope="session")
def platform_thread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudThread]:
    """A local cloud for a bot with a certificate."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("platform"), CERTIFICATE)) as thread:
        yield thread


@pytest.fixture
def platform(platform_thread: CloudThread, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """That cloud, trusted by this process, and put right again after the test."""
    cloud = platform_thread.cloud
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(cloud.authority.path))
    for name, value in cloud.identity.settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cloud.registration, "certificates", list(cloud.registration.certificates))
    monkeypatch.setattr(
        cloud.registration, "federated_credentials", list(cloud.registration.federated_credentials)
    )
    monkeypatch.setattr(cloud.registration, "app_type", cloud.registration.app_type)
    monkeypatch.setattr(cloud.identity, "identities", dict(cloud.identity.identities))
    granted = GrantedOperations(cloud.vault_permissions)
    monkeypatch.setattr(cloud, "vault_permissions", granted)
    monkeypatch.setattr(cloud.vault, "permissions", granted)
    inventory = cloud.vault.inventory
    monkeypatch.setattr(
        inventory, "versions", {name: list(all_) for name, all_ in inventory.versions.items()}
    )
    yield cloud
    for server in cloud.servers.values():
        server.faults.clear()


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    """The app's pooled client."""
    pool = HttpPool()
    yield pool
    await pool.close()


@pytest.fixture
def transport(pool: HttpPool) -> PoolTransport:
    """Sends the Azure SDKs' requests."""
    return PoolTransport(pool)


@pytest.fixture
def vault(platform: Cloud, transport: PoolTransport) -> CertificateVault:
    """The vault of the platform's certificate, as the app's system-assigned identity reaches it."""
    identity = ManagedIdentityCredential("", "AZURE_CLIENT_ID", transport)
    credential = AzureSdkCredential(TokenProvider(identity, max_attempts=1))
    return CertificateVault(platform.vault.server.url, CERTIFICATE_NAME, credential, transport)


@pytest.fixture
def close_port(platform_thread: CloudThread) -> Iterator[Callable[[str], None]]:
    """Closes the port of one part of the platform, until the end of the test."""
    closed: list[str] = []

    def close(name: str) -> None:
        platform_thread.stop(name)
        closed.append(name)

    yield close
    for name in closed:
        platform_thread.start(name)
