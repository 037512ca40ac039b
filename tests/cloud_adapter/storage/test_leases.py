"""BlobContainer's leases: who has one, and how blobs are written meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from aiohttp import web
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from cloud_adapter.errors import BlobChanged, BlobLeased, StorageUnavailable
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer
from tests.support.storage.storage_front import (
    Pass,
    Passage,
    StorageFront,
    after,
    answered,
    cut_after,
)
from tests.support.timing.condition import found

ONE, OTHER = str(uuid4()), str(uuid4())


@pytest.fixture
def blobs(account: StorageAccount) -> BlobContainer:
    """A process's container."""
    return BlobContainer(account, "container")


@pytest.fixture
def elsewhere(account: StorageAccount) -> BlobContainer:
    """Another process's."""
    return BlobContainer(account, "container")


@pytest.fixture
def far(far_account: StorageAccount) -> BlobContainer:
    """A process's container, through the proxy."""
    return BlobContainer(far_account, "container")


async def break_lease(storage: str) -> None:
    """End the lease at once, as if it had expired."""
    async with BlobClient.from_connection_string(storage, "container", "a") as blob:
        await BlobLeaseClient(blob).break_lease(0)


async def test_one_caller_has_a_lease(blobs: BlobContainer) -> None:
    """It can acquire it again and renew it, until it releases it; nobody else can."""
    one, other = str(uuid4()), str(uuid4())
    assert await blobs.acquire_lease("a", one) is None
    etag = await blobs.write("a", b"", None)
    assert await blobs.acquire_lease("a", one) == etag
    assert await blobs.acquire_lease("a", one) == etag
    with pytest.raises(BlobLeased):
        await blobs.acquire_lease("a", other)
    assert await blobs.renew_lease("a", one)
    assert not await blobs.renew_lease("a", other)
    await blobs.release_lease("a", other)
    with pytest.raises(BlobLeased):
        await blobs.acquire_lease("a", other)
    await blobs.release_lease("a", one)
    assert not await blobs.renew_lease("a", one)
    assert await blobs.acquire_lease("a", other)


async def test_many_callers_of_a_lease(blobs: BlobContainer) -> None:
    """One of them gets it."""
    await blobs.write("a", b"", None)
    calls = (blobs.acquire_lease("a", str(uuid4())) for _ in range(20))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, BlobLeased) for each in results].count(True) == 19


async def test_a_lease_call_that_is_refused(far: BlobContainer, front: StorageFront) -> None:
    """Only the account's own statuses mean that somebody else has the lease."""
    lease_id = str(uuid4())
    await far.write("a", b"", None)
    assert await far.acquire_lease("a", lease_id)
    front.spoil("PUT blob lease", answered(403))
    for call in (far.acquire_lease, far.renew_lease, far.release_lease):
        with pytest.raises(StorageUnavailable, match="Storage Blob Data Owner"):
            await call("a", lease_id)


async def test_writing_under_a_lease(blobs: BlobContainer, elsewhere: BlobContainer) -> None:
    """Whoever has the lease may write and delete the blob; others are refused until its end."""
    etag = await blobs.write("a", b"1", None)
    await blobs.acquire_lease("a", ONE)
    for work in (
        elsewhere.write("a", b"2", etag),
        elsewhere.write("a", b"2", ANY),
        elsewhere.delete("a"),
        elsewhere.delete_many(["a"]),
    ):
        with pytest.raises(BlobLeased):
            await work
    etag = await blobs.write("a", b"2", etag)
    with pytest.raises(BlobChanged):
        await blobs.write("a", b"3", '"0x1"')
    await blobs.release_lease("a", ONE)
    await elsewhere.write("a", b"3", etag)
    await blobs.write("a", b"4", ANY)
    await blobs.acquire_lease("a", OTHER)
    await blobs.delete("a")
    assert await blobs.read("a") is None


async def test_another_process_s_id(blobs: BlobContainer, elsewhere: BlobContainer) -> None:
    """A writer who knows the lease's id may use it; a wrong or an old id changes nothing."""
    await blobs.write("a", b"1", None)
    await blobs.acquire_lease("a", ONE)
    await elsewhere.write("a", b"2", ANY, lease_id=ONE)
    with pytest.raises(BlobLeased):
        await elsewhere.write("a", b"3", ANY, lease_id=OTHER)
    with pytest.raises(BlobLeased):
        await elsewhere.delete("a", lease_id=OTHER)
    await blobs.release_lease("a", ONE)
    await elsewhere.write("a", b"3", ANY, lease_id=ONE)
    await elsewhere.delete("a", lease_id=ONE)


async def test_a_lease_that_was_lost(
    blobs: BlobContainer, elsewhere: BlobContainer, storage: str
) -> None:
    """Its loser writes without it, if the blob is the same version and nobody else has a lease."""
    first = await blobs.write("a", b"1", None)
    for change in (None, OTHER):
        await blobs.acquire_lease("a", ONE)
        await break_lease(storage)
        if change is None:
            first = await blobs.write("a", b"2", first)
    await elsewhere.acquire_lease("a", OTHER)
    with pytest.raises(BlobLeased):
        await blobs.write("a", b"3", first)
    assert not await blobs.renew_lease("a", ONE)
    await elsewhere.write("a", b"3", first)
    await elsewhere.release_lease("a", OTHER)
    with pytest.raises(BlobChanged):
        await blobs.write("a", b"4", first)


async def test_a_blob_that_was_deleted_meanwhile(
    blobs: BlobContainer, elsewhere: BlobContainer, storage: str
) -> None:
    """Its old lease keeps nobody from finding it gone, or from writing it anew."""
    for last in ("write", "replace", "delete"):
        etag = await blobs.write("a", b"1", None)
        await blobs.acquire_lease("a", ONE)
        await break_lease(storage)
        await elsewhere.delete("a")
        if last == "write":
            await blobs.write("a", b"2", None)
            await blobs.delete("a")
        elif last == "replace":
            with pytest.raises(BlobChanged):
                await blobs.write("a", b"2", etag)
        else:
            await blobs.delete("a")


async def test_a_lost_lease_is_tried_once(
    far: BlobContainer, front: StorageFront, storage: str
) -> None:
    """The first write finds out, and those after it do not send its id."""
    await far.write("a", b"1", None)
    await far.acquire_lease("a", ONE)
    await break_lease(storage)
    for requests in (2, 1):
        before = len(front.calls)
        await far.write("a", b"2", ANY)
        assert len(front.calls) == before + requests


async def test_a_lease_of_a_missing_blob(
    far: BlobContainer, front: StorageFront, storage: str
) -> None:
    """Whichever error the account sends for it, the blob is written without the lease."""

    async def fault(passage: Passage, passed: Pass) -> web.StreamResponse:
        if "x-ms-lease-id" not in passage.headers:
            return await passed()
        return web.Response(status=404, headers={"x-ms-error-code": "BlobNotFound"})

    await far.write("a", b"1", None)
    await far.acquire_lease("a", ONE)
    await break_lease(storage)
    front.spoil("PUT blob container", fault)
    await far.write("a", b"2", ANY)


async def test_a_released_lease(far: BlobContainer, front: StorageFront) -> None:
    """Its id is not sent any more, even if the account did not hear of the release."""
    await far.write("a", b"1", None)
    await far.acquire_lease("a", ONE)
    await far.release_lease("a", ONE)
    before = len(front.calls)
    await far.write("a", b"2", ANY)
    assert len(front.calls) == before + 1
    await far.acquire_lease("a", ONE)
    front.spoil("PUT blob lease", answered(403))
    with pytest.raises(StorageUnavailable):
        await far.release_lease("a", ONE)
    before = len(front.calls)
    with pytest.raises(BlobLeased):
        await far.write("a", b"3", ANY)
    assert len(front.calls) == before + 1


async def test_a_forgotten_lease(far: BlobContainer, front: StorageFront) -> None:
    """Its id is not sent any more; forgetting another lease changes nothing."""
    await far.write("a", b"1", None)
    await far.acquire_lease("a", ONE)
    far.forget_lease("a", OTHER)
    far.forget_lease("b", ONE)
    await far.write("a", b"2", ANY)
    far.forget_lease("a", ONE)
    calls = len(front.calls)
    with pytest.raises(BlobLeased):
        await far.write("a", b"3", ANY)
    assert len(front.calls) == calls + 1


async def test_changing_an_id(blobs: BlobContainer, elsewhere: BlobContainer) -> None:
    """The lease has the new id from then on, and the blob its ETag."""
    etag = await blobs.write("a", b"1", None)
    await blobs.acquire_lease("a", ONE)
    assert await blobs.change_lease("a", ONE, OTHER)
    assert not await elsewhere.renew_lease("a", ONE)
    assert await elsewhere.renew_lease("a", OTHER)
    etag = await blobs.write("a", b"2", etag)
    await blobs.release_lease("a", OTHER)
    assert not await blobs.change_lease("a", OTHER, ONE)
    assert await elsewhere.acquire_lease("a", ONE) == etag
    assert not await blobs.change_lease("a", str(uuid4()), OTHER)


@pytest.mark.parametrize("times", [0, 1])
async def test_a_write_while_an_id_is_changed(
    far: BlobContainer, front: StorageFront, times: int
) -> None:
    """It succeeds, whether the account has changed the id before or after it."""
    await far.write("a", b"1", None)
    await far.acquire_lease("a", ONE)

    written: list[str] = []

    async def write() -> None:
        written.append(await far.write("a", b"2", ANY))

    front.spoil("PUT blob lease", cut_after, times=times)  # the id is changed, and the answer lost
    front.spoil("PUT blob lease", after(write), times=1)
    assert await far.change_lease("a", ONE, OTHER)
    assert len(written) == 1
    before = len(front.calls)
    await far.write("a", b"3", ANY)
    assert len(front.calls) == before + 1
    assert await far.renew_lease("a", OTHER)


LeaseCall = Callable[[BlobContainer], Awaitable[object]]


@pytest.mark.parametrize(
    "call",
    [
        lambda blobs: blobs.acquire_lease("a", ONE),
        lambda blobs: blobs.renew_lease("a", ONE),
        lambda blobs: blobs.change_lease("a", ONE, OTHER),
        lambda blobs: blobs.release_lease("a", ONE),
    ],
)
async def test_a_lost_answer(far: BlobContainer, front: StorageFront, call: LeaseCall) -> None:
    """The call is repeated, and has the result that it had the first time."""
    await far.write("a", b"1", None)
    await far.acquire_lease("a", ONE)
    front.spoil("PUT blob lease", cut_after, times=1)
    assert await call(far) is not False
    await far.write("a", b"2", ANY)


async def test_how_a_lease_ended(blobs: BlobContainer, storage: str) -> None:
    """A blob says whether somebody has its lease, and whether the last one was released."""
    await blobs.write("a", b"", None)

    async def ends() -> tuple[bool, bool]:
        blob = await blobs.read("a")
        assert blob
        return blob.is_leased, blob.was_abandoned

    assert await ends() == (False, False)
    await blobs.acquire_lease("a", ONE)
    assert await ends() == (True, False)
    await blobs.release_lease("a", ONE)
    assert await ends() == (False, False)
    await blobs.acquire_lease("a", ONE)
    await break_lease(storage)
    assert await ends() == (False, True)
    await blobs.acquire_lease("a", OTHER)
    await blobs.release_lease("a", OTHER)
    assert await ends() == (False, False)


@pytest.mark.extended(covered_by=["tests/cloud_adapter/storage/test_leases.py"])
async def test_a_lease_that_expires(blobs: BlobContainer) -> None:
    """It was not released either. Nobody can have it end sooner than after 15 seconds."""
    await blobs.write("a", b"", None)
    await blobs.acquire_lease("a", ONE)

    async def expired() -> bool:
        blob = await blobs.read("a")
        return blob is not None and blob.was_abandoned

    assert await found(expired, 60)
