"""ConversationState and UserState: nothing is lost, nothing counted twice, whoever else writes."""

import asyncio
import pickle
from collections.abc import AsyncIterator
from typing import Any

import jsonpickle
import pytest
from botbuilder.core import ConversationState as SdkConversationState
from botbuilder.core import TurnContext
from botbuilder.core import UserState as SdkUserState
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from cloud_adapter.adapter import APOLOGY, MAX_RUNS
from cloud_adapter.errors import StateConflict, StorageUnavailable, TurnRepeated
from cloud_adapter.state.bot_state import (
    MOST_TURNS,
    MOST_WRITES,
    TURNS,
    ConversationState,
    LoadedState,
    UserState,
)
from cloud_adapter.state.memory_storage import MemoryStorage
from emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import (
    USER_KEY,
    RememberingBot,
    changed,
    conversation_key,
    counts,
    said,
    stored,
)
from tests.support.storage.storage_front import StorageFront, after, answered, cut_after

MESSAGE = {"type": "message", "text": "hello"}
INVOKE = {"type": "invoke", "name": "task/fetch", "value": {}}
READ, WRITE = "GET blob bot-state", "PUT blob bot-state"


@pytest.fixture(params=["blobs", "memory"])
async def app(
    request: pytest.FixtureRequest, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> AsyncIterator[ComposedApp]:
    """The composed app, with state of each kind."""
    changes = {"AzureWebJobsStorage": storage} if request.param == "blobs" else {}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        yield app


@pytest.fixture
async def far(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """The composed app, with the front before its storage account."""
    changes = {"AzureWebJobsStorage": front.connection_string}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        # The container is there, so that requests can be counted.
        await app.parts.conversation_state._storage.write({"x": {}})
        yield app


def remembering(app: ComposedApp) -> RememberingBot:
    """A bot that counts."""
    return RememberingBot(app.parts)


# One state


def turn_context() -> TurnContext:
    """A turn that nobody keeps apart from others."""
    activity = Activity(
        type="message",
        channel_id="webchat",
        conversation=ConversationAccount(id="c"),
        from_property=ChannelAccount(id="u"),
    )
    return TurnContext(TestAdapter(), activity)


@pytest.mark.parametrize("kind", [ConversationState, UserState])
async def test_they_are_the_sdk_s(kind: type[Any]) -> None:
    """Without the middleware they work as botbuilder's: loaded on use, saved on request."""
    storage = MemoryStorage()
    state = kind(storage)
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


async def test_nothing_is_saved_unchanged() -> None:
    """A state that is as it was is not written, unless it must be."""
    storage = MemoryStorage()
    state = ConversationState(storage)
    name = state.create_property("name")
    turn = turn_context()
    await state.save_changes(turn)
    await state.load(turn)
    await state.save_changes(turn)
    assert storage._items == {}
    await name.set(turn, [1])
    await state.save_changes(turn)
    (before,) = storage._items.values()
    await name.set(turn, [1])
    await state.save_changes(turn)
    assert list(storage._items.values()) == [before]
    await state.save_changes(turn, force=True)
    assert list(storage._items.values()) != [before]


async def test_it_is_loaded_anew_by_force() -> None:
    """What was changed and not saved is dropped then."""
    storage = MemoryStorage()
    state = ConversationState(storage)
    name = state.create_property("name")
    turn = turn_context()
    await name.set(turn, "mine")
    await state.load(turn)
    assert await name.get(turn) == "mine"
    await storage.write({"webchat/conversations/c": {"name": "theirs"}})
    await state.load(turn, force=True)
    assert await name.get(turn) == "theirs"


async def test_clearing_and_deleting() -> None:
    """What is cleared is gone when it is saved, what is deleted, at once."""
    storage = MemoryStorage()
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
    assert storage._items == {}
    assert await name.get(turn) is None


async def test_it_can_be_deleted_unread() -> None:
    """A turn that has not looked at the state deletes what is stored all the same."""
    storage = MemoryStorage()
    await storage.write({"webchat/users/u": {"name": "Ada"}})
    await UserState(storage).delete(turn_context())
    assert storage._items == {}


async def test_it_can_be_cleared_unread() -> None:
    """A turn that has not looked at the state clears what is stored all the same."""
    storage = MemoryStorage()
    state = UserState(storage)
    await storage.write({"webchat/users/u": {"name": "Ada"}})
    turn = turn_context()
    await state.clear_state(turn)
    await state.save_changes(turn)
    assert (await storage.read(["webchat/users/u"]))["webchat/users/u"].keys() == {"e_tag"}


def test_ids_are_kept_for_a_while() -> None:
    """The last hundred, oldest first, in what is written only."""
    state = LoadedState({"x": 1, TURNS: [f"{number}" for number in range(MOST_TURNS)]})
    item = state.item("new")
    assert item[TURNS] == [f"{number}" for number in range(1, MOST_TURNS)] + ["new"]
    assert state.state == {"x": 1}
    state.written(item)
    assert state.turns == item[TURNS]
    assert LoadedState({"x": 1}).item("") == {"x": 1}


Item = dict[str, Any]


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
def test_changes_are_merged(was: Item, mine: Item, theirs: Item, merged: Item) -> None:
    """What only one of two turns has changed, added or taken away is as he left it."""
    state = LoadedState({**was, "e_tag": "1"})
    state.state.clear()
    state.state.update(mine)
    state.merge({**theirs, "e_tag": "2", TURNS: ["theirs"]})
    assert state.state == merged
    assert state.item("mine") == {**merged, "e_tag": "2", TURNS: ["theirs", "mine"]}


@pytest.mark.parametrize(
    ("was", "mine", "theirs"),
    [
        ({}, {"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),  # two that count have both counted
        ({"a": 1}, {"a": 2}, {}),
        ({"a": 1}, {}, {"a": 2}),
        ({"a": {"x": 1}}, {"a": {"x": 1, "y": 2}}, {"a": {"x": 2}}),
        ({"a": 1}, {"a": 2}, None),
    ],
)
def test_changes_that_collide(was: Item, mine: Item, theirs: Item | None) -> None:
    """What both have changed is nobody's to decide."""
    state = LoadedState({**was, "e_tag": "1"})
    state.state.clear()
    state.state.update(mine)
    with pytest.raises(StateConflict, match="'a'"):
        state.merge(theirs)


async def test_writers_without_end() -> None:
    """A turn that never finds the state as it was gives up."""

    class Restless(MemoryStorage):
        writes = 0

        async def write(self, changes: Any) -> None:
            self.writes += 1
            for key in changes:
                await super().write({key: {"other": self.writes, "e_tag": "*"}})
            await super().write(changes)

    storage = Restless()
    state = ConversationState(storage)
    turn = turn_context()
    await state.create_property("mine").set(turn, 1)
    with pytest.raises(StateConflict, match="all the time"):
        await state.save_changes(turn)
    assert storage.writes == MOST_WRITES


# In turns


async def test_every_turn_counts(app: ComposedApp) -> None:
    """Fifty turns of a conversation at once count to fifty, each number said once."""
    bot = remembering(app)
    responses = await asyncio.gather(*(app.deliver(MESSAGE, bot) for _ in range(50)))
    assert {response.status for response in responses} == {200}
    assert await counts(app) == (50, 50)
    assert sorted(map(int, said(app))) == list(range(1, 51))
    assert bot.runs == 50


async def test_a_property_may_have_any_name(app: ComposedApp) -> None:
    """What is stored beside the properties takes the place of none."""
    state = app.parts.conversation_state
    names = [state.create_property(name) for name in ("turns", "saved", "state", "_", "é")]

    async def bot(turn: TurnContext) -> None:
        for name in names:
            await name.set(turn, (await name.get(turn, lambda: 0)) + 1)
            await turn.send_activity(f"{await name.get(turn)}")

    for _ in range(2):
        await app.deliver(MESSAGE, bot)
    assert said(app) == ["1"] * 5 + ["2"] * 5


async def test_conversations_of_one_user(app: ComposedApp) -> None:
    """Turns of several conversations run at once, and the user's state takes what each changes."""
    bot = remembering(app)
    ids = [app.cloud.conversations.create([app.account]).id for _ in range(4)]

    async def other(turn: TurnContext) -> None:
        name = app.parts.user_state.create_property(turn.activity.conversation.id)
        await name.set(turn, turn.activity.conversation.id)
        await asyncio.sleep(0)

    await app.deliver(MESSAGE, bot)
    deliveries = [app.deliver({**MESSAGE, "conversation": {"id": each}}, other) for each in ids]
    assert {each.status for each in await asyncio.gather(*deliveries)} == {200}
    user = await stored(app, USER_KEY)
    assert {each: user[each] for each in ids} == {each: each for each in ids}
    assert user["total"] == 1
    assert len(user[TURNS]) == 5


async def test_another_property_that_changes_meanwhile(app: ComposedApp) -> None:
    """A turn that finds another property changed at its end saves on top of it, in one run."""
    bot = remembering(app)

    async def meanwhile(_: TurnContext) -> None:
        await changed(app, conversation_key(app), "note", "theirs")

    bot.between = meanwhile
    assert (await app.deliver(MESSAGE, bot)).status == 200
    item = await stored(app, conversation_key(app))
    assert (item["count"], item["note"], bot.runs) == (1, "theirs", 1)


async def test_the_same_property_that_changes_meanwhile(app: ComposedApp) -> None:
    """A turn that finds its property changed runs again, on what is stored now."""
    bot = remembering(app)

    async def once(_: TurnContext) -> None:
        bot.between = None
        await changed(app, conversation_key(app), "count", 10)

    bot.between = once
    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert await counts(app) == (11, 1)
    assert (bot.runs, said(app)) == (2, ["1", "11"])


async def test_a_property_that_changes_all_the_time(app: ComposedApp) -> None:
    """After some runs the channel is told to come again, and nothing of the turn is saved."""
    bot = remembering(app)

    async def meanwhile(_: TurnContext) -> None:
        await changed(app, conversation_key(app), "count", 10 * bot.runs)

    bot.between = meanwhile
    with pytest.raises(StateConflict, match="'count'"):
        await app.deliver(MESSAGE, bot)
    assert bot.runs == MAX_RUNS == 3
    assert (await counts(app))[0] == 10 * MAX_RUNS
    assert APOLOGY not in said(app)


async def test_a_second_run_has_the_activity_as_it_was(app: ComposedApp) -> None:
    """What the first run has made of the activity is not what the second one sees."""
    bot = remembering(app)
    texts = []

    async def meanwhile(turn: TurnContext) -> None:
        texts.append(turn.activity.text)
        turn.activity.text = "spoiled"
        if bot.runs == 1:
            await changed(app, conversation_key(app), "count", 10)

    bot.between = meanwhile
    await app.deliver(MESSAGE, bot)
    assert texts == ["hello", "hello"]


# Again


async def test_a_second_delivery(app: ComposedApp) -> None:
    """It changes nothing, says nothing, and is answered like the first."""
    bot = remembering(app)
    for _ in range(3):
        response = await app.deliver({**MESSAGE, "id": "a1"}, bot)
        assert (response.status, response.body) == (200, b"")
    assert await counts(app) == (1, 1)
    assert said(app) == ["1"]


async def test_second_deliveries_at_once(app: ComposedApp) -> None:
    """The same, when they come together."""
    bot = remembering(app)
    deliveries = [app.deliver({**MESSAGE, "id": f"a{number % 4}"}, bot) for number in range(20)]
    assert {each.status for each in await asyncio.gather(*deliveries)} == {200}
    assert await counts(app) == (4, 4)
    assert sorted(said(app)) == ["1", "2", "3", "4"]


async def test_the_same_id_elsewhere(app: ComposedApp) -> None:
    """An id is one of its conversation's."""
    other = app.cloud.conversations.create([app.account])
    bot = remembering(app)
    await app.deliver({**MESSAGE, "id": "a1"}, bot)
    await app.deliver({**MESSAGE, "id": "a1", "conversation": {"id": other.id}}, bot)
    assert await counts(app) == (1, 2)


@pytest.mark.parametrize(
    "content", [{**MESSAGE, "id": None}, INVOKE, {**MESSAGE, "deliveryMode": "expectReplies"}]
)
async def test_what_is_answered_each_time(app: ComposedApp, content: Item) -> None:
    """What needs an answer of its own, or has no id, is no repetition, and none of it fails."""
    bot = remembering(app)
    for number in range(1, 4):
        response = await app.deliver({"id": "a1", **content}, bot)
        assert response.status == (501 if content is INVOKE else 200)
        assert bot.runs == number
    assert await counts(app) == (3, 3)


# Faults


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503])
async def test_a_state_that_cannot_be_read(
    far: ComposedApp, front: StorageFront, status: int
) -> None:
    """There is no turn on an empty state in its place: the channel comes again."""
    bot = remembering(far)
    await far.deliver(MESSAGE, bot)
    front.spoil(READ, answered(status))
    with pytest.raises(StorageUnavailable):
        await far.deliver(MESSAGE, bot)
    assert said(far) == ["1"]
    front.heal()
    await far.deliver(MESSAGE, bot)
    assert said(far) == ["1", "2"]


async def test_a_user_s_state_that_is_saved_alone(far: ComposedApp, front: StorageFront) -> None:
    """When the conversation's cannot be saved, the next delivery does not count the user twice."""
    bot = remembering(far)
    front.spoil(WRITE, answered(403), skip=1)
    with pytest.raises(StorageUnavailable):
        await far.deliver({**MESSAGE, "id": "a1"}, bot)
    front.heal()
    assert await counts(far) == (None, 1)
    before = front.count(WRITE)
    await far.deliver({**MESSAGE, "id": "a1"}, bot)
    assert await counts(far) == (1, 1)
    assert front.count(WRITE) == before + 1
    assert bot.runs == 2


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("turns", [1, 2])
async def test_a_write_whose_answer_is_lost(
    far: ComposedApp, front: StorageFront, skip: int, turns: int
) -> None:
    """It is known again by the turn's id: the turn runs once, and counts once."""
    bot = remembering(far)
    for _ in range(turns - 1):
        await far.deliver(MESSAGE, bot)
    front.spoil(WRITE, cut_after, times=1, skip=skip)
    assert (await far.deliver(MESSAGE, bot)).status == 200
    assert await counts(far) == (turns, turns)
    assert bot.runs == turns


async def test_a_lost_answer_and_another_writer(far: ComposedApp, front: StorageFront) -> None:
    """Even when somebody writes between the two attempts, the turn is known by its id."""
    bot = remembering(far)

    async def theirs() -> None:
        await changed(far, conversation_key(far), "note", "theirs")

    front.spoil(WRITE, cut_after, times=1, skip=1)
    # Its own write is not a first one, and goes through.
    front.spoil(WRITE, after(theirs), times=1)
    assert (await far.deliver(MESSAGE, bot)).status == 200
    assert await counts(far) == (1, 1)
    assert (await stored(far, conversation_key(far)))["note"] == "theirs"
    assert bot.runs == 1


async def test_two_processes(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str) -> None:
    """Deliveries that two instances of the app take, some of them twice, count once each."""
    changes = {"AzureWebJobsStorage": storage}
    async with (
        ComposedApp(cloud, monkeypatch, changes) as one,
        ComposedApp(cloud, monkeypatch, changes) as other,
    ):
        place = {"conversation": {"id": one.conversation.id}}
        deliveries = [
            app.deliver({**MESSAGE, **place, "id": f"a{number}"}, remembering(app))
            for number in range(6)
            for app in (one, other)
        ]
        assert {each.status for each in await asyncio.gather(*deliveries)} == {200}
        assert await counts(one) == (6, 6)
        assert sorted(said(one)) == ["1", "2", "3", "4", "5", "6"]


# Never


async def test_nothing_is_pickled(app: ComposedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on the way in nor out does a pickler of any kind have a part."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pickled")

    for owner, name in (
        (jsonpickle.pickler.Pickler, "flatten"),
        (jsonpickle.unpickler.Unpickler, "restore"),
        (pickle, "dumps"),
        (pickle, "loads"),
    ):
        monkeypatch.setattr(owner, name, refuse)
    bot = remembering(app)
    for _ in range(2):
        await app.deliver(MESSAGE, bot)
    assert said(app) == ["1", "2"]


async def test_an_object_in_the_state(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """It is the bot's mistake: nothing is saved, and the log names the property and the cure."""
    bot = remembering(app)

    async def spoil(turn: TurnContext) -> None:
        await bot.count.set(turn, {"who": turn.activity.from_property})

    bot.between = spoil
    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert said(app) == ["1", APOLOGY]
    assert "state.count{} is a ChannelAccount" in caplog.text
    assert (await counts(app))[0] is None


async def test_an_activity_that_was_made_before() -> None:
    """Its turn does not get the state at all."""
    storage = MemoryStorage()
    state = ConversationState(storage)
    turn = turn_context()
    turn.activity.id = "a1"

    class Turn:
        id = "0123"

        async def begin(self) -> None:
            """No other turns."""

    turn.turn_state["ConversationTurn"] = Turn()
    await storage.write({"webchat/conversations/c": {TURNS: ["0123"]}})
    with pytest.raises(TurnRepeated):
        await state.load(turn)
