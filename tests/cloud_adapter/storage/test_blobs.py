"""BlobContainer: creation and appending; test_containers.py and test_leases.py have the rest."""

import asyncio
from uuid import uuid4

import pytest

from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer
from tests.support.storage.storage_front import StorageFront, cut_after


@pytest.fixture
def blobs(account: StorageAccount) -> BlobContainer:
    """A container that does not exist yet."""
    return BlobContainer(account, "container")


@pytest.fixture
def far(far_account: StorageAccount) -> BlobContainer:
    """The same, through the proxy."""
    return BlobContainer(far_account, "container")


async def names(blobs: BlobContainer, prefix: str = "") -> list[str]:
    """The names of the listed blobs."""
    return [entry.name async for entry in blobs.list(prefix)]


async def content(blobs: BlobContainer, name: str) -> bytes:
    """The content of a blob."""
    found = await blobs.read(name)
    assert found
    return found.content


async def test_a_missing_container_is_an_empty_one(far: BlobContainer, front: StorageFront) -> None:
    """Reading, listing and deleting find nothing there, and do not create it."""
    assert await far.read("a") is None
    assert await names(far) == []
    await far.delete("a")
    assert not await far.renew_lease("a", str(uuid4()))
    await far.release_lease("a", str(uuid4()))
    assert await names(far) == []
    # Creating it would be a PUT without `comp`.
    assert front.count("PUT blob container") == 0


async def test_appending_to_nothing(blobs: BlobContainer) -> None:
    """Without metadata, a missing container and a missing blob are left alone."""
    for _ in range(2):
        assert not await blobs.append("log", b"x")
        assert await blobs.read("log") is None
        await blobs.write("other", b"", ANY)
    assert await blobs.append("log", b"x", {"m": "1"})
    assert await blobs.append("log", b"y")
    assert await content(blobs, "log") == b"xy"


async def test_appending(blobs: BlobContainer) -> None:
    """The first of many writers creates the container and the blob; nobody's block is lost."""
    await asyncio.gather(*(blobs.append("log", b"%d\n" % number, {}) for number in range(10)))
    assert sorted((await content(blobs, "log")).splitlines()) == [
        b"%d" % number for number in range(10)
    ]


async def test_a_lost_answer_to_creating_the_container(
    far: BlobContainer, front: StorageFront
) -> None:
    """The retry finds the container, which is not an error."""
    front.spoil("PUT blob container", cut_after, times=1, skip=1)
    await far.write("a", b"1", None)
    assert await names(far) == ["a"]
