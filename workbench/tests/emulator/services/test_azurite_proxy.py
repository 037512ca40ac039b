"""AzuriteProxy: Azure's own clients work through it as in front of Azurite, until it is faulty."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue.aio import QueueServiceClient
from yarl import URL

from bot_workbench.emulator.server import Server
from bot_workbench.emulator.services.azurite_proxy import AzuriteProxy
from bot_workbench.emulator.storage.azurite import Azurite

NAME = "a b/ü~2F?&=#%25.json"
NO_RETRIES: dict[str, Any] = {"retry_total": 0}


@pytest.fixture
async def azurite() -> AsyncIterator[Azurite]:
    """Started on free ports."""
    azurite = Azurite()
    await azurite.start()
    yield azurite
    await azurite.stop()


@pytest.fixture
async def proxy(azurite: Azurite) -> AsyncIterator[AzuriteProxy]:
    """In front of it."""
    proxy = AzuriteProxy(azurite.connection_string())
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def container(proxy: AzuriteProxy) -> AsyncIterator[ContainerClient]:
    """A container in Azurite, through the proxy."""
    connection = proxy.connection_string()
    async with BlobServiceClient.from_connection_string(connection, **NO_RETRIES) as service:
        container = service.get_container_client("state")
        await container.create_container()
        yield container


@pytest.mark.filterwarnings("ignore:Sending a large body")  # what Azure's own client does
async def test_blobs(container: ContainerClient) -> None:
    """Names, large contents, conditions, properties and errors are Azurite's own."""
    blob = container.get_blob_client(NAME)
    content = bytes(range(256)) * 100_000  # more than the servers of the cloud read into memory
    await blob.upload_blob(content)
    assert await (await blob.download_blob()).readall() == content
    assert [each.name async for each in container.list_blobs()] == [NAME]
    assert (await blob.get_blob_properties()).size == len(content)
    with pytest.raises(ResourceModifiedError):
        await blob.upload_blob(
            b"{}", overwrite=True, etag='"0"', match_condition=MatchConditions.IfNotModified
        )
    await blob.delete_blob()
    with pytest.raises(ResourceNotFoundError):
        await blob.get_blob_properties()


async def test_queues(proxy: AzuriteProxy) -> None:
    """Messages arrive as they were sent."""
    async with QueueServiceClient.from_connection_string(proxy.connection_string()) as service:
        queue = service.get_queue_client("turns")
        await queue.create_queue()
        await queue.send_message("hällo <x> & y")
        assert [each.content async for each in queue.receive_messages()] == ["hällo <x> & y"]


async def test_stale_receipts(proxy: AzuriteProxy) -> None:
    """A receipt is good until the message is hidden again, as in Azure.

    Source: Microsoft's reference of the Queue Service, "Queue Service error codes".
    """

    async def refusal(call: Awaitable[object]) -> tuple[int | None, str]:
        with pytest.raises(HttpResponseError) as caught:
            await call
        # The SDK's enumeration, or a text if it does not know it.
        code = getattr(caught.value, "error_code", None)
        return caught.value.status_code, getattr(code, "value", str(code))

    async with QueueServiceClient.from_connection_string(
        proxy.connection_string(), **NO_RETRIES
    ) as service:
        queue = await service.create_queue("turns")
        await queue.send_message("x")
        [first] = [each async for each in queue.receive_messages(visibility_timeout=60)]
        old = first.pop_receipt or ""
        updated = await queue.update_message(first.id, old, visibility_timeout=0)

        async def refusals() -> list[tuple[int | None, str]]:
            update = queue.update_message(first.id, old, visibility_timeout=60)
            return [await refusal(update), await refusal(queue.delete_message(first.id, old))]

        mismatch, missing = (400, "PopReceiptMismatch"), (404, "MessageNotFound")
        assert await refusals() == [mismatch] * 2
        old = updated.pop_receipt or ""
        [second] = [each async for each in queue.receive_messages(visibility_timeout=60)]
        assert second.id == first.id
        assert await refusals() == [mismatch] * 2
        old = second.pop_receipt or ""
        await queue.delete_message(second.id, old)
        assert await refusals() == [missing] * 2


async def test_requests_at_once(container: ContainerClient, proxy: AzuriteProxy) -> None:
    """Concurrent requests keep their own answers, and are counted."""

    async def write_and_read(number: int) -> bool:
        blob = container.get_blob_client(str(number))
        await blob.upload_blob(str(number).encode() * number)
        return await (await blob.download_blob()).readall() == str(number).encode() * number

    assert all(await asyncio.gather(*map(write_and_read, range(50))))
    assert proxy.servers["blobs"].requests.total() >= 100


async def test_faults(container: ContainerClient, proxy: AzuriteProxy) -> None:
    """A faulty service answers with its fault; `handled` carries the request out all the same."""
    blob = container.get_blob_client("blob")
    faults = proxy.servers["blobs"].faults
    faults.set(status=503)
    with pytest.raises(HttpResponseError) as failed:
        await blob.upload_blob(b"1")
    assert failed.value.status_code == 503
    faults.set(cut=True, handled=True)
    with pytest.raises(ServiceRequestError):
        await blob.upload_blob(b"2")
    faults.set(status=503, handled=True)
    for read in (blob.download_blob, blob.get_blob_properties):
        with pytest.raises(HttpResponseError) as failed:
            await read()
        assert failed.value.status_code == 503
    faults.clear()
    assert await (await blob.download_blob()).readall() == b"2"


async def test_stop_and_start(container: ContainerClient, proxy: AzuriteProxy) -> None:
    """A stopped service refuses connections, and keeps its data and its port."""
    blob, server = container.get_blob_client("blob"), proxy.servers["blobs"]
    await blob.upload_blob(b"1")
    connection = proxy.connection_string()
    await server.stop()
    with pytest.raises(ServiceRequestError):
        await blob.get_blob_properties()
    await server.start()
    assert await (await blob.download_blob()).readall() == b"1"
    assert proxy.connection_string() == connection


async def test_azurite_is_gone(
    container: ContainerClient, proxy: AzuriteProxy, azurite: Azurite
) -> None:
    """Without Azurite the connection ends, as it would without the proxy."""
    assert proxy.servers["blobs"].is_running
    await azurite.stop()
    with pytest.raises(ServiceRequestError):
        await container.get_blob_client("blob").get_blob_properties()


async def test_urls_and_bodies_are_passed_on_as_they_are(http: aiohttp.ClientSession) -> None:
    """Neither the path, which a signature covers, nor a body is encoded in another way."""
    seen: list[str] = []

    async def note(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.Response(body=gzip.compress(b"state"), headers={"Content-Encoding": "gzip"})

    async with Server("storage", [web.get("/{tail:.*}", note)]) as storage:
        endpoints = f"BlobEndpoint={storage.url}/a;QueueEndpoint={storage.url}/a"
        proxy = AzuriteProxy(f"AccountName=a;{endpoints}")
        await proxy.start()
        path = "/a/x%7Ey%2Fz%2d?q=%2D+%20a"
        async with http.get(URL(proxy.servers["blobs"].url + path, encoded=True)) as response:
            assert await response.read() == b"state"
        await proxy.stop()
    assert seen == [path]


async def test_development_storage() -> None:
    """`UseDevelopmentStorage=true` becomes the published account at the proxy's ports."""
    proxy = AzuriteProxy("UseDevelopmentStorage=true")
    await proxy.start()
    settings = dict(part.split("=", 1) for part in proxy.connection_string().split(";"))
    port = proxy.servers["queues"].port
    assert settings["AccountName"] == "devstoreaccount1"
    assert settings["QueueEndpoint"] == f"http://127.0.0.1:{port}/devstoreaccount1"
    await proxy.stop()
