"""BlobStorage: what a blob holds, and that state which cannot be read is never taken for empty."""

import asyncio
import json
from typing import Any

import pytest
from botbuilder.core import Storage

from cloud_adapter.errors import StateConflict, StorageUnavailable
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import CONTAINER
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer, name_part
from tests.support.storage.storage_front import (
    Fault,
    StorageFront,
    answered,
    cut_after,
    cut_before,
)

READ, WRITE, REMOVE = f"GET blob {CONTAINER}", f"PUT blob {CONTAINER}", f"DELETE blob {CONTAINER}"


def in_blobs(account: StorageAccount) -> BlobStorage:
    """The bot's storage in an account."""
    return BlobStorage(ConversationLocks(BlobContainer(account, CONTAINER)))


@pytest.fixture
def far(far_account: StorageAccount) -> BlobStorage:
    """A storage whose account is behind the proxy."""
    return in_blobs(far_account)


async def stored(state: Storage, key: str = "k") -> dict[str, Any]:
    """An item without its ETag."""
    item: dict[str, Any] = (await state.read([key]))[key]
    return {name: value for name, value in item.items() if name != "e_tag"}


async def test_the_content_of_a_blob(account: StorageAccount) -> None:
    """It is the format version and plain JSON without the ETag, which is the blob's own."""
    state, blobs = in_blobs(account), BlobContainer(account, CONTAINER)
    await state.write({"a/b": {"x": "é"}})
    await state.write(await state.read(["a/b"]))
    blob = await blobs.read(name_part("a/b"))
    assert blob
    assert blob.content == b'[1,{"x":"\\u00e9"}]'
    assert (await state.read(["a/b"]))["a/b"]["e_tag"] == blob.etag


async def test_the_first_items_of_an_account(account: StorageAccount) -> None:
    """Concurrent writers create the container once, and no item is lost."""
    state = in_blobs(account)
    await asyncio.gather(*(state.write({f"k{number}": {"x": number}}) for number in range(20)))
    found = await state.read([f"k{number}" for number in range(20)])
    assert [item["x"] for item in found.values()] == list(range(20))


REFUSALS: list[tuple[Fault, str]] = [
    (answered(403), "Storage Blob Data Owner"),
    (answered(401), "Storage Blob Data Owner"),
    (answered(409), "answers 409"),
    (cut_before, "does not answer"),
]


@pytest.mark.parametrize(("fault", "cure"), REFUSALS)
async def test_a_read_that_fails(
    far: BlobStorage, front: StorageFront, fault: Fault, cure: str
) -> None:
    """Only the account's own 404 means that there is no state; what is stored stays."""
    await far.write({"k": {"x": 1}, "l": {"x": 2}})
    front.spoil(READ, fault)
    with pytest.raises(StorageUnavailable, match=cure):
        await far.read(["k", "l"])
    front.heal()
    assert await stored(far) == {"x": 1}


@pytest.mark.parametrize(
    "body", [b"[1,", b"[1,[]]", b"[1,null]", b"[1,{]", b"[1,\xff]", b"[1," + b"[" * 200_000]
)
async def test_a_blob_that_is_not_state(account: StorageAccount, body: bytes) -> None:
    """It is not taken for empty state."""
    await BlobContainer(account, CONTAINER).write("k", body, None)
    with pytest.raises(StorageUnavailable, match=r"is not stored state|nests too deeply"):
        await in_blobs(account).read(["k"])


async def test_one_of_two_items_that_cannot_be_read(far: BlobStorage, front: StorageFront) -> None:
    """The other item is not returned alone."""
    await far.write({"k": {"x": 1}, "l": {"x": 2}})
    front.spoil(f"{READ}", answered(403), times=1)
    with pytest.raises(StorageUnavailable):
        await far.read(["k", "l"])


@pytest.mark.parametrize(("fault", "cure"), REFUSALS)
async def test_a_write_that_fails(
    far: BlobStorage, front: StorageFront, fault: Fault, cure: str
) -> None:
    """It raises, and changes nothing; only the account's own 409 is a conflict."""
    await far.write({"k": {"x": 1}})
    item = (await far.read(["k"]))["k"]
    front.spoil(WRITE, fault)
    with pytest.raises((StorageUnavailable, StateConflict)) as caught:
        await far.write({"k": {**item, "x": 2}})
    assert cure in str(caught.value) or "409" in cure
    front.heal()
    assert await far.read(["k"]) == {"k": item}


@pytest.mark.parametrize(("fault", "cure"), REFUSALS)
async def test_a_deletion_that_fails(
    far: BlobStorage, front: StorageFront, fault: Fault, cure: str
) -> None:
    """It raises, and the item stays."""
    await far.write({"k": {"x": 1}})
    front.spoil(REMOVE, fault)
    with pytest.raises(StorageUnavailable, match=cure):
        await far.delete(["k"])
    front.heal()
    assert await stored(far) == {"x": 1}


async def test_a_write_whose_answer_is_lost(far: BlobStorage, front: StorageFront) -> None:
    """The retry meets what the first attempt wrote, which looks like a conflict."""
    await far.write({"k": {"x": 1}})
    item = (await far.read(["k"]))["k"]
    front.spoil(WRITE, cut_after, times=1)
    with pytest.raises(StateConflict):
        await far.write({"k": {**item, "x": 2}})
    assert await stored(far) == {"x": 2}


async def test_a_container_that_cannot_be_created(far: BlobStorage, front: StorageFront) -> None:
    """The error names the role that the identity needs."""
    front.spoil(f"PUT blob {CONTAINER}", answered(403), skip=1)
    with pytest.raises(StorageUnavailable, match="Storage Blob Data Owner"):
        await far.write({"k": {"x": 1}})
    front.heal()
    assert await far.read(["k"]) == {}


async def test_no_content_in_errors(far: BlobStorage, front: StorageFront, storage: str) -> None:
    """No error in the chain quotes what is stored or the account's key."""
    key = dict(pair.split("=", 1) for pair in storage.split(";"))["AccountKey"]
    front.spoil(WRITE, answered(403, json.dumps({"said": "sesame"}).encode()))
    with pytest.raises(StorageUnavailable) as caught:
        await far.write({"k": {"x": "sesame"}})
    error: BaseException | None = caught.value
    assert "sesame" not in str(error)
    while error is not None:
        assert key not in str(error)
        error = error.__cause__ or error.__context__
