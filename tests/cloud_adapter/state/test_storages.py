"""BlobStorage: the SDK's Storage contract, on blobs and in memory."""

import asyncio
import datetime
from typing import Any

import pytest
from botbuilder.core import (
    BotStateSet,
    ConversationState,
    PrivateConversationState,
    Storage,
    StoreItem,
    TurnContext,
    UserState,
)
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from cloud_adapter.errors import StateConflict
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import CONTAINER
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer, MemoryContainer

KEYS = ["webchat/conversations/a", "webchat/users/../a", "a%2Fb", "😀 \ud83d", "x" * 3000, "/"]


@pytest.fixture(params=["blobs", "memory"])
def state(request: pytest.FixtureRequest, account: StorageAccount) -> Storage:
    """An empty storage of each kind."""
    in_memory = request.param == "memory"
    blobs = MemoryContainer() if in_memory else BlobContainer(account, CONTAINER)
    return BlobStorage(ConversationLocks(blobs))


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
    await state.write({key: {"key": key, "x": [None, 1.5]} for key in KEYS})
    found = await state.read(KEYS)
    assert list(found) == KEYS
    for key, item in found.items():
        assert item.pop("e_tag")
        assert item == {"key": key, "x": [None, 1.5]}
    await state.delete(KEYS[1:])
    assert (await state.read(KEYS)).keys() == {KEYS[0]}


@pytest.mark.parametrize("etag", [{}, {"e_tag": None}, {"e_tag": "*"}])
async def test_an_unconditional_write(state: Storage, etag: dict[str, Any]) -> None:
    """Without an ETag, or with `*`, a write creates an item, and replaces any version of it."""
    item: dict[str, Any] = dict(etag)
    for number in range(3):
        item["x"] = number
        await state.write({"k": item})
        assert await stored(state) == {"x": number}
        await state.write({"k": {"x": "theirs"}})
    assert item == {**etag, "x": 2}


async def test_a_stale_item_is_not_written(state: Storage) -> None:
    """What was read before another write cannot be written: a KeyError, as in the SDK."""
    await state.write({"k": {"x": 1}})
    mine, theirs = (await state.read(["k"]), await state.read(["k"]))
    await state.write(theirs)
    mine["k"]["x"] = 3
    with pytest.raises(StateConflict) as caught:
        await state.write(mine)
    assert str(caught.value) == "Etag conflict: an item of state has changed in the meantime"
    with pytest.raises(KeyError):
        await state.write(mine)
    assert await stored(state) == {"x": 1}


@pytest.mark.parametrize("etag", ["no such", '"0x0"', 5])
async def test_an_etag_that_never_was(state: Storage, etag: Any) -> None:
    """It creates an item, as in the SDK's MemoryStorage, and does not replace one."""
    await state.write({"k": {"x": 1, "e_tag": etag}})
    with pytest.raises(StateConflict):
        await state.write({"k": {"x": 2, "e_tag": etag}})
    assert await stored(state) == {"x": 1}


async def test_a_deleted_item(state: Storage) -> None:
    """It can be written again, with its old ETag, too, as in the SDK's MemoryStorage."""
    await state.write({"k": {"x": 1}})
    item = (await state.read(["k"]))["k"]
    await state.delete(["k"])
    item["x"] = 2
    await state.write({"k": item})
    assert await stored(state) == {"x": 2}
    await state.write({"k": item})


async def test_two_writes_in_a_row(state: Storage) -> None:
    """An item that was read can be written repeatedly: each write leaves its new ETag in it."""
    await state.write({"k": {"x": -1}})
    item = (await state.read(["k"]))["k"]
    seen = {item["e_tag"]}
    for number in range(3):
        item["x"] = number
        await state.write({"k": item})
        seen.add(item["e_tag"])
    assert len(seen) == 4
    assert await state.read(["k"]) == {"k": item}


async def test_one_of_many_writers_wins(state: Storage) -> None:
    """Of twenty concurrent writes of a version, one succeeds."""
    await state.write({"k": {"x": -1}})
    before = (await state.read(["k"]))["k"]
    writes = [state.write({"k": {**before, "x": number}}) for number in range(20)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    lost = [each for each in results if isinstance(each, StateConflict)]
    assert (len(lost), results.count(None)) == (19, 1)
    assert await stored(state) == {"x": results.index(None)}


async def test_items_are_copies(state: Storage) -> None:
    """A change of what was read or written changes nothing that is stored."""
    item: dict[str, Any] = {"x": {"y": [1]}}
    await state.write({"k": item})
    item["x"]["y"].append(2)
    (await state.read(["k"]))["k"]["x"]["y"].append(3)
    assert await stored(state) == {"x": {"y": [1]}}


@pytest.mark.parametrize(
    "item",
    [
        [1, {"x": None}],
        {"when": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), "who": ("Ada", 1)},
        Activity(type="message", text="hi", conversation=ConversationAccount(id="c")),
        "a text",
        None,
    ],
)
async def test_items_of_other_kinds(state: Storage, item: Any) -> None:
    """What is no dict is written and read as well. It has no ETag, so every write wins."""
    for _ in range(2):
        await state.write({"k": item})
        found = (await state.read(["k"]))["k"]
        assert type(found) is type(item)
        if isinstance(found, dict):
            del found["e_tag"]
        assert found == item


async def test_a_store_item(state: Storage) -> None:
    """An object that has an `e_tag` is treated as a dict that has one."""
    await state.write({"k": StoreItem(count=1, e_tag="*")})
    mine, theirs = (await state.read(["k"]))["k"], (await state.read(["k"]))["k"]
    assert (type(mine), mine.count) == (StoreItem, 1)
    assert mine.e_tag not in (None, "*")
    for number in (2, 3):
        mine.count = number
        await state.write({"k": mine})
    with pytest.raises(StateConflict):
        await state.write({"k": theirs})
    assert (await state.read(["k"]))["k"].count == 3


async def test_a_store_that_loops(state: Storage) -> None:
    """The SDK's scale-out sample: whoever loses runs again on what is stored, until it wins."""

    async def save(item: dict[str, Any]) -> bool:
        try:
            await state.write({"k": item})
        except KeyError:
            return False
        return True

    async def count() -> None:
        while True:
            item = (await state.read(["k"]))["k"]
            item["count"] += 1
            await asyncio.sleep(0)
            if await save(item):
                return

    await state.write({"k": {"count": 0}})
    await asyncio.gather(*(count() for _ in range(8)))
    assert await stored(state) == {"count": 8}


@pytest.mark.parametrize("value", [object(), float("nan"), print])
async def test_a_value_without_a_json_form(state: Storage, value: Any) -> None:
    """It is refused, and what was stored before stays."""
    await state.write({"k": {"x": 1}})
    with pytest.raises((TypeError, ValueError), match=r"^state\.x "):
        await state.write({"k": {"x": value}})
    assert await stored(state) == {"x": 1}


async def test_the_sdk_s_own_state(state: Storage) -> None:
    """botbuilder's own classes work on it: saved twice in a turn, and read in the next one."""
    states = [kind(state) for kind in (ConversationState, UserState, PrivateConversationState)]
    counts = [each.create_property("count") for each in states]
    whole = BotStateSet(states)
    activity = Activity(
        type="message",
        channel_id="webchat",
        conversation=ConversationAccount(id="c/1"),
        from_property=ChannelAccount(id="u/1"),
    )

    async def turn() -> list[Any]:
        context = TurnContext(TestAdapter(), activity)
        await whole.load_all(context)
        for force in (False, True):
            for count in counts:
                await count.set(context, (await count.get(context, lambda: 0)) + 1)
            await whole.save_all_changes(context, force)
        return [await count.get(context) for count in counts]

    assert await turn() == [2, 2, 2]
    assert await turn() == [4, 4, 4]
    context = TurnContext(TestAdapter(), activity)
    await states[0].load(context)
    await states[0].delete(context)
    assert await turn() == [2, 6, 6]
