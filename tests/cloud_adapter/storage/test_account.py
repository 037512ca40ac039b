"""StorageAccount: how it is reached, and which error says what when it is not."""

import asyncio
import re
from dataclasses import replace

import pytest

from auth.errors import Throttled
from auth.outbound.azure_sdk import PoolTransport
from auth.outbound.credentials import storage_tokens
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.token_provider import AccessToken, TokenProvider
from auth.settings import StorageSource
from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.account import AUDIENCE, CALL_TIMEOUT_SECONDS, StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from http_client.pool import HttpPool
from tests.support.timing.condition import comes_true
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
    """The error that both services raise, each with its own error code."""
    with pytest.raises(StorageUnavailable) as caught:
        await BlobContainer(account, "container").read("name")
    with pytest.raises(StorageUnavailable) as again:
        await MessageQueue(account, "queue").put("text")
    assert str(again.value).partition(" (")[0] == str(caught.value).partition(" (")[0]
    return caught.value


async def test_a_connection_string(account: StorageAccount) -> None:
    """It reaches both services."""
    await used(account)


async def test_a_wrong_key(storage: str, pool: HttpPool) -> None:
    """The error names the setting; no error in the chain quotes the key."""
    key = "d3Jvbmc="
    account = StorageAccount(
        StorageSource(re.sub("AccountKey=[^;]+", f"AccountKey={key}", storage)), pool
    )
    error: BaseException | None = await refusal(account)
    assert "AzureWebJobsStorage" in str(error)
    assert "Storage Blob Data Owner" in str(error)
    while error is not None:
        assert key not in str(error)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("text", ["a=b", "AccountKey=d3Jvbmc=", "UseDevelopmentStorage=yes"])
async def test_an_invalid_connection_string(text: str, pool: HttpPool) -> None:
    """The error names the setting, and quotes no key."""
    error: BaseException | None = await refusal(
        StorageAccount(StorageSource(text), pool, max_retry_pause=0)
    )
    assert "AzureWebJobsStorage" in str(error)
    while error is not None:
        assert "d3Jvbmc" not in str(error)
        error = error.__cause__ or error.__context__


async def test_a_key_that_is_not_base64(storage: str, pool: HttpPool) -> None:
    """The error names the setting, and does not quote the key."""
    text = re.sub("AccountKey=[^;]+", "AccountKey=secret", storage)
    account = StorageAccount(StorageSource(text), pool, max_retry_pause=0)
    error = await refusal(account)
    assert "AzureWebJobsStorage" in str(error)
    assert "secret" not in str(error)


async def test_closing(storage: str) -> None:
    """An unused account can be closed, and a used one twice."""
    await StorageAccount(StorageSource(storage), HttpPool()).close()
    account = StorageAccount(StorageSource(storage), HttpPool())
    await used(account)
    await account.close()
    await account.close()


async def test_an_identity(source: StorageSource, cloud: Cloud, pool: HttpPool) -> None:
    """Both services accept the identity's token, which is requested once."""
    before = cloud.entra.tokens_issued
    account = StorageAccount(source, pool, storage_tokens(source, pool))
    for _ in range(2):
        await used(account)
    assert cloud.entra.tokens_issued == before + 1


async def test_prefetching_a_token(source: StorageSource, cloud: Cloud, pool: HttpPool) -> None:
    """`prefetch` requests the token, and the first call uses it."""
    before = cloud.entra.tokens_issued
    account = StorageAccount(source, pool, storage_tokens(source, pool))
    account.prefetch()
    await comes_true(lambda: cloud.entra.tokens_issued == before + 1)
    await used(account)
    assert cloud.entra.tokens_issued == before + 1


async def test_an_identity_that_is_not_assigned(source: StorageSource, pool: HttpPool) -> None:
    """The error names the setting with the identity's client id."""
    strange = replace(source, client_id=STRANGER)
    account = StorageAccount(strange, pool, storage_tokens(strange, pool))
    for work in (BlobContainer(account, "c").read("n"), MessageQueue(account, "q").put("x")):
        with pytest.raises(StorageUnavailable, match=f"{STRANGER}.*AzureWebJobsStorage__clientId"):
            await work


async def test_an_identity_that_must_wait(source: StorageSource, pool: HttpPool) -> None:
    """A token that is not available now is an outage of storage, with the same wait."""

    class Busy(ManagedIdentityCredential):
        async def request_token(self, audience: str) -> AccessToken:
            raise Throttled("too many tokens are requested", 77)

    tokens = TokenProvider(Busy(source.client_id, "x", PoolTransport(pool)))
    error = await refusal(StorageAccount(source, pool, tokens))
    assert str(error) == "too many tokens are requested"
    assert error.retry_after == 77


async def test_a_token_that_is_refused(source: StorageSource, pool: HttpPool) -> None:
    """The error names the roles that may be missing; no error in the chain quotes the token."""

    class ForAnotherAudience(ManagedIdentityCredential):
        async def request_token(self, audience: str) -> AccessToken:
            asked.append(audience)
            return await super().request_token("https://vault.azure.net")

    asked: list[str] = []
    tokens = TokenProvider(ForAnotherAudience(source.client_id, "x", PoolTransport(pool)))
    account = StorageAccount(source, pool, tokens)
    error: BaseException | None = await refusal(account)
    assert "Storage Queue Data Contributor" in str(error)
    token = (await tokens.get(AUDIENCE)).value
    while error is not None:
        assert token not in str(error)
        assert token.rpartition(".")[2] not in str(error)
        error = error.__cause__ or error.__context__
    assert asked == ["https://storage.azure.com"]


async def test_an_untrusted_server_certificate(
    source: StorageSource, pool: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent to a server whose certificate is not trusted."""
    monkeypatch.delenv("SSL_CERT_FILE")
    account = StorageAccount(source, pool, storage_tokens(source, pool))
    assert "AzureWebJobsStorage" in str(await refusal(account))


async def test_a_cut_connection(azurite: AzuriteAccounts, storage: str, pool: HttpPool) -> None:
    """Open and new connections fail alike, and work again afterwards."""
    ports = azurite.azurite.ports
    async with TcpProxy(ports.blob) as blobs, TcpProxy(ports.queue) as queues:
        text = storage.replace(f":{ports.blob}/", f":{blobs.port}/")
        text = text.replace(f":{ports.queue}/", f":{queues.port}/")
        account = StorageAccount(StorageSource(text), pool, max_retry_pause=0)
        await used(account)
        await blobs.cut()
        await queues.cut()
        error = await refusal(account)
        assert "check AzureWebJobsStorage and the network" in str(error)
        await blobs.start()
        await queues.start()
        await used(account)


async def test_silence(
    azurite: AzuriteAccounts, storage: str, pool: HttpPool, clock: MovedClock
) -> None:
    """A call takes no more than eight seconds, with all its attempts."""
    port = azurite.azurite.ports.blob
    async with TcpProxy(port) as proxy:
        text = storage.replace(f":{port}/", f":{proxy.port}/")
        account = StorageAccount(StorageSource(text), pool, max_retry_pause=0)
        blobs = BlobContainer(account, "container")
        await blobs.write("name", b"content", None)
        await proxy.freeze()
        with clock.stopped():
            task = asyncio.create_task(blobs.read("name"))
            await settled()
            clock.move(CALL_TIMEOUT_SECONDS - 0.5)
            await settled()
            assert not task.done()
        clock.move(1)
        with pytest.raises(StorageUnavailable, match="did not answer within 8 s"):
            await task
        await proxy.start()
        assert await blobs.read("name")
