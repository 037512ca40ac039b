"""The rules that BlobContainer and MemoryContainer share."""

from collections.abc import Mapping

import pytest

from cloud_adapter.errors import BlobChanged
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer, Container, MemoryContainer


@pytest.fixture(params=["blobs", "memory"])
def blobs(request: pytest.FixtureRequest, account: StorageAccount) -> Container:
    """An empty container of each kind."""
    return MemoryContainer() if request.param == "memory" else BlobContainer(account, "container")


async def test_what_does_not_exist(blobs: Container) -> None:
    """It is not found, not listed, and can be deleted."""
    assert await blobs.read("a") is None
    assert [entry async for entry in blobs.list()] == []
    await blobs.delete("a")


async def test_what_is_written(blobs: Container) -> None:
    """Content and metadata are read as they were written, with the ETag that writing returned."""

    async def read() -> tuple[bytes, str, Mapping[str, str]]:
        found = await blobs.read("a/b")
        assert found
        return found.content, found.etag, found.metadata

    etag = await blobs.write("a/b", b"\x00\xff", None, {"state": "x"})
    assert await read() == (b"\x00\xff", etag, {"state": "x"})
    again = await blobs.write("a/b", b"", etag)
    assert await read() == (b"", again, {})


async def test_writes_are_conditional(blobs: Container) -> None:
    """Without an ETag a blob must be new, with one it must be that version; `*` always writes."""
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
    for replaced in (b"4", b"5"):
        await blobs.write("a", replaced, ANY)
        found = await blobs.read("a")
        assert found
        assert found.content == replaced


async def test_errors_do_not_quote_the_name(blobs: Container) -> None:
    """The texts of errors are logged, and blob names contain users' ids."""
    with pytest.raises(BlobChanged) as gone:
        await blobs.write("webchat~2Fzoe", b"0", '"0x1"')
    await blobs.write("webchat~2Fzoe", b"1", None)
    with pytest.raises(BlobChanged) as changed:
        await blobs.write("webchat~2Fzoe", b"2", None)
    assert "zoe" not in f"{gone.value} {changed.value} {changed.value.__cause__}"


async def test_a_listing_has_metadata_and_an_order(blobs: Container) -> None:
    """Blobs are listed by prefix, in the order of their names; many are deleted in one call."""
    for name in ("b/2", "b/1", "a", "b", "c/1"):
        await blobs.write(name, b"", None, {"name": name})
    assert [entry async for entry in blobs.list("b/")] == [
        ("b/1", {"name": "b/1"}),
        ("b/2", {"name": "b/2"}),
    ]
    await blobs.delete_many(["b/1", "b/2", "nothing"])
    assert [entry.name async for entry in blobs.list()] == ["a", "b", "c/1"]


async def test_no_etag_comes_back(blobs: Container) -> None:
    """A new blob does not get the ETag of a deleted one, which another turn may still have."""
    first = await blobs.write("a", b"1", None)
    await blobs.delete("a")
    assert await blobs.write("a", b"1", None) != first
