"""Fixtures of the tests of storage: an account in front of which Entra's tokens are accepted."""

import asyncio
from collections.abc import Iterator

import pytest

from auth.settings import StorageSource
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.storage.azurite import Azurite, CertificateFiles


@pytest.fixture(scope="session")
def secure(running_cloud: CloudThread) -> Iterator[Azurite]:
    """An Azurite that accepts Entra's tokens, with a certificate of the local cloud's authority."""
    files = CertificateFiles(*running_cloud.cloud.authority.server_files())
    azurite = Azurite(certificate=files)
    with asyncio.Runner() as runner:
        runner.run(azurite.start())
        yield azurite
        runner.run(azurite.stop())


@pytest.fixture
def source(secure: Azurite, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> StorageSource:
    """That account, for the app's identity, on a platform that has one."""
    for name, value in cloud.identity.settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SSL_CERT_FILE", str(cloud.authority.path))
    return StorageSource(
        blob_url=secure.blob_url(),
        queue_url=secure.queue_url(),
        client_id=cloud.registration.app_id,
    )
