"""State in turns: nothing is lost and nothing counted twice, whatever else writes or fails."""

import asyncio
from typing import Any

import pytest
from botbuilder.core import TurnContext

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY, MAX_RUNS
from cloud_adapter.errors import StateConflict, StorageUnavailable
from cloud_adapter.state.stored_state import TURN_IDS_KEY
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import (
    USER_KEY,
    RememberingBot,
    changed,
    conversation_key,
    counts,
    stored,
)
from tests.support.storage.storage_front import StorageFront, after, answered, cut_after

MESSAGE = {"type": "message", "text": "hello"}
INVOKE = {"type": "invoke", "name": "task/fetch", "value": {}}
READ, WRITE = "GET blob bot-state", "PUT blob bot-state"


async def test_every_turn_counts(app: ComposedApp, bot: RememberingBot) -> None:
    """Fifty concurrent turns of a conversation count to fifty, and say each number once."""
    responses = await asyncio.gather(*(app.deliver(MESSAGE, bot) for _ in range(50)))
    assert {response.status for response in responses} == {200}
    assert await counts(app) == (50, 50)
    assert sorted(map(int, app.texts())) == list(range(1, 51))
    assert bot.runs == 50


async def test_a_property_may_have_any_name(app: ComposedApp) -> None:
    """No name collides with what is stored beside the properties."""
    state = app.parts.services.conversation_state
    names = [state.create_property(name) for name in ("turns", "saved", "state", "_", "é")]

    async def bot(turn: TurnContext) -> None:
        for name in names:
            await name.set(turn, (await name.get(turn, lambda: 0)) + 1)
            await turn.send_activity(f"{await name.get(turn)}")

    for _ in range(2):
        await app.deliver(MESSAGE, bot)
    assert app.texts() == ["1"] * 5 + ["2"] * 5


async def test_conversations_of_one_user(app: ComposedApp, bot: RememberingBot) -> None:
    """Their turns run concurrently, and the user's state gets the changes of each."""
    ids = [app.cloud.conversations.create([app.account]).id for _ in range(4)]

    async def other(turn: TurnContext) -> None:
        name = app.parts.services.user_state.create_property(turn.activity.conversation.id)
        await name.set(turn, turn.activity.conversation.id)
        await asyncio.sleep(0)

    await app.deliver(MESSAGE, bot)
    deliveries = [app.deliver({**MESSAGE, "conversation": {"id": each}}, other) for each in ids]
    assert {each.status for each in await asyncio.gather(*deliveries)} == {200}
    user = await stored(app, USER_KEY)
    assert {each: user[each] for each in ids} == {each: each for each in ids}
    assert user["total"] == 1
    assert len(user[TURN_IDS_KEY]) == 5


async def test_another_property_changed_meanwhile(app: ComposedApp, bot: RememberingBot) -> None:
    """A turn saves on top of another turn's change of another property, without running again."""

    async def meanwhile(_: TurnContext) -> None:
        await changed(app, conversation_key(app), "note", "theirs")

    bot.between = meanwhile
    assert (await app.deliver(MESSAGE, bot)).status == 200
    item = await stored(app, conversation_key(app))
    assert (item["count"], item["note"], bot.runs) == (1, "theirs", 1)


async def test_the_same_property_changed_meanwhile(app: ComposedApp, bot: RememberingBot) -> None:
    """A turn whose property another turn has changed runs again, with what is stored now."""

    async def once(_: TurnContext) -> None:
        bot.between = None
        await changed(app, conversation_key(app), "count", 10)

    bot.between = once
    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert await counts(app) == (11, 1)
    assert (bot.runs, app.texts()) == (2, ["1", "11"])


async def test_a_property_that_keeps_changing(app: ComposedApp, bot: RememberingBot) -> None:
    """After three attempts the turn fails as unavailable, and saves nothing."""

    async def meanwhile(_: TurnContext) -> None:
        await changed(app, conversation_key(app), "count", 10 * bot.runs)

    bot.between = meanwhile
    with pytest.raises(StateConflict, match="'count'"):
        await app.deliver(MESSAGE, bot)
    assert bot.runs == MAX_RUNS == 3
    assert (await counts(app))[0] == 10 * MAX_RUNS
    assert APOLOGY not in app.texts()


async def test_a_second_attempt_has_the_original_activity(
    app: ComposedApp, bot: RememberingBot
) -> None:
    """What the first attempt changed in the activity is gone."""
    texts = []

    async def meanwhile(turn: TurnContext) -> None:
        texts.append(turn.activity.text)
        turn.activity.text = "spoiled"
        if bot.runs == 1:
            await changed(app, conversation_key(app), "count", 10)

    bot.between = meanwhile
    await app.deliver(MESSAGE, bot)
    assert texts == ["hello", "hello"]


async def test_a_second_delivery(app: ComposedApp, bot: RememberingBot) -> None:
    """It changes nothing, sends nothing, and is answered like the first delivery."""
    for _ in range(3):
        response = await app.deliver({**MESSAGE, "id": "a1"}, bot)
        assert (response.status, response.body) == (200, b"")
    assert await counts(app) == (1, 1)
    assert app.texts() == ["1"]


async def test_concurrent_deliveries(app: ComposedApp, bot: RememberingBot) -> None:
    """The same, when the deliveries of an activity are concurrent."""
    deliveries = [app.deliver({**MESSAGE, "id": f"a{number % 4}"}, bot) for number in range(20)]
    assert {each.status for each in await asyncio.gather(*deliveries)} == {200}
    assert await counts(app) == (4, 4)
    assert sorted(app.texts()) == ["1", "2", "3", "4"]


async def test_the_same_id_in_another_conversation(app: ComposedApp, bot: RememberingBot) -> None:
    """An activity's id identifies it within its conversation only."""
    other = app.cloud.conversations.create([app.account])
    await app.deliver({**MESSAGE, "id": "a1"}, bot)
    await app.deliver({**MESSAGE, "id": "a1", "conversation": {"id": other.id}}, bot)
    assert await counts(app) == (1, 2)


@pytest.mark.parametrize(
    "content", [{**MESSAGE, "id": None}, INVOKE, {**MESSAGE, "deliveryMode": "expectReplies"}]
)
async def test_what_is_answered_each_time(
    app: ComposedApp, bot: RememberingBot, content: dict[str, Any]
) -> None:
    """An activity that needs an answer each time, or has no id, is processed each time."""
    for number in range(1, 4):
        response = await app.deliver({"id": "a1", **content}, bot)
        assert response.status == (501 if content is INVOKE else 200)
        assert bot.runs == number
    assert await counts(app) == (3, 3)


async def test_a_state_that_cannot_be_read(far: ComposedApp, front: StorageFront) -> None:
    """The turn is unavailable, and does not run with an empty state."""
    bot = RememberingBot(far.parts)
    await far.deliver(MESSAGE, bot)
    front.spoil(READ, answered(403))
    with pytest.raises(StorageUnavailable):
        await far.deliver(MESSAGE, bot)
    assert far.texts() == ["1"]
    front.heal()
    await far.deliver(MESSAGE, bot)
    assert far.texts() == ["1", "2"]


async def test_a_user_s_state_that_is_saved_alone(far: ComposedApp, front: StorageFront) -> None:
    """When the conversation's cannot be saved, the next delivery does not count the user twice."""
    bot = RememberingBot(far.parts)
    await far.deliver(MESSAGE, bot)
    front.spoil(WRITE, answered(403), skip=1)
    with pytest.raises(StorageUnavailable):
        await far.deliver({**MESSAGE, "id": "a1"}, bot)
    front.heal()
    assert await counts(far) == (1, 2)
    before = front.count(WRITE)
    await far.deliver({**MESSAGE, "id": "a1"}, bot)
    assert await counts(far) == (2, 2)
    assert front.count(WRITE) == before + 1
    assert bot.runs == 3


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("turns", [1, 2])
async def test_a_write_whose_answer_is_lost(
    far: ComposedApp, front: StorageFront, skip: int, turns: int
) -> None:
    """The turn recognizes its write by the turn's id: it runs once, and counts once."""
    bot = RememberingBot(far.parts)
    for _ in range(turns - 1):
        await far.deliver(MESSAGE, bot)
    front.spoil(WRITE, cut_after, times=1, skip=skip)
    assert (await far.deliver(MESSAGE, bot)).status == 200
    assert await counts(far) == (turns, turns)
    assert bot.runs == turns


async def test_a_lost_answer_and_another_writer(far: ComposedApp, front: StorageFront) -> None:
    """The turn recognizes its write even when another turn writes between the two attempts."""
    bot = RememberingBot(far.parts)

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
    """Activities that are delivered to two instances of the app count once each."""
    changes = {"AzureWebJobsStorage": storage}
    async with (
        ComposedApp(cloud, monkeypatch, changes) as one,
        ComposedApp(cloud, monkeypatch, changes) as other,
    ):
        place = {"conversation": {"id": one.conversation.id}}
        await one.deliver(MESSAGE, RememberingBot(one.parts))
        deliveries = [
            app.deliver({**MESSAGE, **place, "id": f"a{number}"}, RememberingBot(app.parts))
            for number in range(6)
            for app in (one, other)
        ]
        assert {each.status for each in await asyncio.gather(*deliveries)} == {200}
        assert await counts(one) == (7, 7)
        assert sorted(one.texts()) == ["1", "2", "3", "4", "5", "6", "7"]


async def test_an_object_in_the_state(
    app: ComposedApp, bot: RememberingBot, caplog: pytest.LogCaptureFixture
) -> None:
    """The turn fails, saves nothing, and the log names the property and what to store instead."""

    async def spoil(turn: TurnContext) -> None:
        await bot.count.set(turn, {"adapter": turn.adapter})

    bot.between = spoil
    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert app.texts() == ["1", APOLOGY]
    assert "state.count{} is a CloudAdapter" in caplog.text
    assert (await counts(app))[0] is None
