"""CloudAdapter: nobody is answered after the channel has gone, and nothing is cut off half-way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from botbuilder.core import Middleware, TurnContext

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.deadlines import (
    FIRST_STATE_SECONDS,
    MIN_FIRST_STATE_SECONDS,
    START_SECONDS,
)
from cloud_adapter.errors import ConversationBusy, StartTimedOut, StorageUnavailable
from cloud_adapter.proactive.references import CONTAINER as REFERENCES
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import RememberingBot, changed, conversation_key, counts
from tests.support.logic import INVOKE, MESSAGE, echo, woken
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, after
from tests.support.timing.condition import comes_true
from tests.support.timing.locked_turn import is_free
from tests.support.timing.loop_turns import ended, settled
from tests.support.timing.moved_clock import MovedClock

UPDATE = {"type": "conversationUpdate", "membersAdded": [{"id": "user-2"}]}
LEASE, READ = "PUT blob lease bot-state", "GET blob bot-state"


@pytest.fixture
async def far_app(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """The app, with inline turns, and the front before its storage account."""
    settings = {"AzureWebJobsStorage": front.connection_string}
    async with ComposedApp(cloud, monkeypatch, settings) as app:
        yield app


@pytest.fixture
def _healed(cloud: Cloud) -> Iterator[None]:
    """The cloud's services, which the test spoils, work again afterwards."""
    yield
    cloud.channel.server.faults.clear()
    cloud.identity.server.faults.clear()


class Held:
    """A step that storage waits for, until the test lets it go on.

    Attributes:
        arrived: a request waits.
        goes_on: lets it go on.
    """

    def __init__(self) -> None:
        self.arrived, self.goes_on = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        """The step."""
        self.arrived.set()
        await self.goes_on.wait()


@pytest.mark.usefixtures("_healed")
async def test_slow_keys(app: ComposedApp, clock: MovedClock) -> None:
    """Two fetches of five seconds each would be too long."""
    server = app.cloud.channel.server
    server.faults.set(silent=True)
    app.parts.keys.prefetch()
    before = server.requests.total()
    await comes_true(lambda: server.requests.total() > before)
    turn = asyncio.create_task(app.deliver(MESSAGE, echo))
    await settled()
    clock.move(5.1)
    await comes_true(lambda: server.requests.total() > before + 1)
    clock.move(START_SECONDS - 5)
    with pytest.raises(StartTimedOut, match="the signing key that proves the caller took too long"):
        await ended(turn)
    server.faults.clear()
    clock.move(5.1)
    assert (await app.deliver(MESSAGE, echo)).status == 200


@pytest.mark.usefixtures("_healed")
async def test_a_slow_token(
    app: ComposedApp, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Its request goes on behind the answer, without anybody who waits for it."""
    server = app.cloud.identity.server
    server.faults.set(silent=True)
    before = server.requests.total()
    turn = asyncio.create_task(app.deliver({**MESSAGE, "id": "a1"}, echo))
    await comes_true(lambda: server.requests.total() > before)
    clock.move(START_SECONDS + 0.1)
    with pytest.raises(StartTimedOut, match="the bot's token took too long") as caught:
        await ended(turn)
    assert caught.value.retry_after
    assert "Turn 'message' 'a1' in " in caplog.text
    assert "StartTimedOut" in caplog.text
    assert app.texts() == []
    server.faults.clear()
    token = await app.parts.tokens.get("https://api.botframework.com")
    requests = server.requests.total()
    assert (await app.deliver(MESSAGE, echo)).status == 200
    assert (token.value != "", server.requests.total()) == (True, requests)


async def test_a_turn_that_is_cancelled(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """The log does not blame a service, if it was not too slow."""
    bot = Held()
    turn = asyncio.create_task(app.deliver(MESSAGE, lambda _: bot()))
    await bot.arrived.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ended(turn)
    assert StartTimedOut.__name__ not in caplog.text


async def test_slow_references(
    far_app: ComposedApp, clock: MovedClock, front: StorageFront
) -> None:
    """An update's turn does not start, and there is no apology."""
    held = Held()
    front.spoil(f"GET blob {REFERENCES}", after(held))
    turn = asyncio.create_task(far_app.deliver(UPDATE, echo))
    await held.arrived.wait()
    clock.move(START_SECONDS + 0.1)
    with pytest.raises(
        StartTimedOut, match="storing an update in the storage account took too long"
    ):
        await ended(turn)
    assert far_app.texts() == []
    held.goes_on.set()


async def test_slow_storing(
    queued: ComposedApp, clock: MovedClock, front: StorageFront, wake_ups: QueueMessages
) -> None:
    """It goes on behind the answer, and a repeat is recognized: there is one turn."""
    held = Held()
    front.spoil("PUT blob appendblock", after(held), times=1)
    turn = asyncio.create_task(queued.deliver({**MESSAGE, "id": "a1"}, echo))
    await held.arrived.wait()
    clock.move(START_SECONDS + 0.1)
    with pytest.raises(
        StartTimedOut, match="storing the activity in the storage account took too long"
    ):
        await ended(turn)
    held.goes_on.set()
    assert (await queued.deliver({**MESSAGE, "id": "a1"}, echo)).status == 202
    for message in await wake_ups.taken():
        await woken(queued, message, echo)
    assert queued.texts() == ["You said: sesame"]


async def test_a_slow_bot(far_app: ComposedApp, clock: MovedClock) -> None:
    """Neither its middleware nor its `on_turn` is cut off, nor a second run after a conflict."""
    bot, within, around = RememberingBot(far_app.parts), Held(), Held()

    class Slow(Middleware):  # type: ignore[misc]  # untyped SDK base
        async def on_turn(self, context: TurnContext, logic: Any) -> None:
            await around()
            await logic()

    async def conflict(_: TurnContext) -> None:
        if bot.runs == 1:
            await within()
            await changed(far_app, conversation_key(far_app), "count", 5)

    far_app.parts.adapter.use(Slow())
    bot.between = conflict
    turn = asyncio.create_task(far_app.deliver(MESSAGE, bot))
    for step in (around, within):
        arrived = asyncio.create_task(step.arrived.wait())
        await asyncio.wait({arrived, turn}, return_when=asyncio.FIRST_COMPLETED)
        assert arrived.done()
        clock.move(START_SECONDS + 1)
        await settled()
        assert not turn.done()
        step.goes_on.set()
    assert (await turn).status == 200
    assert (bot.runs, await counts(far_app)) == (2, (6, 1))


async def test_state_that_is_asked_for_late(
    far_app: ComposedApp, clock: MovedClock, front: StorageFront
) -> None:
    """It is waited for three seconds, and for as long as it takes once there has been some."""
    lease, read, work, gave_up = Held(), Held(), Held(), asyncio.Event()
    remembering = RememberingBot(far_app.parts)

    async def bot(turn: TurnContext) -> None:
        await work()
        with pytest.raises(StorageUnavailable, match="too slow"):
            await remembering(turn)
        gave_up.set()
        front.heal()
        lease.goes_on.set()
        await remembering(turn)
        front.spoil(READ, after(read))
        await far_app.parts.services.conversation_state.load(turn, force=True)

    front.spoil(LEASE, after(lease))
    turn = asyncio.create_task(far_app.deliver(MESSAGE, bot))
    await work.arrived.wait()
    with clock.stopped():
        clock.move(20)
        work.goes_on.set()
        await clock.until(lambda: lease.arrived.is_set() or gave_up.is_set())
        clock.move(MIN_FIRST_STATE_SECONDS - 0.5)
        await settled()
        assert not gave_up.is_set()
        clock.move(0.5)
        await settled()
        assert gave_up.is_set()
    await read.arrived.wait()
    assert far_app.texts() == ["1"]
    clock.move(MIN_FIRST_STATE_SECONDS + 1)
    await settled()
    assert not turn.done()
    read.goes_on.set()
    assert (await turn).status == 200


async def test_a_busy_conversation(far_app: ComposedApp, clock: MovedClock) -> None:
    """The wait for its lock has the same deadline."""
    bot, long = RememberingBot(far_app.parts), Held()
    assert (await far_app.deliver(MESSAGE, bot)).status == 200
    bot.between = lambda _: long()
    first = asyncio.create_task(far_app.deliver(MESSAGE, bot))
    await long.arrived.wait()
    with clock.stopped():
        second = asyncio.create_task(far_app.deliver(MESSAGE, bot))
        await settled()
        clock.move(FIRST_STATE_SECONDS - 0.1)
        await settled()
        assert not second.done()
        clock.move(0.1)
        with pytest.raises(ConversationBusy, match="running in this process"):
            await ended(second)
    long.goes_on.set()
    assert (await first).status == 200


@pytest.mark.parametrize(("content", "call"), [(MESSAGE, LEASE), (MESSAGE, READ), (INVOKE, READ)])
async def test_first_state(
    far_app: ComposedApp,
    clock: MovedClock,
    front: StorageFront,
    content: dict[str, Any],
    call: str,
) -> None:
    """Lock, lease and read have one deadline, from the arrival on; no lease is left behind."""
    held, work = Held(), Held()
    remembering = RememberingBot(far_app.parts)
    assert (await far_app.deliver(MESSAGE, remembering)).status == 200
    await far_app.parts.locks.close()
    front.spoil(call, after(held))

    async def bot(turn: TurnContext) -> None:
        await work()
        await remembering(turn)

    turn = asyncio.create_task(far_app.deliver(content, bot))
    await work.arrived.wait()
    clock.move(5)
    work.goes_on.set()
    await held.arrived.wait()
    clock.move(FIRST_STATE_SECONDS - 5)
    with pytest.raises(StorageUnavailable, match="too slow"):
        await ended(turn)
    assert far_app.texts() == ["1"]
    front.heal()
    held.goes_on.set()
    name = f"webchat~2Fconversations~2F{far_app.conversation.id}"
    await far_app.parts.locks.close()
    assert await is_free(far_app.parts.locks, name)
    assert (await far_app.deliver(MESSAGE, remembering)).status == 200
