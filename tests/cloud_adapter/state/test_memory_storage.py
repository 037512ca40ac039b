"""MemoryStorage: its own rules; test_storages.py has those that it shares with BlobStorage."""

import pytest

from cloud_adapter.state.memory_storage import MemoryStorage


async def test_it_ends_with_its_process() -> None:
    """Two instances share nothing."""
    one, other = MemoryStorage(), MemoryStorage()
    await one.write({"k": {"x": 1}})
    assert await other.read(["k"]) == {}


async def test_no_etag_comes_back() -> None:
    """A new item does not get the ETag of a deleted one, which another turn may still have."""
    state = MemoryStorage()
    first: dict[str, object] = {"x": 1}
    await state.write({"k": first})
    await state.delete(["k"])
    second: dict[str, object] = {"x": 1}
    await state.write({"k": second})
    assert first["e_tag"] != second["e_tag"]


async def test_a_refused_item_keeps_its_etag() -> None:
    """It can be corrected, and written."""
    state = MemoryStorage()
    item: dict[str, object] = {"x": 1}
    await state.write({"k": item})
    item["x"] = object()
    with pytest.raises(TypeError):
        await state.write({"k": item})
    item["x"] = 2
    await state.write({"k": item})
    assert await state.read(["k"]) == {"k": item}
