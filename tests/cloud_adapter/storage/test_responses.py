"""Answers that are not the account's, or not whole: each call says so, and finds nothing absent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from tests.support.storage.storage_front import Fault, Pass, Passage, StorageFront, answered

LEASE = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
OURS = {"x-ms-request-id": "1"}
HTML = b"<html>Welcome"
BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<EnumerationResults><Blobs><Blob><Name>&b;</Name></Blob></Blobs></EnumerationResults>"""
BOMB_16 = BOMB.decode().replace("?>", ' encoding="utf-16"?>', 1).encode("utf-16")


async def everything(items: AsyncIterator[Any]) -> list[Any]:
    """A listing as a list."""
    return [item async for item in items]


Call = Callable[[BlobContainer, MessageQueue], Awaitable[object]]

CALLS: dict[str, Call] = {
    "read": lambda blobs, _: blobs.read("a"),
    "read_range": lambda blobs, _: blobs.read_range("a", 0, 5),
    "list": lambda blobs, _: everything(blobs.list()),
    "write": lambda blobs, _: blobs.write("a", b"1", "*"),
    "create_append": lambda blobs, _: blobs.create_append("a", "*"),
    "append": lambda blobs, _: blobs.append("log", b"1"),
    "delete": lambda blobs, _: blobs.delete("a"),
    "acquire": lambda blobs, _: blobs.acquire_lease("a", LEASE),
    "renew": lambda blobs, _: blobs.renew_lease("a", LEASE),
    "release": lambda blobs, _: blobs.release_lease("a", LEASE),
    "put": lambda _, queue: queue.put("x"),
    "receive": lambda _, queue: everything(queue.receive_all()),
}


@pytest.fixture
async def blobs(far_account: StorageAccount) -> BlobContainer:
    """A container with the blobs that the calls use."""
    blobs = BlobContainer(far_account, "container")
    await blobs.write("a", b"1", None)
    await blobs.append("log", b"1")
    return blobs


@pytest.fixture
async def queue(far_account: StorageAccount) -> MessageQueue:
    """A queue."""
    queue = MessageQueue(far_account, "queue")
    await queue.put("x")
    return queue


async def cut_off(passage: Passage, _: Pass) -> web.StreamResponse:
    """The beginning of a body."""
    response = web.StreamResponse(headers={**OURS, "ETag": '"1"', "Content-Length": "100"})
    await passage.begin(response)
    await response.write(b"{")
    return passage.cut()


async def endless(passage: Passage, _: Pass) -> web.StreamResponse:
    """A body that does not end."""
    response = web.StreamResponse(headers={**OURS, "ETag": '"1"'})
    await passage.begin(response)
    while True:
        await response.write(b"x" * 1024 * 1024)


FAULTS: dict[str, tuple[Fault, str]] = {
    "page": (answered(200, HTML, "text/html"), "not Azure Storage"),
    "page with an ETag": (answered(200, HTML, "text/html", {"ETag": '"1"'}), "not Azure Storage"),
    "created": (answered(201, HTML, "text/html"), "not Azure Storage"),
    "no content": (answered(204), "not Azure Storage"),
    "redirect": (answered(307, headers={"Location": "http://127.0.0.1:9/"}), "not Azure Storage"),
    "not modified": (answered(304, headers=OURS), "not Azure Storage"),
    "page with 404": (answered(404, HTML, "text/html"), "answers 404"),
    "404": (answered(404, headers=OURS), "answers 404"),
    "409": (answered(409), "answers 409"),
    "412": (answered(412), "answers 412"),
    "416": (answered(416), "answers 416"),
    "another error": (
        answered(409, headers={**OURS, "x-ms-error-code": "AccountBeingCreated"}),
        r"answers 409 \(AccountBeingCreated\)",
    ),
    "of another service": (
        answered(404, headers={**OURS, "x-ms-error-code": "AccountNotFound"}),
        r"answers 404 \(AccountNotFound\)",
    ),
    "cut off": (cut_off, "does not answer"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_strange_answers(
    blobs: BlobContainer, queue: MessageQueue, front: StorageFront, call: str, fault: str
) -> None:
    """Nothing is taken for an answer of the account, and no blob for a missing one."""
    answer, why = FAULTS[fault]
    front.spoil("", answer)
    with pytest.raises(StorageUnavailable, match=why):
        await CALLS[call](blobs, queue)
    front.heal()
    assert await blobs.read("a")


@pytest.mark.parametrize("call", ["read", "read_range", "write", "create_append", "acquire"])
async def test_a_missing_etag(
    blobs: BlobContainer, queue: MessageQueue, front: StorageFront, call: str
) -> None:
    """An answer without the ETag that every version has is not trusted."""
    front.spoil("", answered(200, b"{}", headers=OURS))
    with pytest.raises(StorageUnavailable, match="not Azure Storage"):
        await CALLS[call](blobs, queue)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        HTML,
        b"<a/>x",
        b"<a>",
        b"\xff",
        BOMB,
        BOMB_16,
        b"<?xml version='1.0' encoding='none'?><a/>",
        b"<?xml version='1.0' encoding='euc-jp'?><a/>",
    ],
)
@pytest.mark.parametrize("call", ["list", "receive"])
async def test_malformed_xml(
    blobs: BlobContainer, queue: MessageQueue, front: StorageFront, call: str, body: bytes
) -> None:
    """Neither a page nor a document that declares entities is a listing."""
    front.spoil("GET", answered(200, body, "application/xml", OURS))
    with pytest.raises(StorageUnavailable, match="not Azure Storage"):
        await CALLS[call](blobs, queue)


async def test_a_body_without_end(blobs: BlobContainer, front: StorageFront) -> None:
    """It is not read to its end."""
    front.spoil("GET", endless)
    async with asyncio.timeout(20):
        with pytest.raises(StorageUnavailable, match="too large"):
            await blobs.read("a")


async def test_no_blob_and_no_container(blobs: BlobContainer, front: StorageFront) -> None:
    """Only the account's own codes mean that nothing is there."""
    assert await blobs.read("nothing") is None
    for code in ("BlobNotFound", "ContainerNotFound", "ResourceNotFound"):
        front.spoil("GET", answered(404, headers={**OURS, "x-ms-error-code": code}), times=1)
        assert await blobs.read("a") is None
        front.heal()
