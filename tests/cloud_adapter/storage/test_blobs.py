"""Blobs: a container's blobs, their conditions, metadata and leases."""

import asyncio
from uuid import uuid4

import pytest

from cloud_adapter.errors import BlobChanged, StorageUnavailable
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer
from tests.support.storage.storage_front import StorageFront, answered, cut_after


@pytest.fixture
def blobs(account: StorageAccount) -> BlobContainer:
    """A container that is not there yet."""
    return BlobContainer(account, "container")


async def names(blobs: BlobContainer, prefix: str = "") -> list[str]:
    """What is listed."""
    return [entry.name async for entry in blobs.list(prefix)]


async def test_no_container(blobs: BlobContainer) -> None:
    """Nothing is there, nothing needs to be taken away, and nothing is made by looking."""
    assert await blobs.read("a") is None
    assert await blobs.metadata("a") is None
    assert await names(blobs) == []
    await blobs.delete("a")
    await blobs.set_metadata("a", {"x": "1"})
    assert not await blobs.renew("a", str(uuid4()))
    await blobs.release("a", str(uuid4()))
    assert await names(blobs) == []


async def test_a_blob(blobs: BlobContainer) -> None:
    """Content and metadata come back, with the ETag that writing gave."""
    etag = await blobs.write("a/b", b"\x00\xff", None, {"state": "x"})
    assert await blobs.read("a/b") == (b"\x00\xff", etag, {"state": "x"})
    assert await blobs.metadata("a/b") == {"state": "x"}
    await blobs.set_metadata("a/b", {"other": "y"})
    found = await blobs.read("a/b")
    assert found
    assert (found.content, found.metadata) == (b"\x00\xff", {"other": "y"})
    assert found.etag != etag
    again = await blobs.write("a/b", b"", found.etag)
    assert await blobs.read("a/b") == (b"", again, {})


async def test_errors_do_not_quote_the_name(blobs: BlobContainer) -> None:
    """Blob names contain users' ids, and the texts of errors are logged."""
    with pytest.raises(BlobChanged) as gone:
        await blobs.write("webchat~2Fada", b"0", '"0x1"')
    await blobs.write("webchat~2Fada", b"1", None)
    with pytest.raises(BlobChanged) as changed:
        await blobs.write("webchat~2Fada", b"2", None)
    assert "ada" not in f"{gone.value} {changed.value} {changed.value.__cause__}"


async def test_conditions(blobs: BlobContainer) -> None:
    """A new one must be new, an old one must be the one that is meant; `*` is whatever there is."""
    with pytest.raises(BlobChanged, match="gone"):
        await blobs.write("a", b"0", '"0x1"')
    first = await blobs.write("a", b"1", None)
    with pytest.raises(BlobChanged):
        await blobs.write("a", b"2", None)
    second = await blobs.write("a", b"2", first)
    with pytest.raises(BlobChanged):
        await blobs.write("a", b"3", first)
    await blobs.delete("a")
    with pytest.raises(BlobChanged):
        await blobs.write("a", b"3", second)
    await blobs.write("a", b"4", ANY)
    await blobs.write("a", b"5", ANY)
    found = await blobs.read("a")
    assert found
    assert found.content == b"5"


async def test_a_listing(blobs: BlobContainer) -> None:
    """By the beginning of names, in their order, with metadata."""
    for name in ("b/2", "b/1", "a", "b", "c/1"):
        await blobs.write(name, b"", None, {"name": name})
    assert [entry async for entry in blobs.list("b/")] == [
        ("b/1", {"name": "b/1"}),
        ("b/2", {"name": "b/2"}),
    ]
    await blobs.delete_all(["b/1", "b/2", "nothing"])
    assert await names(blobs) == ["a", "b", "c/1"]


async def test_a_lease(blobs: BlobContainer) -> None:
    """One taker has it, may take it again and renew it, until it gives it back."""
    one, other = str(uuid4()), str(uuid4())
    assert await blobs.lease("a", one)
    assert await blobs.lease("a", one)
    assert not await blobs.lease("a", other)
    assert await blobs.renew("a", one)
    assert not await blobs.renew("a", other)
    await blobs.release("a", other)
    assert not await blobs.lease("a", other)
    await blobs.release("a", one)
    assert not await blobs.renew("a", one)
    assert await blobs.lease("a", other)


async def test_many_leases_at_once(blobs: BlobContainer) -> None:
    """Of many that find neither blob nor container, one gets the lease."""
    results = await asyncio.gather(*(blobs.lease("a", str(uuid4())) for _ in range(20)))
    assert sorted(results) == [False] * 19 + [True]


async def test_a_not_found_of_somebody_else_s(
    far_account: StorageAccount, front: StorageFront
) -> None:
    """A 404 without the account's code does not say that there is no blob."""
    blobs = BlobContainer(far_account, "container")
    await blobs.write("a", b"1", None)
    for method in ("GET", "HEAD"):
        front.spoil(method, answered(404, b"<html>", "text/html"))
    with pytest.raises(StorageUnavailable, match="404"):
        await blobs.read("a")
    with pytest.raises(StorageUnavailable, match="404"):
        await blobs.metadata("a")


async def test_a_container_whose_answer_is_lost(
    far_account: StorageAccount, front: StorageFront
) -> None:
    """It is made twice, which is no error."""
    blobs = BlobContainer(far_account, "container")
    front.spoil("PUT blob container", cut_after, times=1, skip=1)
    await blobs.write("a", b"1", None)
    assert await names(blobs) == ["a"]
