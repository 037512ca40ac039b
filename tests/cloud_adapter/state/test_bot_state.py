"""ConversationState and UserState by themselves, as bots and the SDK's accessors use them."""

import asyncio
import pickle
from typing import Any

import jsonpickle
import pytest
from botbuilder.core import ConversationState as SdkConversationState
from botbuilder.core import TurnContext
from botbuilder.core import UserState as SdkUserState
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from cloud_adapter.errors import StateConflict, TurnRepeated
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import MAX_WRITES, TURN_IDS_KEY
from cloud_adapter.state.turn import ConversationState, ConversationTurn, UserState
from cloud_adapter.storage.blobs import ANY, MemoryContainer

CONVERSATION, USER = "webchat/conversations/c", "webchat/users/u"


class CountingContainer(MemoryContainer):
    """Counts the writes."""

    writes = 0

    async def write(self, *args: Any, **options: Any) -> str:
        self.writes += 1
        return await super().write(*args, **options)


def memory() -> BlobStorage:
    """A storage in memory."""
    return BlobStorage(ConversationLocks(MemoryContainer()))


def turn_context() -> TurnContext:
    """A turn without AutoSaveStateMiddleware."""
    activity = Activity(
        type="message",
        id="a1",
        channel_id="webchat",
        conversation=ConversationAccount(id="c"),
        from_property=ChannelAccount(id="u"),
    )
    return TurnContext(TestAdapter(), activity)


@pytest.mark.parametrize("kind", [ConversationState, UserState])
async def test_they_work_as_the_sdk_s(kind: type[Any]) -> None:
    """Without the middleware a state is loaded on use, and saved on request."""
    state = kind(memory())
    assert isinstance(state, SdkConversationState | SdkUserState)
    name = state.create_property("name")
    turn = turn_context()
    assert await name.get(turn) is None
    assert await name.get(turn, {"x": []}) == {"x": []}
    await state.save_changes(turn)
    for number in range(3):
        (await name.get(turn))["x"].append(number)
        await state.save_changes(turn)
    assert await name.get(turn_context()) == {"x": [0, 1, 2]}
    await name.delete(turn)
    await state.save_changes(turn)
    assert await name.get(turn_context()) is None


async def test_an_unchanged_state_is_not_written() -> None:
    """Only `force` writes a state that is as it was read or written."""
    blobs = CountingContainer()
    state = ConversationState(BlobStorage(ConversationLocks(blobs)))
    name = state.create_property("name")
    turn = turn_context()
    await state.save_changes(turn)
    await state.load(turn)
    await state.save_changes(turn)
    assert blobs.writes == 0
    for _ in range(2):
        await name.set(turn, [1])
        await state.save_changes(turn)
    assert blobs.writes == 1
    await state.save_changes(turn, force=True)
    assert blobs.writes == 2


async def test_force_loads_again() -> None:
    """Unsaved changes are dropped."""
    storage = memory()
    state = ConversationState(storage)
    name = state.create_property("name")
    turn = turn_context()
    await name.set(turn, "mine")
    await state.load(turn)
    assert await name.get(turn) == "mine"
    await storage.write({CONVERSATION: {"name": "theirs"}})
    await state.load(turn, force=True)
    assert await name.get(turn) == "theirs"


async def test_clearing_and_deleting() -> None:
    """A cleared state is empty once it is saved, a deleted one at once."""
    storage = memory()
    state = UserState(storage)
    name = state.create_property("name")
    turn = turn_context()
    await name.set(turn, "Ada")
    await state.save_changes(turn)
    await state.clear_state(turn)
    assert await name.get(turn) is None
    assert await name.get(turn_context()) == "Ada"
    await state.save_changes(turn)
    assert await name.get(turn_context()) is None
    await name.set(turn, "Bob")
    await state.save_changes(turn)
    await state.delete(turn)
    assert (await storage.read([USER]))[USER].keys() == {"e_tag"}
    assert await name.get(turn) is None


async def test_an_unread_state_can_be_deleted_and_cleared() -> None:
    """A turn that has not loaded the state deletes and clears what is stored all the same."""
    storage = memory()
    state = UserState(storage)
    await storage.write({USER: {"name": "Ada"}})
    turn = turn_context()
    await state.clear_state(turn)
    await state.save_changes(turn)
    assert (await storage.read([USER]))[USER].keys() == {"e_tag"}
    await storage.write({USER: {"name": "Ada", TURN_IDS_KEY: ["a"]}})
    await state.delete(turn_context())
    assert (await storage.read([USER]))[USER].keys() == {"e_tag", TURN_IDS_KEY}


async def test_endless_writers() -> None:
    """A turn whose write always meets another one gives up after MAX_WRITES."""

    class RestlessContainer(CountingContainer):
        async def write(self, name: str, *args: Any, **options: Any) -> str:
            await MemoryContainer.write(self, name, b'[1,{"other":%d}]' % self.writes, ANY)
            return await super().write(name, *args, **options)

    blobs = RestlessContainer()
    state = ConversationState(BlobStorage(ConversationLocks(blobs)))
    turn = turn_context()
    await state.create_property("mine").set(turn, 1)
    with pytest.raises(StateConflict, match="keep changing"):
        await state.save_changes(turn)
    assert blobs.writes == MAX_WRITES


async def test_a_processed_activity_gets_no_state() -> None:
    """Loading the conversation's state raises; the user's state does not decide."""
    storage = memory()
    turn = turn_context()
    turn_id = ConversationTurn(storage.blobs, turn).id
    await storage.write({key: {TURN_IDS_KEY: [turn_id]} for key in (CONVERSATION, USER)})
    with pytest.raises(TurnRepeated):
        await ConversationState(storage).load(turn)
    await UserState(storage).load(turn)


async def test_states_that_are_loaded_concurrently() -> None:
    """Both states lock the conversation once, and are usable."""
    storage = memory()
    states = (ConversationState(storage), UserState(storage))
    turn = turn_context()
    made = ConversationTurn(storage.blobs, turn)
    await asyncio.gather(*(state.load(turn) for state in states))
    await made.end()
    assert all(state.loaded(turn) for state in states)


async def test_nothing_is_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pickler runs when state is written and read: stored text must not become code."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pickled")

    for owner, name in (
        (jsonpickle.pickler.Pickler, "flatten"),
        (jsonpickle.unpickler.Unpickler, "restore"),
        (pickle, "dumps"),
        (pickle, "loads"),
    ):
        monkeypatch.setattr(owner, name, refuse)
    state = ConversationState(memory())
    count = state.create_property("count")
    for expected in (1, 2):
        turn = turn_context()
        await count.set(turn, await count.get(turn, lambda: 0) + 1)
        await state.save_changes(turn)
        assert await count.get(turn) == expected
