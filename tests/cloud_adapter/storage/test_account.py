"""StorageAccount: how it is reached, and what is said when it is not."""

import asyncio
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

from auth.errors import SignInError
from auth.outbound.credentials import storage_identity
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.sdk_credential import AzureSdkCredential
from auth.outbound.token_provider import TokenProvider
from auth.settings import StorageSource
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.account import CALL_TIMEOUT, StorageAccount, storage_call
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from emulator.cloud import Cloud
from emulator.storage.azurite import Azurite, CertificateFiles
from tests.support.bots.cloud_thread import CloudThread
from tests.support.storage.azurite_accounts import AzuriteAccounts
from tests.support.storage.storage_front import StorageFront, answered
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.tcp_proxy import TcpProxy

STRANGER = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"


async def used(account: StorageAccount) -> None:
    """Write and read a blob, and put a message into a queue."""
    blobs = BlobContainer(account, "container")
    await blobs.write("name", b"content", "*")
    found = await blobs.read("name")
    assert found
    assert found.content == b"content"
    await MessageQueue(account, "queue").put("text")


async def refusal(account: StorageAccount) -> StorageUnavailable:
    """The error of both services, when they cannot be used."""
    with pytest.raises(StorageUnavailable) as caught:
        await BlobContainer(account, "container").read("name")
    with pytest.raises(StorageUnavailable) as again:
        await MessageQueue(account, "queue").put("text")
    assert str(again.value) == str(caught.value)
    return caught.value


# A connection string


async def test_a_connection_string(account: StorageAccount) -> None:
    """Both services are reached with it; each client is made once."""
    await used(account)
    assert await account.blobs() is await account.blobs()
    assert await account.queues() is await account.queues()


async def test_a_wrong_key(storage: str) -> None:
    """A refusal names what to set; neither the key nor a signature stands in any text."""
    key = "d3Jvbmc="
    account = StorageAccount(
        StorageSource(re.sub("AccountKey=[^;]+", f"AccountKey={key}", storage)), None
    )
    error: BaseException | None = await refusal(account)
    assert "AzureWebJobsStorage" in str(error)
    assert "Storage Blob Data Owner" in str(error)
    while error is not None:
        assert key not in str(error)
        error = error.__cause__ or error.__context__
    await account.close()


@pytest.mark.parametrize("text", ["a=b", "AccountKey=d3Jvbmc=", "UseDevelopmentStorage=yes"])
async def test_what_is_no_connection_string(text: str) -> None:
    """What the settings let pass, and the SDK cannot read, is told with the setting's name."""
    error: BaseException | None = await refusal(StorageAccount(StorageSource(text), None))
    assert "AzureWebJobsStorage" in str(error)
    while error is not None:
        assert "d3Jvbmc" not in str(error)
        error = error.__cause__ or error.__context__


async def test_a_key_that_is_none(storage: str) -> None:
    """A key that is not base64 is told with the setting's name, too."""
    text = re.sub("AccountKey=[^;]+", "AccountKey=secret", storage)
    account = StorageAccount(StorageSource(text), None)
    error = await refusal(account)
    assert "AzureWebJobsStorage" in str(error)
    assert "secret" not in str(error)
    await account.close()


async def test_development_storage() -> None:
    """The short form leads to Azurite's own ports, on this machine."""
    account = StorageAccount(StorageSource("UseDevelopmentStorage=true"), None)
    assert (await account.blobs()).url == "http://127.0.0.1:10000/devstoreaccount1/"
    assert (await account.queues()).url == "http://127.0.0.1:10001/devstoreaccount1/"
    await account.close()


async def test_closing(storage: str) -> None:
    """An account that was never used can be closed, and one that was, twice."""
    account = StorageAccount(StorageSource(storage), None)
    await account.close()
    await used(account)
    await account.close()
    await account.close()


# An identity


@pytest.fixture(scope="module")
def secure(running_cloud: CloudThread) -> Iterator[Azurite]:
    """An Azurite that takes Entra's tokens, with a certificate of the local cloud's authority."""
    files = CertificateFiles(*running_cloud.cloud.authority.server_files())
    azurite = Azurite(certificate=files)
    with asyncio.Runner() as runner:
        runner.run(azurite.start())
        yield azurite
        runner.run(azurite.stop())


@pytest.fixture
def source(secure: Azurite, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> StorageSource:
    """That account, for the app's own identity, on a platform that has it."""
    for name, value in cloud.identity.settings().items():
        monkeypatch.setenv(name, value)
    # aiohttp reads SSL_CERT_FILE when it is imported.
    trust = ssl.create_default_context(cafile=str(cloud.authority.path))
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trust)
    return StorageSource(
        blob_url=secure.blob_url(),
        queue_url=secure.queue_url(),
        client_id=cloud.registration.app_id,
    )


async def test_an_identity(source: StorageSource, cloud: Cloud) -> None:
    """Both services take the identity's token, which is asked for once."""
    before = cloud.entra.tokens_issued
    account = StorageAccount(source, storage_identity(source))
    for _ in range(2):
        await used(account)
    assert cloud.entra.tokens_issued == before + 1
    await account.close()


async def test_an_identity_ahead_of_the_first_call(source: StorageSource, cloud: Cloud) -> None:
    """`begin` asks for the token, and the first call finds it."""
    before = cloud.entra.tokens_issued
    account = StorageAccount(source, storage_identity(source))
    account.prefetch()
    assert account._prefetching
    await account._prefetching
    assert cloud.entra.tokens_issued == before + 1
    await used(account)
    assert cloud.entra.tokens_issued == before + 1
    await account.close()


async def test_an_identity_that_the_app_does_not_have(source: StorageSource) -> None:
    """The error names the setting that names the identity."""
    strange = replace(source, client_id=STRANGER)
    account = StorageAccount(strange, storage_identity(strange))
    for work in (BlobContainer(account, "c").read("n"), MessageQueue(account, "q").put("x")):
        with pytest.raises(SignInError, match=f"{STRANGER}.*AzureWebJobsStorage__clientId"):
            await work
    await account.close()


async def test_a_token_for_something_else(source: StorageSource) -> None:
    """An account that refuses the token is told with the roles that it may want."""

    class Strange(AzureSdkCredential):
        async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
            asked.append(scopes)
            return await super().get_token("https://vault.azure.net/.default")

    asked: list[tuple[str, ...]] = []
    identity = Strange(TokenProvider(ManagedIdentityCredential(source.client_id, "x")))
    account = StorageAccount(source, identity)
    error: BaseException | None = await refusal(account)
    assert "Storage Queue Data Contributor" in str(error)
    token = (await identity.get_token()).token
    while error is not None:
        assert token not in str(error)
        assert token.rpartition(".")[2] not in str(error)
        error = error.__cause__ or error.__context__
    assert set(asked) == {("https://storage.azure.com/.default",), ()}
    await account.close()


async def test_a_certificate_that_nobody_trusts(
    source: StorageSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is not what its name says is not talked to."""
    trust = ssl.create_default_context()
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trust)
    account = StorageAccount(source, storage_identity(source))
    assert "AzureWebJobsStorage" in str(await refusal(account))
    await account.close()


# The network


async def test_a_cut_connection(azurite: AzuriteAccounts, storage: str) -> None:
    """What was open and what is new fails alike, and works again afterwards."""
    ports = azurite.azurite.ports
    async with TcpProxy(ports.blob) as blobs, TcpProxy(ports.queue) as queues:
        text = storage.replace(f":{ports.blob}/", f":{blobs.port}/")
        text = text.replace(f":{ports.queue}/", f":{queues.port}/")
        account = StorageAccount(StorageSource(text), None)
        await used(account)
        await blobs.cut()
        await queues.cut()
        error = await refusal(account)
        assert "check AzureWebJobsStorage and the network" in str(error)
        await blobs.start()
        await queues.start()
        await used(account)
        await account.close()


async def test_silence(azurite: AzuriteAccounts, storage: str, clock: MovedClock) -> None:
    """Whatever the SDK would do with its attempts, a call takes no more than eight seconds."""
    port = azurite.azurite.ports.blob
    async with TcpProxy(port) as proxy:
        text = storage.replace(f":{port}/", f":{proxy.port}/")
        account = StorageAccount(StorageSource(text), None)
        blobs = BlobContainer(account, "container")
        await blobs.write("name", b"content", None)
        await proxy.freeze()
        task = asyncio.create_task(blobs.read("name"))
        await settled()
        clock.move(CALL_TIMEOUT - 0.5)
        await settled()
        assert not task.done()
        clock.move(1)
        with pytest.raises(StorageUnavailable, match="silent"):
            await task
        await proxy.start()
        assert await blobs.read("name")
        await account.close()


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError("x"), TypeError("x"), AttributeError("x"), AzureError("x")]
)
async def test_odd_answers(error: Exception) -> None:
    """Whatever the SDK raises over an answer is one error, with what to check."""
    with pytest.raises(StorageUnavailable, match="check"):
        async with storage_call():
            raise error


async def test_an_answer_that_is_no_xml(front: StorageFront, far_account: StorageAccount) -> None:
    """A page in the place of a listing, or of a queue's messages, is told as what it is."""
    front.spoil("GET", answered(200, b"<html>Welcome", "application/xml"))
    with pytest.raises(StorageUnavailable):
        [entry async for entry in BlobContainer(far_account, "container").list()]
    with pytest.raises(StorageUnavailable):
        [message async for message in MessageQueue(far_account, "queue").take()]


def test_nothing_happens_at_construction() -> None:
    """No SDK is imported, nothing connected, until the first call; `begin` imports ahead of it."""
    code = """
import asyncio, json, sys
import cloud_adapter.storage.blobs, cloud_adapter.storage.queue, cloud_adapter.state.blob_storage
from auth.outbound.credentials import storage_identity
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.sdk_credential import AzureSdkCredential
from auth.settings import StorageSource
from auth.outbound.token_provider import TokenProvider
from cloud_adapter.storage.account import StorageAccount
source = StorageSource(blob_url="https://x.invalid", queue_url="https://y.invalid")
account = StorageAccount(source, storage_identity(source))
StorageAccount(StorageSource("UseDevelopmentStorage=true"), None)
before = "azure.storage" in sys.modules

async def begun():
    account.prefetch()
    await account._prefetching

asyncio.run(begun())
print(json.dumps([before, "azure.storage.blob.aio" in sys.modules]))
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert json.loads(found.stdout) == [False, True]
