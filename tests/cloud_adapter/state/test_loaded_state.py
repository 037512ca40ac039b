"""LoadedState: the item that a turn writes, and how two turns' changes are merged."""

from typing import Any

import pytest

from cloud_adapter.errors import StateConflict
from cloud_adapter.state.loaded_state import MAX_TURN_IDS, TURN_IDS_KEY, LoadedState

Item = dict[str, Any]


def test_the_last_turn_ids_are_stored() -> None:
    """A hundred, oldest first, beside the properties and not among them."""
    state = LoadedState({"x": 1, TURN_IDS_KEY: [f"{number}" for number in range(MAX_TURN_IDS)]})
    item = state.item("new")
    assert item[TURN_IDS_KEY] == [f"{number}" for number in range(1, MAX_TURN_IDS)] + ["new"]
    assert state.state == {"x": 1}
    state.mark_saved(item)
    assert state.turn_ids == item[TURN_IDS_KEY]
    assert LoadedState({"x": 1}).item("") == {"x": 1}


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
def test_changes_of_different_properties(was: Item, mine: Item, theirs: Item, merged: Item) -> None:
    """What only one of two turns changed, added or removed is as that turn left it."""
    state = LoadedState({**was, "e_tag": "1"})
    state.state.clear()
    state.state.update(mine)
    state.merge({**theirs, "e_tag": "2", TURN_IDS_KEY: ["theirs"]})
    assert state.state == merged
    assert state.item("mine") == {**merged, "e_tag": "2", TURN_IDS_KEY: ["theirs", "mine"]}


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
    state = LoadedState({**was, "e_tag": "1"})
    state.state.clear()
    state.state.update(mine)
    with pytest.raises(StateConflict, match="'a'"):
        state.merge(theirs)
