"""AutoSaveStateMiddleware: when state is saved and when not, waiting turns, turns within turns."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest
from botbuilder.core import TurnContext

from auth.errors import Unavailable
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.deadlines import FIRST_STATE_SECONDS
from cloud_adapter.errors import ConversationBusy, StorageUnavailable
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import (
    RememberingBot,
    conversation_key,
    counts,
    stored,
)
from tests.support.storage.storage_front import StorageFront, answered
from tests.support.timing.locked_turn import is_free
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

MESSAGE = {"type": "message", "text": "hello"}
INVOKE = {"type": "invoke", "name": "task/fetch", "value": {}}

Within = Callable[[TurnContext], Awaitable[None]]


async def continued(turn: TurnContext, app: ComposedApp, conversation: str, logic: Within) -> None:
    """Run a proactive turn in a conversation, within another turn."""
    reference = TurnContext.get_conversation_reference(turn.activity)
    reference.conversation.id = conversation
    app_id = app.cloud.registration.app_id
    await app.parts.adapter.continue_conversation(reference, logic, app_id)


async def test_it_is_saved_after_the_replies(app: ComposedApp, bot: RememberingBot) -> None:
    """When the reply is sent nothing is stored yet: a turn that is cut off can run again."""
    seen = []

    async def logic(turn: TurnContext) -> None:
        await bot(turn)
        seen.append((app.texts(), await counts(app)))

    await app.deliver(MESSAGE, logic)
    assert seen == [(["1"], (None, None))]
    assert await counts(app) == (1, 1)


@pytest.mark.parametrize("error", [LookupError("no table"), Unavailable("later")])
async def test_a_turn_that_raises_saves_nothing(
    app: ComposedApp, bot: RememberingBot, error: Exception
) -> None:
    """The next turn starts from what was stored before."""

    async def logic(turn: TurnContext) -> None:
        await bot(turn)
        raise error

    if isinstance(error, Unavailable):
        with pytest.raises(Unavailable):
            await app.deliver({**MESSAGE, "id": "a1"}, logic)
    else:
        assert (await app.deliver({**MESSAGE, "id": "a1"}, logic)).status == 200
        assert app.texts() == ["1", APOLOGY]
    assert await counts(app) == (None, None)
    await app.deliver({**MESSAGE, "id": "a1"}, bot)
    assert await counts(app) == (1, 1)


async def test_a_turn_without_state(app: ComposedApp) -> None:
    """A bot that does not use state stores nothing, not even turn ids."""

    async def logic(turn: TurnContext) -> None:
        await turn.send_activity("x")

    await app.deliver({**MESSAGE, "id": "a1"}, logic)
    await app.deliver({**MESSAGE, "id": "a1"}, logic)
    assert app.texts() == ["x", "x"]
    assert await stored(app, conversation_key(app)) == {}


async def test_a_turn_that_only_reads(app: ComposedApp, bot: RememberingBot) -> None:
    """It stores nothing either."""

    async def logic(turn: TurnContext) -> None:
        await turn.send_activity(f"{await bot.count.get(turn)}")

    await app.deliver(MESSAGE, logic)
    assert app.texts() == ["None"]
    assert await stored(app, conversation_key(app)) == {}


async def test_an_invoke_does_not_wait(app: ComposedApp, bot: RememberingBot) -> None:
    """It runs while another turn of the conversation runs; both turns' changes are stored."""
    note = app.parts.services.conversation_state.create_property("note")
    answer = []

    async def press(turn: TurnContext) -> None:
        await note.set(turn, "pressed")

    async def wait(_: TurnContext) -> None:
        answer.append(await asyncio.create_task(app.deliver(INVOKE, press)))

    bot.between = wait
    await app.deliver(MESSAGE, bot)
    assert answer[0].status == 501
    item = await stored(app, conversation_key(app))
    assert (item["count"], item["note"]) == (1, "pressed")
    assert bot.runs == 1


async def test_properties_that_are_set_concurrently(app: ComposedApp) -> None:
    """None of them is lost when each of them loads the state."""
    state = app.parts.services.conversation_state
    names = [f"x{number}" for number in range(5)]

    async def set_all(turn: TurnContext) -> None:
        await asyncio.gather(*(state.create_property(name).set(turn, 1) for name in names))

    await app.deliver(MESSAGE, set_all)
    item = await stored(app, conversation_key(app))
    assert [item[name] for name in names] == [1] * 5


async def test_a_lock_timeout(app: ComposedApp, bot: RememberingBot, clock: MovedClock) -> None:
    """A turn that waits too long is unavailable before the channel gives up on it."""
    started, ends = asyncio.Event(), asyncio.Event()

    async def wait(_: TurnContext) -> None:
        started.set()
        await ends.wait()

    await app.deliver(MESSAGE, bot)  # the conversation is leased: nothing is sent beside the turns
    bot.between = wait
    first = asyncio.create_task(app.deliver(MESSAGE, bot))
    await started.wait()
    await settled()
    second = asyncio.create_task(app.deliver(MESSAGE, bot))
    await settled()
    clock.move(FIRST_STATE_SECONDS + 0.1)
    with pytest.raises(ConversationBusy) as caught:
        await second
    assert caught.value.retry_after
    ends.set()
    assert (await first).status == 200
    assert (await counts(app))[0] == 2


async def test_a_lease_that_cannot_be_acquired(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> None:
    """A turn that uses state does not run without its conversation's lease."""
    front.spoil("PUT blob lease", answered(403))
    changes = {"AzureWebJobsStorage": front.connection_string}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        with pytest.raises(StorageUnavailable, match="Storage Blob Data Owner"):
            await app.deliver(MESSAGE, RememberingBot(app.parts))
        assert app.texts() == []


async def test_a_turn_within_a_turn(app: ComposedApp, bot: RememberingBot) -> None:
    """A proactive turn in the same conversation does not wait for the turn around it."""
    note = app.parts.services.conversation_state.create_property("note")

    async def say(turn: TurnContext) -> None:
        await note.set(turn, "by the way")
        await turn.send_activity("by the way")

    async def within(turn: TurnContext) -> None:
        await continued(turn, app, app.conversation.id, say)

    bot.between = within
    assert (await app.deliver(MESSAGE, bot)).status == 200
    item = await stored(app, conversation_key(app))
    assert (item["count"], item["note"], bot.runs) == (1, "by the way", 1)
    assert app.texts() == ["by the way", "1"]


async def test_there_and_back(app: ComposedApp, bot: RememberingBot) -> None:
    """Nor does one within a proactive turn in another conversation, or after one."""
    other = app.cloud.conversations.create([app.account])
    note = app.parts.services.conversation_state.create_property("note")

    async def say(turn: TurnContext) -> None:
        await note.set(turn, (await note.get(turn, lambda: "")) + "x")

    async def say_and_return(turn: TurnContext) -> None:
        await say(turn)
        await continued(turn, app, app.conversation.id, say)

    async def within(turn: TurnContext) -> None:
        await continued(turn, app, other.id, say_and_return)
        await continued(turn, app, app.conversation.id, say)

    bot.between = within
    assert (await app.deliver(MESSAGE, bot)).status == 200
    item = await stored(app, conversation_key(app))
    assert (item["count"], item["note"], bot.runs) == (1, "xx", 1)
    assert (await stored(app, f"webchat/conversations/{other.id}"))["note"] == "x"
    for each in (app.conversation.id, other.id):
        assert await is_free(app.parts.locks, f"webchat~2Fconversations~2F{each}")


async def test_a_proactive_turn(app: ComposedApp, bot: RememberingBot) -> None:
    """Outside of any turn it loads and saves state as every other turn, each time it runs."""
    references = []

    async def remember(turn: TurnContext) -> None:
        references.append(turn.activity)

    await app.deliver(MESSAGE, remember)
    reference = TurnContext.get_conversation_reference(references[0])
    app_id = app.cloud.registration.app_id
    for _ in range(2):
        await app.parts.adapter.continue_conversation(reference, bot, app_id)
    assert (await stored(app, conversation_key(app)))["count"] == 2


async def test_a_locked_conversation_s_turn(app: ComposedApp, bot: RememberingBot) -> None:
    """If its caller has locked the conversation, a processed activity is found before it runs."""

    async def talk_first(turn: TurnContext) -> None:
        await turn.send_activity("let me see")
        await bot(turn)

    for _ in range(2):
        async with app.parts.locks.lock(f"webchat~2Fconversations~2F{app.conversation.id}", 0):
            await app.deliver({**MESSAGE, "id": "a1"}, talk_first)
    assert app.texts() == ["let me see", "1"]


async def test_no_reference_cycles(app: ComposedApp, bot: RememberingBot) -> None:
    """A turn leaves nothing for the garbage collector to find, nor does a lease's release."""
    await app.deliver(MESSAGE, bot)
    await app.parts.locks.close()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(5):
            await app.deliver(MESSAGE, bot)
            await app.parts.locks.close()
        gc.collect()
        left = {type(each).__name__ for each in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left.isdisjoint(
        {"_ConversationLock", "_BlobLease", "HeldLock", "ConversationTurn", "TurnContext"}
    )
