"""What is written here, the Azure SDK's clients read, and the other way round.

Each test runs with a key, a shared access signature and Entra's tokens.
"""

import base64
import datetime
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from aiohttp import web
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    AccountSasPermissions,
    BlobProperties,
    ResourceTypes,
    Services,
    generate_account_sas,
)
from azure.storage.blob.aio import BlobLeaseClient, BlobServiceClient, ContainerClient
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from auth.outbound.credentials import storage_tokens
from auth.settings import StorageSource
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.storage.azurite import Azurite
from cloud_adapter.errors import BlobChanged, BlobLeased
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import LEASE_SECONDS, Blob, BlobContainer
from cloud_adapter.storage.queue import MessageQueue, ReceivedMessage
from http_client.pool import HttpPool
from tests.support.storage.storage_front import Pass, Passage, StorageFront
from tests.support.timing.loop_turns import settled

NAMES = ["a", "a b", "c/d", "e~2F_-", "%41+&=?#:;,'\"!()[]@*$", "é😀", "webchat/conversations/x|y"]
METADATA = {"state": "waiting", "tries": "3"}


class Reached(NamedTuple):
    """An account: ours, and the SDK's container and queue."""

    ours: StorageAccount
    container: ContainerClient
    queue: QueueClient


def with_signature(connection_string: str) -> str:
    """The same account's connection string, with a signature in the key's place.

    Args:
        connection_string: with the account's name and key.
    """
    settings = dict(pair.split("=", 1) for pair in connection_string.split(";"))
    signature = generate_account_sas(
        settings["AccountName"],
        settings.pop("AccountKey"),
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(
            read=True,
            write=True,
            delete=True,
            list=True,
            add=True,
            create=True,
            update=True,
            process=True,
        ),
        datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1),
        services=Services(blob=True, queue=True),
    )
    settings["SharedAccessSignature"] = signature
    return ";".join(f"{name}={value}" for name, value in settings.items())


@pytest.fixture(params=["key", "signature", "token"])
async def reached(
    request: pytest.FixtureRequest, storage: str, secure: Azurite, cloud: Cloud, pool: HttpPool
) -> AsyncIterator[Reached]:
    """A container and a queue that do not exist yet."""
    options: dict[str, Any] = {}
    tokens = None
    if request.param == "token":
        source: StorageSource = request.getfixturevalue("source")
        tokens = storage_tokens(source, pool)
        storage = secure.connection_string()
        options["connection_verify"] = str(cloud.authority.path)
    else:
        source = StorageSource(storage if request.param == "key" else with_signature(storage))
    name = f"n{uuid4().hex}"
    async with (
        BlobServiceClient.from_connection_string(storage, **options) as blobs,
        QueueServiceClient.from_connection_string(storage, **options) as queues,
    ):
        yield Reached(
            StorageAccount(source, pool, tokens, max_retry_pause=0),
            blobs.get_container_client(name),
            queues.get_queue_client(name),
        )
    await settled()  # aiohttp does not wait for the end of its TLS connections


@pytest.fixture
def blobs(reached: Reached) -> BlobContainer:
    """The container."""
    return BlobContainer(reached.ours, reached.container.container_name)


@pytest.fixture
def queue(reached: Reached) -> MessageQueue:
    """The queue."""
    return MessageQueue(reached.ours, reached.queue.queue_name)


@pytest.mark.parametrize("name", NAMES)
async def test_blobs(reached: Reached, blobs: BlobContainer, name: str) -> None:
    """Content, metadata and ETags, under any name."""
    etag = await blobs.write(name, b"\x00one", None, METADATA)
    theirs = reached.container.get_blob_client(name)
    stream = await theirs.download_blob()
    assert await stream.readall() == b"\x00one"
    assert (stream.properties.etag, stream.properties.metadata) == (etag, METADATA)
    assert [entry.name async for entry in reached.container.list_blobs()] == [name]
    new = await theirs.upload_blob(
        b"two", etag=etag, match_condition=MatchConditions.IfNotModified, overwrite=True
    )
    with pytest.raises(BlobChanged):
        await blobs.write(name, b"three", etag)
    read = await blobs.read(name)
    assert read
    assert read[:3] == (b"two", new["etag"], {})
    await theirs.set_blob_metadata({"x": "y"})
    found = await blobs.read(name)
    assert found
    assert found.metadata == {"x": "y"}
    assert [each async for each in blobs.list()] == [(name, {"x": "y"})]
    await blobs.delete(name)
    assert [entry.name async for entry in reached.container.list_blobs()] == []


async def test_a_listing_of_several_pages(storage: str, pool: HttpPool) -> None:
    """Each page continues where the one before has ended; the listing is the SDK's."""

    async def two_a_page(passage: Passage, _: Pass) -> web.StreamResponse:
        return await passage.passed_on("&maxresults=2")  # a shared access signature allows it

    async with (
        StorageFront(with_signature(storage)) as front,
        ContainerClient.from_connection_string(storage, "container") as theirs,
    ):
        account = StorageAccount(StorageSource(front.connection_string), pool)
        blobs = BlobContainer(account, "container")
        for name in ("b/1", *(f"a/{name}" for name in NAMES), "a"):
            await blobs.write(name, b"", None, {"x": str(len(name))})
        front.spoil("GET", two_a_page)
        for prefix, pages in (("", 5), ("a/", 4), ("a/é", 1), ("x", 1)):
            before = front.count("GET")
            found = [entry async for entry in blobs.list(prefix)]
            listed = theirs.list_blobs(name_starts_with=prefix, include=["metadata"])
            assert found == [(entry.name, entry.metadata) async for entry in listed]
            assert front.count("GET") - before == pages


async def test_append_blobs(reached: Reached, blobs: BlobContainer) -> None:
    """Each side reads and appends to what the other has created."""
    theirs = reached.container.get_blob_client("log")
    first = await blobs.create_append("log", None, {"start": "5"})
    with pytest.raises(BlobChanged):
        await blobs.create_append("log", None)
    assert await blobs.append("log", b"one\n")
    await theirs.append_block(b"two\n")
    properties: BlobProperties = await theirs.get_blob_properties()
    assert (properties.blob_type, properties.append_blob_committed_block_count) == ("AppendBlob", 2)
    assert properties.metadata == {"start": "5"}
    whole = Blob(b"one\ntwo\n", properties.etag, {"start": "5"}, "available")
    assert await blobs.read("log") == whole
    assert await blobs.read_range("log", 0, 100) == whole
    assert await blobs.read_range("log", 4, 3) == whole._replace(content=b"two")
    for start in (8, 9):
        beyond = await blobs.read_range("log", start, 3)
        assert beyond
        assert beyond.content == b""
    assert await blobs.read_range("nothing", 0, 3) is None
    with pytest.raises(BlobChanged):
        await blobs.create_append("log", first)
    etag = await blobs.create_append("log", properties.etag, {"start": "8"})
    properties = await theirs.get_blob_properties()
    assert (properties.size, properties.etag, properties.metadata) == (0, etag, {"start": "8"})
    empty = await blobs.read_range("log", 0, 1)
    assert empty
    assert empty.content == b""
    await theirs.delete_blob()
    await theirs.create_append_blob()
    assert await blobs.append("log", b"three\n")
    assert await (await theirs.download_blob()).readall() == b"three\n"


async def test_leases(reached: Reached, blobs: BlobContainer) -> None:
    """The SDK sees a lease's state, may use its id, and is refused without."""
    etag = await blobs.write("a", b"1", None)
    theirs = reached.container.get_blob_client("a")
    one, two = str(uuid4()), str(uuid4())
    assert await blobs.acquire_lease("a", one) == etag
    lease = (await theirs.get_blob_properties()).lease
    assert (lease.state, lease.status, lease.duration) == ("leased", "locked", "fixed")
    assert LEASE_SECONDS == 15
    with pytest.raises(HttpResponseError, match="LeaseIdMissing"):
        await theirs.upload_blob(b"2", overwrite=True)
    await BlobLeaseClient(theirs, one).renew()
    assert await blobs.change_lease("a", one, two)
    with pytest.raises(HttpResponseError, match="LeaseIdMismatch"):
        await BlobLeaseClient(theirs, one).renew()
    await BlobLeaseClient(theirs, two).renew()
    assert (await theirs.get_blob_properties()).etag == etag
    await blobs.write("a", b"2", etag)
    await blobs.release_lease("a", two)
    assert (await theirs.get_blob_properties()).lease.state == "available"
    held = await theirs.acquire_lease(15)
    with pytest.raises(BlobLeased):
        await blobs.acquire_lease("a", one)
    with pytest.raises(BlobLeased):
        await blobs.write("a", b"3", "*")
    with pytest.raises(BlobLeased):
        await blobs.delete("a")
    await blobs.write("a", b"3", "*", lease_id=held.id)
    await blobs.delete("a", lease_id=held.id)


async def test_messages_to_the_sdk(reached: Reached, queue: MessageQueue) -> None:
    """A message is base64 of UTF-8 and never expires; a delayed one is not visible."""
    await queue.put("é<&>")
    await queue.put("later", 1000)
    assert (await reached.queue.get_queue_properties()).approximate_message_count == 2
    (message,) = [each async for each in reached.queue.receive_messages()]
    assert base64.b64decode(message.content).decode() == "é<&>"
    assert message.expires_on
    assert message.expires_on.year == 9999
    received = ReceivedMessage(message.id, "", 1, message.pop_receipt or "")
    await queue.hide(received, 0)
    (message,) = [each async for each in reached.queue.receive_messages()]
    assert message.dequeue_count == 2
    await queue.delete(ReceivedMessage(message.id, "", 2, message.pop_receipt or ""))
    assert (await reached.queue.get_queue_properties()).approximate_message_count == 1


async def test_messages_of_the_sdk(reached: Reached, queue: MessageQueue) -> None:
    """They are received with their count; after a release, the SDK receives them again."""
    await reached.queue.create_queue()
    sent = await reached.queue.send_message(base64.b64encode(b"hello").decode())
    (message,) = [each async for each in queue.receive_all()]
    assert (message.id, message.text, message.dequeue_count) == (sent.id, "hello", 1)
    await queue.hide(message, 0)
    await queue.hide(message, 0)
    (theirs,) = [each async for each in reached.queue.receive_messages(visibility_timeout=1000)]
    assert theirs.dequeue_count == 2
    receipt = theirs.pop_receipt or ""
    await queue.delete(message._replace(receipt=receipt))
    await queue.delete(message._replace(receipt=receipt))
    assert (await reached.queue.get_queue_properties()).approximate_message_count == 0
