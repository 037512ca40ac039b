"""Queued turns: what is saved with a turn's state, so that one write says that it is processed."""

from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace

import pytest
from botbuilder.core import Bot, TurnContext

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.bot.services import BotServices
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.state.lock import HeldLock
from cloud_adapter.state.stored_state import InboxPosition, LoadedState
from cloud_adapter.storage.blobs import name_part
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.bots.remembering_bot import (
    RememberingBot,
    changed,
    conversation_key,
    counts,
)
from tests.support.storage.storage_front import StorageFront, answered

MESSAGE = {"type": "message", "text": "hello", "id": "a1"}
WRITE, READ = "PUT blob bot-state", "GET blob bot-state"
POSITION = InboxPosition(0, 10)


@pytest.fixture
async def held(far: ComposedApp) -> AsyncIterator[HeldLock]:
    """The conversation, locked as by a drain, whose next turn gets a position."""
    name = name_part(conversation_key(far))
    await far.parts.locks.create(name)
    async with far.parts.locks.lock(name, 0) as held:
        held.position = POSITION
        yield held


def saved(held: HeldLock) -> tuple[int, InboxPosition | None]:
    """The number of turns' ids that are saved, and the position."""
    state = LoadedState(held.blob)
    return len(state.turn_ids), state.position


async def deliver(app: ComposedApp, bot: Logic, content: Mapping[str, object] = MESSAGE) -> None:
    """A turn that ends without an error."""
    assert (await app.deliver(content, bot)).status == 200


async def say(turn: TurnContext) -> None:
    """A bot without state."""
    await turn.send_activity("x")


async def test_a_turn_with_state(far: ComposedApp, held: HeldLock, front: StorageFront) -> None:
    """Its changes, its id and the position are written at once, and its state is not read again."""
    bot = RememberingBot(far.parts)
    before = front.count(WRITE), front.count(READ)
    await deliver(far, bot)
    assert (front.count(WRITE), front.count(READ)) == (before[0] + 2, before[1] + 1)
    assert saved(held) == (1, POSITION)
    assert held.position is None
    assert await counts(far) == (1, 1)
    await deliver(far, bot)
    assert far.texts() == ["1"]


async def test_a_turn_without_state(far: ComposedApp, held: HeldLock, front: StorageFront) -> None:
    """Its id and the position are written."""
    before = front.count(WRITE)
    for _ in range(2):
        await deliver(far, say)
    assert (saved(held), front.count(WRITE)) == ((1, POSITION), before + 1)
    assert far.texts() == ["x"]


async def test_a_turn_without_an_id(far: ComposedApp, held: HeldLock) -> None:
    """The position is written."""
    await deliver(far, say, {**MESSAGE, "id": None})
    assert saved(held) == (0, POSITION)


async def test_changes_that_are_not_to_be_saved(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without automatic saving, what the bot has not saved is not written with the position."""

    def create_bot(services: BotServices) -> Bot:
        services.auto_save_state = False
        return SimpleNamespace(on_turn=None)

    async with ComposedApp(cloud, monkeypatch, create_bot=create_bot) as app:
        async with app.parts.locks.lock(name_part(conversation_key(app)), 0) as held:
            held.position = POSITION
            await deliver(app, RememberingBot(app.parts))
            assert saved(held) == (1, POSITION)
        assert (await counts(app), app.texts()) == ((None, None), ["1"])


async def test_a_turn_that_fails(far: ComposedApp, held: HeldLock) -> None:
    """Neither is written, not even with what the error handler saves: the turn may run again."""
    bot = RememberingBot(far.parts)

    async def on_error(turn: TurnContext, _: Exception) -> None:
        await bot.count.set(turn, 100)

    async def fail(_: TurnContext) -> None:
        raise LookupError

    far.parts.adapter.on_turn_error = on_error
    await deliver(far, fail)
    assert (saved(held), (await counts(far))[0]) == ((0, None), 100)


async def test_a_turn_that_saves_and_fails(far: ComposedApp, held: HeldLock) -> None:
    """Both are written at once, with `force`: the turn does not run again."""
    bot = RememberingBot(far.parts)

    async def save(turn: TurnContext) -> None:
        await far.parts.services.conversation_state.save_changes(turn, force=True)
        assert saved(held) == (1, POSITION)
        raise LookupError

    bot.between = save
    await deliver(far, bot)
    assert saved(held) == (1, POSITION)


async def test_a_turn_within(far: ComposedApp, held: HeldLock) -> None:
    """A turn within a queued one writes neither: the outer turn may still fail."""
    inner = RememberingBot(far.parts)

    async def continue_and_fail(turn: TurnContext) -> None:
        reference = TurnContext.get_conversation_reference(turn.activity)
        app_id = far.cloud.registration.app_id
        await far.parts.adapter.continue_conversation(reference, inner, app_id)
        raise LookupError

    await deliver(far, continue_and_fail)
    assert (saved(held), (await counts(far))[0]) == ((0, None), 1)


async def test_an_activity_that_the_bot_moves(far: ComposedApp, held: HeldLock) -> None:
    """The position belongs to the conversation that the activity came from."""

    async def move(turn: TurnContext) -> None:
        turn.activity.conversation.id = "elsewhere"

    await deliver(far, move)
    assert saved(held) == (1, POSITION)


async def test_the_position_alone(far: ComposedApp, held: HeldLock, front: StorageFront) -> None:
    """It is written on top of what others have written, and stays where it is if that fails."""
    await changed(far, conversation_key(far), "note", "theirs")
    await held.write_position(POSITION)
    state = LoadedState(held.blob)
    assert (state.state, state.position) == ({"note": "theirs"}, POSITION)
    front.spoil(WRITE, answered(403))
    with pytest.raises(StorageUnavailable):
        await held.write_position(InboxPosition(0, 20))
    assert saved(held) == (0, POSITION)
