"""save_changes and delete: what bots call in the middle of a turn is saved once, with its id."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace

import pytest
from botbuilder.core import (
    AutoSaveStateMiddleware,
    Bot,
    BotStateSet,
    ConversationState,
    TurnContext,
)

from auth.errors import Unavailable
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.bot.services import BotServices
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
from tests.support.logic import raising
from tests.support.storage.storage_front import StorageFront, answered, cut_after

MESSAGE = {"type": "message", "text": "hello"}
INVOKE = {"type": "invoke", "name": "task/fetch", "value": {}}
WRITE = "PUT blob bot-state"

Step = Callable[[TurnContext], Awaitable[None]]


def saving(app: ComposedApp, *, force: bool = False) -> Step:
    """Save both states, as the SDK's samples do in `on_turn`."""
    both = BotStateSet([app.parts.services.conversation_state, app.parts.services.user_state])

    async def save(turn: TurnContext) -> None:
        await both.save_all_changes(turn, force)

    return save


@pytest.fixture
async def last_only(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, app_settings: dict[str, str]
) -> AsyncIterator[ComposedApp]:
    """The app of a bot that has turned automatic saving off."""

    def create_bot(services: BotServices) -> Bot:
        services.auto_save_state = False
        return SimpleNamespace(on_turn=None)

    async with ComposedApp(cloud, monkeypatch, app_settings, create_bot=create_bot) as app:
        yield app


async def test_saving_is_left_to_the_end(app: ComposedApp, bot: RememberingBot) -> None:
    """`save_changes` stores nothing yet: the turn might have to run again."""
    seen = []

    async def save(turn: TurnContext) -> None:
        await saving(app)(turn)
        seen.append(await counts(app))
        await app.parts.services.conversation_state.create_property("more").set(turn, True)

    bot.between = save
    for _ in range(2):
        assert (await app.deliver({**MESSAGE, "id": "a1"}, bot)).status == 200
    assert seen == [(None, None)]
    item = await stored(app, conversation_key(app))
    assert (item["count"], item["more"], len(item[TURN_IDS_KEY])) == (1, True, 1)
    assert (await counts(app), app.texts()) == ((1, 1), ["1"])


async def test_saving_costs_no_write(far: ComposedApp, front: StorageFront) -> None:
    """Three turns write each state three times, whether or not the bot saves them, too."""
    await far.deliver(MESSAGE, RememberingBot(far.parts))
    writes = []
    for between in (None, saving(far)):
        bot = RememberingBot(far.parts, between)
        before = front.count(WRITE)
        for _ in range(3):
            await far.deliver(MESSAGE, bot)
        writes.append(front.count(WRITE) - before)
    assert writes == [6, 6]


async def test_saving_and_raising(app: ComposedApp, bot: RememberingBot) -> None:
    """A turn that fails after `save_changes` has saved nothing, and can run again."""

    async def save(turn: TurnContext) -> None:
        await saving(app)(turn)
        raise Unavailable("later")

    bot.between = save
    with pytest.raises(Unavailable):
        await app.deliver({**MESSAGE, "id": "a1"}, bot)
    assert await counts(app) == (None, None)
    bot.between = None
    await app.deliver({**MESSAGE, "id": "a1"}, bot)
    assert app.texts() == ["1"]


async def test_a_second_delivery_after_503(far: ComposedApp, front: StorageFront) -> None:
    """A turn whose state could not be saved runs again, and each step counts once."""
    bot = RememberingBot(far.parts, saving(far))
    for skip in (0, 1):  # the user's state is saved first
        front.spoil(WRITE, answered(503), skip=skip)
        with pytest.raises(StorageUnavailable):
            await far.deliver({**MESSAGE, "id": f"a{skip}"}, bot)
        front.heal()
        for _ in range(2):
            assert (await far.deliver({**MESSAGE, "id": f"a{skip}"}, bot)).status == 200
    assert await counts(far) == (2, 2)


async def test_the_sdk_s_own_middleware(app: ComposedApp, bot: RememberingBot) -> None:
    """A bot may register it: it saves nothing twice."""
    app.parts.adapter.use(AutoSaveStateMiddleware([app.parts.services.conversation_state]))
    for _ in range(2):
        await app.deliver({**MESSAGE, "id": "a1"}, bot)
    assert (await counts(app), app.texts()) == ((1, 1), ["1"])


async def test_only_what_is_saved(last_only: ComposedApp) -> None:
    """With `auto_save_state = False` only states are stored whose `save_changes` was called."""
    bot = RememberingBot(last_only.parts)
    await last_only.deliver(MESSAGE, bot)
    assert await counts(last_only) == (None, None)
    bot.between = last_only.parts.services.user_state.save_changes
    for _ in range(2):
        await last_only.deliver({**MESSAGE, "id": "a1"}, bot)
    assert await counts(last_only) == (None, 1)
    bot.between = saving(last_only)
    for _ in range(2):
        await last_only.deliver({**MESSAGE, "id": "a2"}, bot)
    assert await counts(last_only) == (1, 2)


async def test_forced_saving(app: ComposedApp, bot: RememberingBot) -> None:
    """It stores at once, with the turn's id; what follows is stored at the end."""
    seen = []

    async def save(turn: TurnContext) -> None:
        for _ in range(2):
            await saving(app, force=True)(turn)
        item = await stored(app, conversation_key(app))
        seen.append((item["count"], len(item[TURN_IDS_KEY]), await counts(app)))
        await app.parts.services.conversation_state.load(turn, force=True)
        await app.parts.services.conversation_state.create_property("more").set(turn, True)

    bot.between = save
    for _ in range(2):
        assert (await app.deliver({**MESSAGE, "id": "a1"}, bot)).status == 200
    assert seen == [(1, 1, (1, 1))]
    item = await stored(app, conversation_key(app))
    assert (item["count"], item["more"], len(item[TURN_IDS_KEY])) == (1, True, 1)
    assert (await counts(app), app.texts()) == ((1, 1), ["1"])


async def test_forcing_a_state_that_is_not_loaded(app: ComposedApp) -> None:
    """The turn counts as processed from then on."""

    async def save(turn: TurnContext) -> None:
        await app.parts.services.conversation_state.save_changes(turn, force=True)
        await turn.send_activity("once")

    for _ in range(2):
        await app.deliver({**MESSAGE, "id": "a1"}, save)
    assert app.texts() == ["once"]


@pytest.mark.parametrize("error", [LookupError("no table"), Unavailable("later")])
async def test_failing_after_forced_saving(
    app: ComposedApp, bot: RememberingBot, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The turn cannot run again, so whatever fails is final: the user gets the apology."""

    async def fail(turn: TurnContext) -> None:
        await saving(app, force=True)(turn)
        raise error

    bot.between = fail
    for _ in range(2):
        assert (await app.deliver({**MESSAGE, "id": "a1"}, bot)).status == 200
    assert (await counts(app), app.texts()) == ((1, 1), [APOLOGY])
    assert f"{type(error).__name__}: {error}" in caplog.text


async def test_a_forced_write_that_fails(far: ComposedApp, front: StorageFront) -> None:
    """Nothing is saved, and the turn runs again."""
    bot = RememberingBot(far.parts, saving(far, force=True))
    front.spoil(WRITE, answered(403))
    with pytest.raises(StorageUnavailable):
        await far.deliver({**MESSAGE, "id": "a1"}, bot)
    front.heal()
    await far.deliver({**MESSAGE, "id": "a1"}, bot)
    assert (await counts(far), far.texts()) == ((1, 1), ["1"])


async def test_a_forced_write_whose_answer_is_lost(far: ComposedApp, front: StorageFront) -> None:
    """The turn recognizes it, and saves the rest on top of it."""

    async def save(turn: TurnContext) -> None:
        await saving(far, force=True)(turn)
        await bot.count.set(turn, 7)

    bot = RememberingBot(far.parts, save)
    front.spoil(WRITE, cut_after, times=1)
    assert (await far.deliver(MESSAGE, bot)).status == 200
    assert (await counts(far), bot.runs) == ((7, 1), 1)


async def test_a_conflict_after_forced_saving(
    app: ComposedApp, bot: RememberingBot, caplog: pytest.LogCaptureFixture
) -> None:
    """What another turn has saved stays, and the error is final."""

    async def meanwhile(turn: TurnContext) -> None:
        await saving(app, force=True)(turn)
        await changed(app, conversation_key(app), "count", 10)
        await bot.count.set(turn, 7)

    bot.between = meanwhile
    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert (await counts(app), bot.runs, app.texts()) == ((10, 1), 1, ["1", APOLOGY])
    assert StateConflict.__name__ in caplog.text


async def test_forced_saving_without_an_id(app: ComposedApp, bot: RememberingBot) -> None:
    """An activity that is processed each time is not committed: it can only run again."""

    async def save(turn: TurnContext) -> None:
        await saving(app, force=True)(turn)
        raise Unavailable("later")

    bot.between = save
    with pytest.raises(Unavailable):
        await app.deliver(INVOKE, bot)
    assert await counts(app) == (1, 1)


async def test_an_earlier_attempt_forced_the_user_s_state(
    app: ComposedApp, bot: RememberingBot
) -> None:
    """Only the conversation's state commits a turn; the user's is not saved twice."""

    async def save(turn: TurnContext) -> None:
        await app.parts.services.user_state.save_changes(turn, force=True)
        if bot.runs == 1:
            raise Unavailable("later")

    bot.between = save
    with pytest.raises(Unavailable):
        await app.deliver({**MESSAGE, "id": "a1"}, bot)
    assert await counts(app) == (None, 1)
    await app.deliver({**MESSAGE, "id": "a1"}, bot)
    assert await counts(app) == (1, 1)


async def test_saving_after_the_turn(app: ComposedApp, bot: RememberingBot) -> None:
    """A task that outlives its turn saves at once, because no end of the turn follows."""
    contexts = []

    async def keep(turn: TurnContext) -> None:
        contexts.append(turn)

    bot.between = keep
    await app.deliver({**MESSAGE, "id": "a1"}, bot)
    await bot.count.set(contexts[0], 5)
    await app.parts.services.conversation_state.save_changes(contexts[0])
    assert await counts(app) == (5, 1)


async def test_saving_after_other_turns(app: ComposedApp, bot: RememberingBot) -> None:
    """A task that outlives its turn saves on top of what it has read since."""
    contexts = []

    async def keep(turn: TurnContext) -> None:
        contexts.append(turn)

    bot.between = keep
    await app.deliver({**MESSAGE, "id": "a1"}, bot)
    await app.parts.locks.close()
    await changed(app, conversation_key(app), "count", 3)
    state = app.parts.services.conversation_state
    await state.load(contexts[0], force=True)
    await bot.count.set(contexts[0], await bot.count.get(contexts[0]) + 1)
    await state.save_changes(contexts[0])
    assert await counts(app) == (4, 1)


async def test_what_the_error_handler_reads(app: ComposedApp, bot: RememberingBot) -> None:
    """The state as it is stored, with what the failed turn has saved itself."""
    seen = []

    async def on_error(turn: TurnContext, _: Exception) -> None:
        seen.append((await bot.count.get(turn), await bot.total.get(turn)))

    async def save_and_fail(turn: TurnContext) -> None:
        await app.parts.services.user_state.save_changes(turn, force=True)
        raise LookupError

    app.parts.adapter.on_turn_error = on_error
    bot.between = save_and_fail
    await app.deliver(MESSAGE, bot)
    assert seen == [(None, 1)]


async def test_clearing(app: ComposedApp, bot: RememberingBot) -> None:
    """A cleared state has no properties left, but its turn's id is stored."""
    await app.deliver(MESSAGE, bot)

    async def clear(turn: TurnContext) -> None:
        bot.runs += 1
        await app.parts.services.conversation_state.clear_state(turn)
        await turn.send_activity("cleared")

    for _ in range(2):
        await app.deliver({**MESSAGE, "id": "a1"}, clear)
    assert app.texts() == ["1", "cleared"]
    assert (await stored(app, conversation_key(app))).keys() == {TURN_IDS_KEY}
    await app.deliver(MESSAGE, bot)
    assert app.texts()[-1] == "1"


@pytest.mark.parametrize("loads", [False, True])
async def test_deleting(app: ComposedApp, bot: RememberingBot, loads: bool) -> None:
    """A state is deleted at once, also what another turn has changed in it; ids stay."""
    await app.deliver({**MESSAGE, "id": "a1"}, bot)

    async def delete(turn: TurnContext) -> None:
        bot.runs += 1
        if loads:
            await bot.count.get(turn)
            await changed(app, conversation_key(app), "count", 10 * bot.runs)
        await app.parts.services.conversation_state.delete(turn)
        assert await bot.count.get(turn) is None
        assert (await stored(app, conversation_key(app))).keys() == {TURN_IDS_KEY}
        await turn.send_activity("deleted")

    for _ in range(2):
        assert (await app.deliver({**MESSAGE, "id": "a1"}, bot)).status == 200
        assert (await app.deliver({**MESSAGE, "id": "a2"}, delete)).status == 200
    assert (app.texts(), bot.runs) == (["1", "deleted"], 3 + 2)
    assert len((await stored(app, conversation_key(app)))[TURN_IDS_KEY]) == 2
    assert (await stored(app, USER_KEY))["total"] == 1


async def test_deleting_and_going_on(app: ComposedApp, bot: RememberingBot) -> None:
    """What the turn changes afterwards is saved at its end."""
    await app.deliver(MESSAGE, bot)

    async def delete_and_count(turn: TurnContext) -> None:
        await app.parts.services.conversation_state.delete(turn)
        await bot(turn)

    await app.deliver(MESSAGE, delete_and_count)
    assert (await counts(app), app.texts()) == ((1, 2), ["1", "1"])


async def test_a_bot_with_states_of_its_own(app: ComposedApp) -> None:
    """The SDK's ConversationState on our storage works beside ours, also in a locked turn."""
    own = ConversationState(app.parts.services.storage)
    count, ours = (
        own.create_property("count"),
        app.parts.services.conversation_state.create_property("x"),
    )

    async def bot(turn: TurnContext) -> None:
        for _ in range(2):
            await count.set(turn, await count.get(turn, lambda: 0) + 1)
            await own.save_changes(turn)
        await turn.send_activity(f"{await count.get(turn)} {await ours.get(turn)}")

    await app.deliver(MESSAGE, raising(LookupError()))
    for _ in range(2):
        async with app.parts.locks.lock(f"webchat~2Fconversations~2F{app.conversation.id}", 0):
            assert (await app.deliver(MESSAGE, bot)).status == 200
    assert app.texts() == [APOLOGY, "2 None", "4 None"]
