"""LoadedState: the item that a turn writes, and how two turns' changes are merged."""

import json
from typing import Any

import pytest
from botbuilder.schema import ChannelAccount

from cloud_adapter.errors import StateConflict, StorageUnavailable
from cloud_adapter.state.stored_state import (
    MAX_STREAMS,
    MAX_TURN_IDS,
    POSITION_KEY,
    STREAMS_KEY,
    TURN_IDS_KEY,
    InboxPosition,
    LoadedState,
    to_content,
)
from cloud_adapter.storage.blobs import Blob, MemoryContainer

Item = dict[str, Any]


@pytest.fixture
def blobs() -> MemoryContainer:
    """Where states are stored."""
    return MemoryContainer()


async def stored(blobs: MemoryContainer) -> Item:
    """The stored content, as it is."""
    blob = await blobs.read("k")
    assert blob
    version, item = json.loads(blob.content)
    assert version == 1
    found: Item = item
    return found


def loaded(item: Any, etag: str = "1") -> LoadedState:
    """A state as it is stored."""
    return LoadedState(Blob(to_content(item), etag, {}))


async def test_the_last_turn_ids_are_stored(blobs: MemoryContainer) -> None:
    """A hundred, oldest first, beside the properties and not among them."""
    state = loaded({"x": 1, TURN_IDS_KEY: [f"{number}" for number in range(MAX_TURN_IDS)]})
    state.etag = None
    ids = [f"{number}" for number in range(1, MAX_TURN_IDS)] + ["new"]
    for _ in range(2):
        await state.save(blobs, "k", "new")
        assert await stored(blobs) == {"x": 1, TURN_IDS_KEY: ids}
    assert (state.state, state.turn_ids, state.is_changed) == ({"x": 1}, ids, False)


async def test_a_state_without_turn_ids(blobs: MemoryContainer) -> None:
    """Its properties are all that is stored."""
    state = LoadedState(None)
    state.state["x"] = 1
    await state.save(blobs, "k")
    assert await stored(blobs) == {"x": 1}


async def test_the_position_in_the_inbox(blobs: MemoryContainer) -> None:
    """It is stored beside the properties, and never goes back: not by merging, either."""
    state = LoadedState(None)
    for position, expected in (
        ((1, 5), [1, 5, 0]),
        ((1, 3), [1, 5, 0]),
        ((1, 5, 2), [1, 5, 2]),
        ((1, 5, 1), [1, 5, 2]),
        ((2, 9), [2, 9, 0]),
    ):
        await state.save(blobs, "k", position=InboxPosition(*position))
        assert await stored(blobs) == {POSITION_KEY: expected}
    late = loaded({POSITION_KEY: [1, 5]}, "0")
    late.state["x"] = 1
    await late.save(blobs, "k", position=InboxPosition(1, 7))
    assert await stored(blobs) == {"x": 1, POSITION_KEY: [2, 9, 0]}
    assert (late.state, late.position) == ({"x": 1}, (2, 9, 0))


async def test_the_messages_that_turns_have_begun(blobs: MemoryContainer) -> None:
    """A hundred, beside all else; the turn that ends removes its own, and no other's."""
    others = {f"other{number}.0": "m" for number in range(MAX_STREAMS)}
    rest = {"x": 1, TURN_IDS_KEY: ["a"], POSITION_KEY: [1, 5, 0]}
    state = loaded({**rest, STREAMS_KEY: others})
    state.etag = None
    for key, message_id in (("own.0", ""), ("own.0", "m1"), ("own.1", "")):
        await state.save(blobs, "k", streams={key: message_id})
    del others["other0.0"], others["other1.0"]
    begun = {**others, "own.0": "m1", "own.1": ""}
    assert await stored(blobs) == {**rest, STREAMS_KEY: begun}
    assert (state.state, state.streams, state.is_changed) == ({"x": 1}, begun, False)
    await state.save(blobs, "k", "own")
    assert await stored(blobs) == {**rest, TURN_IDS_KEY: ["a", "own"], STREAMS_KEY: others}


async def test_begun_messages_that_are_merged(blobs: MemoryContainer) -> None:
    """Those that another turn has stored meanwhile stay, and its ended ones do not come back."""
    state = loaded({STREAMS_KEY: {"theirs.0": "m"}})
    state.state["x"] = 1
    await blobs.write("k", to_content({STREAMS_KEY: {"new.0": ""}}), None)
    await state.save(blobs, "k", streams={"own.0": ""})
    assert await stored(blobs) == {"x": 1, STREAMS_KEY: {"new.0": "", "own.0": ""}}
    await state.save(blobs, "k", "own")
    assert await stored(blobs) == {"x": 1, TURN_IDS_KEY: ["own"], STREAMS_KEY: {"new.0": ""}}


def test_what_is_changed() -> None:
    """Properties and what is in them, also in objects; the ids of turns do not count."""
    state = loaded({"x": [ChannelAccount(id="u", name="Ada")], TURN_IDS_KEY: ["a"]})
    assert not state.is_changed
    state.state["x"][0].name = "Bob"
    assert state.is_changed
    state.state["x"][0].name = "Ada"
    assert not state.is_changed
    assert not LoadedState(None).is_changed


def test_another_kind_of_item() -> None:
    """A list that somebody stored under the key of a state is not taken for an empty state."""
    with pytest.raises(StorageUnavailable, match="is not a state"):
        loaded([1])


@pytest.mark.parametrize(
    ("was", "mine", "theirs", "merged"),
    [
        ({}, {"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 2}),
        ({"a": 1, "b": 1}, {"a": 1}, {"a": 2, "b": 1}, {"a": 2}),
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1}, {}, {}),
        ({"a": None}, {"a": None, "b": 1}, {}, {"b": 1}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1], "b": None}, {"a": [1, 2], "b": None}),
        ({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}),
    ],
)
async def test_changes_of_different_properties(
    blobs: MemoryContainer, was: Item, mine: Item, theirs: Item, merged: Item
) -> None:
    """What only one of two turns changed, added or removed is as that turn left it."""
    state = loaded(was)
    state.state.clear()
    state.state.update(mine)
    await blobs.write("k", to_content({**theirs, TURN_IDS_KEY: ["theirs"]}), None)
    await state.save(blobs, "k", "mine")
    assert state.state == merged
    assert await stored(blobs) == {**merged, TURN_IDS_KEY: ["theirs", "mine"]}


@pytest.mark.parametrize(
    ("was", "mine", "theirs"),
    [
        ({}, {"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),  # two turns that count have both counted
        ({"a": 1}, {"a": 2}, {}),
        ({"a": 1}, {}, {"a": 2}),
        ({"a": {"x": 1}}, {"a": {"x": 1, "y": 2}}, {"a": {"x": 2}}),
        ({"a": 1}, {"a": 2}, None),
    ],
)
def test_changes_of_the_same_property(was: Item, mine: Item, theirs: Item | None) -> None:
    """What both turns changed is a conflict, which names the property."""
    state = loaded(was)
    state.state.clear()
    state.state.update(mine)
    with pytest.raises(StateConflict, match="'a'"):
        state.merge(loaded(theirs, "2") if theirs is not None else LoadedState(None))
    assert (state.state, state.etag) == (mine, "1")


def test_objects_are_merged() -> None:
    """They are compared as they are stored, and only what the other turn has changed is new."""
    ada, bob = ChannelAccount(id="u", name="Ada"), ChannelAccount(id="u", name="Bob")
    state = loaded({"a": ada, "b": ada, "c": [ada]})
    mine = dict(state.state)
    mine["a"].name = "mine"
    state.merge(loaded({"a": ada, "b": bob, "c": [ada]}, "2"))
    assert state.state["a"] is mine["a"]
    assert state.state["c"] is mine["c"]
    assert state.state["b"].name == "Bob"
    with pytest.raises(StateConflict, match="'a'"):
        state.merge(loaded({"a": bob, "b": bob, "c": [ada]}, "3"))
