"""The rules that BlobStorage and MemoryStorage share."""

import asyncio
from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext, UserState
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from cloud_adapter.errors import StateConflict
from cloud_adapter.state.blob_storage import CONTAINER, BlobStorage
from cloud_adapter.state.memory_storage import MemoryStorage
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer

KEYS = ["webchat/conversations/a", "webchat/users/../a", "a%2Fb", "😀 \ud83d", "x" * 3000, "/"]


@pytest.fixture(params=["blobs", "memory"])
def state(request: pytest.FixtureRequest, account: StorageAccount) -> Storage:
    """An empty storage of each kind."""
    if request.param == "memory":
        return MemoryStorage()
    return BlobStorage(BlobContainer(account, CONTAINER))


async def stored(state: Storage, key: str = "k") -> dict[str, Any]:
    """An item without its ETag."""
    item: dict[str, Any] = (await state.read([key]))[key]
    return {name: value for name, value in item.items() if name != "e_tag"}


async def test_missing_items(state: Storage) -> None:
    """An item that was not written is missing in what is read, and can be deleted."""
    assert await state.read(["a", "b"]) == {}
    assert await state.read([]) == {}
    await state.delete(["a"])
    await state.write({})
    await state.write({"a": {"x": 1}})
    assert (await state.read(["b", "a"])).keys() == {"a"}


async def test_many_keys(state: Storage) -> None:
    """Items with awkward keys are written, read and deleted, many in one call."""
    changes: dict[str, dict[str, Any]] = {key: {"key": key, "x": [None, 1.5]} for key in KEYS}
    await state.write(changes)
    found = await state.read(KEYS)
    assert list(found) == KEYS
    assert found == changes  # their ETags, too
    assert all(item["e_tag"] for item in found.values())
    await state.delete(KEYS[1:])
    assert (await state.read(KEYS)).keys() == {KEYS[0]}


async def test_a_new_item_must_be_new(state: Storage) -> None:
    """Without an ETag, nothing is replaced."""
    await state.write({"k": {"x": 1}})
    with pytest.raises(StateConflict):
        await state.write({"k": {"x": 2}})
    assert await stored(state) == {"x": 1}


async def test_a_stale_item_is_not_written(state: Storage) -> None:
    """What was read before another write cannot be written."""
    await state.write({"k": {"x": 1}})
    mine, theirs = (await state.read(["k"]), await state.read(["k"]))
    await state.write({"k": {**theirs["k"], "x": 2}})
    with pytest.raises(StateConflict):
        await state.write({"k": {**mine["k"], "x": 3}})
    assert await stored(state) == {"x": 2}


@pytest.mark.parametrize("etag", ["no such", '"0x0"', 5])
async def test_an_etag_that_never_was(state: Storage, etag: Any) -> None:
    """It neither replaces nor creates an item."""
    for there in (False, True):
        if there:
            await state.write({"k": {"x": 1}})
        with pytest.raises(StateConflict):
            await state.write({"k": {"x": 2, "e_tag": etag}})
    assert await stored(state) == {"x": 1}


async def test_a_deleted_item(state: Storage) -> None:
    """It cannot be written with its old ETag, but as a new item."""
    item: dict[str, Any] = {"x": 1}
    await state.write({"k": item})
    await state.delete(["k"])
    with pytest.raises(StateConflict):
        await state.write({"k": item})
    assert await state.read(["k"]) == {}
    await state.write({"k": {"x": 2}})
    assert await stored(state) == {"x": 2}


async def test_an_unconditional_write(state: Storage) -> None:
    """The ETag `*` creates an item, and replaces any version."""
    for number in range(3):
        await state.write({"k": {"x": number, "e_tag": "*"}})
        assert await stored(state) == {"x": number}


async def test_two_writes_in_a_row(state: Storage) -> None:
    """The same dict can be written repeatedly: each write leaves its new ETag in it."""
    item: dict[str, Any] = {"x": 0}
    seen = set()
    for number in range(3):
        item["x"] = number
        await state.write({"k": item})
        seen.add(item["e_tag"])
    assert len(seen) == 3
    assert await state.read(["k"]) == {"k": item}


async def test_one_of_many_writers_wins(state: Storage) -> None:
    """Of twenty concurrent writes of a version, and of twenty of a new item, one succeeds."""
    await state.write({"old": {"x": -1}})
    before = (await state.read(["old"]))["old"]
    for key, item in (("old", before), ("new", {})):
        writes = [state.write({key: {**item, "x": number}}) for number in range(20)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        lost = [each for each in results if isinstance(each, StateConflict)]
        assert (len(lost), results.count(None)) == (19, 1)
        assert await stored(state, key) == {"x": results.index(None)}


async def test_items_are_copies(state: Storage) -> None:
    """A change of what was read or written changes nothing that is stored."""
    item: dict[str, Any] = {"x": {"y": [1]}}
    await state.write({"k": item})
    item["x"]["y"].append(2)
    (await state.read(["k"]))["k"]["x"]["y"].append(3)
    assert await stored(state) == {"x": {"y": [1]}}


@pytest.mark.parametrize("value", [(1,), object(), {1: 2}, float("nan")])
async def test_a_value_without_a_json_form(state: Storage, value: Any) -> None:
    """It is refused, and what was stored before stays."""
    item: dict[str, Any] = {"x": 1}
    await state.write({"k": item})
    with pytest.raises((TypeError, ValueError), match=r"^state\.x "):
        await state.write({"k": {**item, "x": value}})
    assert await stored(state) == {"x": 1}


async def test_the_sdk_s_own_state(state: Storage) -> None:
    """botbuilder's own classes work on it: saved twice in a turn, and read in the next one."""
    conversation, user = ConversationState(state), UserState(state)
    count = conversation.create_property("count")
    name = user.create_property("name")
    activity = Activity(
        type="message",
        channel_id="webchat",
        conversation=ConversationAccount(id="c/1"),
        from_property=ChannelAccount(id="u/1"),
    )

    async def turn() -> tuple[Any, Any]:
        context = TurnContext(TestAdapter(), activity)
        for _ in range(2):
            await count.set(context, (await count.get(context, lambda: 0)) + 1)
            await name.set(context, {"first": "Ada"})
            await conversation.save_changes(context)
            await user.save_changes(context)
        return await count.get(context), await name.get(context)

    assert await turn() == (2, {"first": "Ada"})
    assert await turn() == (4, {"first": "Ada"})
    context = TurnContext(TestAdapter(), activity)
    await conversation.load(context)
    await conversation.delete(context)
    assert await turn() == (2, {"first": "Ada"})
