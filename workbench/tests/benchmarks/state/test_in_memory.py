"""The account in memory answers the Azure SDK as Azurite does."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from benchmarks.state.storage.in_memory.account import InMemoryAccount

LEASE, OTHER_LEASE = (f"00000000-0000-0000-0000-00000000000{digit}" for digit in "12")
Result = dict[str, Any]


async def outcome(call: Awaitable[Any]) -> str:
    """`ok`, or the status and code that a call is refused with."""
    try:
        await call
    except HttpResponseError as error:
        # The code in the body is the SDK's enumeration, or a text if it does not know it.
        code = getattr(error, "error_code", None)
        return f"{error.status_code} {getattr(code, 'value', code)}"
    return "ok"


async def missing(blobs: ContainerClient) -> Result:
    """A missing container and a missing blob have different codes."""
    found = {"container": await outcome(blobs.upload_blob("a", b"x"))}
    found["create"] = await outcome(blobs.create_container())
    found["create again"] = await outcome(blobs.create_container())
    found["blob"] = await outcome(blobs.download_blob("a"))
    found["delete"] = await outcome(blobs.delete_blob("a"))
    return found


async def conditional_writes(blobs: ContainerClient) -> Result:
    """A write with an outdated ETag is refused, and so is a second creation."""
    await blobs.create_container()
    blob = blobs.get_blob_client("channel/conversations/a~3Ab")
    first = (await blob.upload_blob(b'{"a": 1}', metadata={"kind": "x"}))["etag"]
    found: Result = {"create again": await outcome(blob.upload_blob(b"{}"))}
    match = MatchConditions.IfNotModified

    async def write(etag: str) -> None:
        await blob.upload_blob(
            b"22", overwrite=True, etag=etag, match_condition=match, metadata={"kind": "y"}
        )

    found["write"] = await outcome(write(first))
    found["write again"] = await outcome(write(first))
    content = await blob.download_blob()
    found["content"] = await content.readall()
    found["metadata"] = content.properties.metadata
    found["changed"] = content.properties.etag != first
    found["delete"] = await outcome(blob.delete_blob(etag=first, match_condition=match))
    return found


async def appends(blobs: ContainerClient) -> Result:
    """Blocks are appended, and a range is read; one behind the end is refused."""
    await blobs.create_container()
    blob = blobs.get_blob_client("lines/a")
    found: Result = {"append": await outcome(blob.append_block(b"x"))}
    await blob.create_append_blob(metadata={"start": "0"})
    await blob.append_block(b"first,")
    found["offset"] = (await blob.append_block(b"second"))["blob_append_offset"]
    part = await blob.download_blob(offset=6, length=3)
    found["range"] = (await part.readall(), part.properties.content_range)
    found["behind"] = await outcome(blob.download_blob(offset=100, length=1))
    await blob.set_blob_metadata({"start": "6"})
    properties = await blob.get_blob_properties()
    found["properties"] = (properties.size, properties.metadata, properties.blob_type)
    block = blobs.get_blob_client("block")
    await block.upload_blob(b"x")
    found["no append blob"] = await outcome(block.append_block(b"x"))
    return found


async def leases(blobs: ContainerClient) -> Result:
    """A leased blob is written with the lease's id only; the id can be changed."""
    await blobs.create_container()
    blob = blobs.get_blob_client("a")
    etag = (await blob.upload_blob(b"1"))["etag"]
    lease = await blob.acquire_lease(15, lease_id=LEASE)
    found: Result = {"same etag": lease.etag == etag}

    def write(lease_id: str | None = None) -> Awaitable[str]:
        lease: Any = lease_id  # the client takes ids, too
        return outcome(blob.upload_blob(b"2", overwrite=True, lease=lease))

    found["without"] = await write()
    found["wrong"] = await write(OTHER_LEASE)
    found["right"] = await write(LEASE)
    found["busy"] = await outcome(blob.acquire_lease(15, lease_id=OTHER_LEASE))
    found["again"] = await outcome(blob.acquire_lease(15, lease_id=LEASE))
    found["change"] = await outcome(lease.change(OTHER_LEASE))
    lease.id = LEASE
    found["renew with the old id"] = await outcome(lease.renew())
    found["release with the old id"] = await outcome(lease.release())
    lease.id = OTHER_LEASE
    found["renew"] = await outcome(lease.renew())
    found["release"] = await outcome(lease.release())
    lease.id = OTHER_LEASE  # which the client has forgotten
    found["renew once released"] = await outcome(lease.renew())
    found["release again"] = await outcome(lease.release())
    found["change once released"] = await outcome(lease.change(LEASE))
    found["lease id without a lease"] = await write(OTHER_LEASE)
    found["free"] = await write()
    return found


async def listing(blobs: ContainerClient) -> Result:
    """Names with a prefix are listed in order, over several pages."""
    await blobs.create_container()
    for name in ("b/2", "a", "b/1 & 3", "b/3"):
        await blobs.upload_blob(name, b"x")
    pages = blobs.list_blobs(name_starts_with="b/", results_per_page=2).by_page()
    return {"pages": [[blob.name async for blob in page] async for page in pages]}


@pytest.fixture(scope="module")
def in_memory() -> Iterator[str]:
    """The connection string of the account in memory."""
    account = InMemoryAccount()
    with asyncio.Runner() as runner:
        runner.run(account.start())
        yield account.connection_string
        runner.run(account.stop())


@pytest.mark.parametrize("script", [missing, conditional_writes, appends, leases, listing])
async def test_blobs(
    script: Callable[[ContainerClient], Awaitable[Result]], storage: str, in_memory: str
) -> None:
    """The same calls have the same results in both."""
    results = []
    for connection_string in (storage, in_memory):
        name = f"test-{script.__name__.replace('_', '-')}"
        async with BlobServiceClient.from_connection_string(
            connection_string, retry_total=0
        ) as service:
            results.append(await script(service.get_container_client(name)))
    azurite, memory = results
    assert memory == azurite


async def queue_script(queue: QueueClient) -> Result:
    """Messages are hidden, received, updated and deleted."""
    found: Result = {"missing": await outcome(queue.send_message("x"))}
    await queue.create_queue()
    await queue.send_message("a <&> b")
    await queue.send_message("later", visibility_timeout=60)
    found["count"] = (await queue.get_queue_properties()).approximate_message_count
    received = [message async for message in queue.receive_messages(visibility_timeout=60)]
    found["received"] = [(message.content, message.dequeue_count) for message in received]
    found["hidden"] = [message.content async for message in queue.receive_messages()]
    message = received[0]
    old = message.pop_receipt
    updated = await queue.update_message(message, visibility_timeout=0, content="changed")
    found["old receipt"] = await outcome(queue.delete_message(message.id, old))
    found["update"] = await outcome(queue.update_message(message.id, old, visibility_timeout=1))
    found["deleted"] = await outcome(queue.delete_message(message.id, updated.pop_receipt))
    found["deleted again"] = await outcome(queue.delete_message(message.id, updated.pop_receipt))
    found["update again"] = await outcome(
        queue.update_message(message.id, updated.pop_receipt, visibility_timeout=1)
    )
    await queue.clear_messages()
    found["cleared"] = (await queue.get_queue_properties()).approximate_message_count
    return found


async def test_queues(storage: str, in_memory: str) -> None:
    """The same calls have the same results in both."""
    results = []
    for connection_string in (storage, in_memory):
        async with QueueServiceClient.from_connection_string(
            connection_string, retry_total=0
        ) as service:
            results.append(await queue_script(service.get_queue_client("test-queue")))
    azurite, memory = results
    assert memory == azurite
