"""Turns whose state others write: invokes, here and in other processes, and other turns."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.storage.blob.aio import BlobClient, BlobLeaseClient
from botbuilder.core import TurnContext

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.errors import ConversationBusy
from cloud_adapter.state.lock import BACKOFF, MAX_WRITE_WAIT_SECONDS
from cloud_adapter.state.stored_state import CONTAINER
from cloud_adapter.storage.blobs import name_part
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import (
    USER_KEY,
    RememberingBot,
    changed,
    conversation_key,
    counts,
    stored,
)
from tests.support.storage.moved_leases import OPENING_SECONDS, opened
from tests.support.storage.storage_front import StorageFront
from tests.support.timing.condition import comes_true
from tests.support.timing.locked_turn import LockedTurn, is_free
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

MESSAGE = {"type": "message", "text": "hello"}
INVOKE = {"type": "invoke", "name": "task/fetch", "value": {}}
READ, WRITE = "GET blob bot-state", "PUT blob bot-state"


class LongBot(RememberingBot):
    """A bot whose first turn goes on until the test ends it.

    Attributes:
        started: it has changed the state.
        ends: lets it end.
    """

    def __init__(self, app: ComposedApp) -> None:
        super().__init__(app.parts, self._wait)
        self._locks = app.parts.locks
        self.started, self.ends = asyncio.Event(), asyncio.Event()

    async def _wait(self, _: TurnContext) -> None:
        self.started.set()
        await self.ends.wait()

    async def begin(self, app: ComposedApp) -> "asyncio.Task[Any]":
        """A turn that has begun."""
        task = asyncio.create_task(app.deliver(MESSAGE, self))
        await self.started.wait()
        return task

    async def end(self, task: "asyncio.Task[Any]") -> None:
        """Let it end, and its lease be released."""
        self.ends.set()
        assert (await task).status == 200
        await self._locks.close()


@pytest.fixture
async def other(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str, far: ComposedApp
) -> AsyncIterator[ComposedApp]:
    """Another process, in the same conversation."""
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as other:
        other.conversation = far.conversation
        await other.deliver(MESSAGE, RememberingBot(other.parts))
        await other.parts.locks.close()
        yield other


@pytest.fixture
async def lease(storage: str, other: ComposedApp) -> AsyncIterator[BlobLeaseClient]:
    """Ends the conversation's lease, as time does for a process that stands still."""
    name = name_part(conversation_key(other))
    async with BlobClient.from_connection_string(storage, CONTAINER, name) as blob:
        yield BlobLeaseClient(blob)


def press(app: ComposedApp) -> Any:
    """An invoke's turn, which changes a property of its own."""
    note = app.parts.services.conversation_state.create_property("note")

    async def bot(turn: TurnContext) -> None:
        await note.set(turn, "pressed")

    return bot


async def test_an_invoke_in_another_process(
    far: ComposedApp, other: ComposedApp, clock: MovedClock, front: StorageFront
) -> None:
    """It saves while a long turn runs, which keeps its lease, and nothing is lost."""
    bot = LongBot(far)
    with clock.stopped():
        turn = await bot.begin(far)
        invoke = asyncio.create_task(other.deliver(INVOKE, press(other)))
        await clock.until(lambda: bool(clock.sleeping()))
        assert not invoke.done()
    await opened(front, clock)
    assert (await invoke).status == 501
    assert not turn.done()
    assert not await is_free(other.parts.locks, name_part(conversation_key(far)))
    await bot.end(turn)
    item = await stored(far, conversation_key(far))
    assert (item["count"], item["note"], bot.runs) == (2, "pressed", 1)
    assert await is_free(other.parts.locks, name_part(conversation_key(far)))


async def test_a_turn_after_another_process_s_invoke(
    far: ComposedApp, other: ComposedApp, clock: MovedClock, front: StorageFront
) -> None:
    """A turn that gets an open lease passed on reads the state, and sees what the invoke wrote."""
    seen = []
    note = far.parts.services.conversation_state.create_property("note")

    async def look(turn: TurnContext) -> None:
        seen.append(await note.get(turn))

    first = await LockedTurn.start(far.parts.locks, name_part(conversation_key(far)))
    await opened(front, clock)
    second = asyncio.create_task(far.deliver(MESSAGE, look))
    await comes_true(lambda: bool(clock.hurried()))  # it waits for the lock
    await other.deliver(INVOKE, press(other))
    before = front.count(READ)
    await first.end()
    await second
    assert seen == ["pressed"]
    assert front.count(READ) == before + 1


@pytest.mark.usefixtures("stopped_clock")  # each renewal is a request
async def test_an_invoke_here(far: ComposedApp, other: ComposedApp, front: StorageFront) -> None:
    """It saves under this process's lease, and the turn that has the lock needs no second write."""
    bot = LongBot(far)
    turn = await bot.begin(far)
    before = front.count("")
    assert (await far.deliver(INVOKE, press(far))).status == 501
    names = [call.name for call in front.calls[before:] if call.name.endswith("bot-state")]
    assert (sorted(names[:-1]), names[-1]) == ([READ, READ], WRITE)
    before = front.count(WRITE)
    await bot.end(turn)
    assert front.count(WRITE) == before + 2
    assert (await stored(other, conversation_key(far)))["note"] == "pressed"
    assert await counts(other) == (2, 2)


async def test_a_turn_after_an_invoke_here(far: ComposedApp, clock: MovedClock) -> None:
    """A turn to which the state is passed on sees what the invoke has written meanwhile."""
    await far.deliver(MESSAGE, RememberingBot(far.parts))
    note, seen = far.parts.services.conversation_state.create_property("note"), []

    async def look(turn: TurnContext) -> None:
        seen.append(await note.get(turn))

    first = await LockedTurn.start(far.parts.locks, name_part(conversation_key(far)))
    second = asyncio.create_task(far.deliver(MESSAGE, look))
    await comes_true(lambda: bool(clock.hurried()))  # it waits for the lock
    await far.deliver(INVOKE, press(far))
    await first.end()
    await second
    assert seen == ["pressed"]


async def test_a_lease_that_ended(
    far: ComposedApp, other: ComposedApp, lease: BlobLeaseClient, front: StorageFront
) -> None:
    """If nobody has taken it, the turn saves without it."""
    bot = LongBot(far)
    turn = await bot.begin(far)
    await lease.break_lease(0)
    before = front.count(READ)
    await bot.end(turn)
    assert front.count(READ) == before
    assert await counts(other) == (2, 2)


async def test_a_lease_that_another_process_took(
    far: ComposedApp, other: ComposedApp, lease: BlobLeaseClient, clock: MovedClock
) -> None:
    """The turn saves on top of what the other process has written, once its lease is open."""
    bot = LongBot(far)
    with clock.stopped():
        turn = await bot.begin(far)
        await lease.break_lease(0)
        theirs = await LockedTurn.start(other.parts.locks, name_part(conversation_key(far)))
        await changed(other, conversation_key(far), "note", "theirs")
        bot.ends.set()
        await clock.until(lambda: bool(clock.sleeping()))
        assert (await stored(other, conversation_key(far)))["count"] == 1
        clock.move(OPENING_SECONDS)
    assert (await turn).status == 200
    item = await stored(other, conversation_key(far))
    assert (item["count"], item["note"], bot.runs) == (2, "theirs", 1)
    assert not theirs.task.done()
    await theirs.end()


async def test_a_turn_that_waits_for_another_process(
    far: ComposedApp, other: ComposedApp, clock: MovedClock
) -> None:
    """It sees what the other process's turn has written, if that is the user's state alone, too."""
    bot = RememberingBot(far.parts)
    theirs = await LockedTurn.start(other.parts.locks, name_part(conversation_key(far)))
    turn = asyncio.create_task(far.deliver(MESSAGE, bot))
    await comes_true(lambda: bool(clock.sleeping()))
    await changed(other, USER_KEY, "total", 20)
    await theirs.end()
    clock.move(BACKOFF.longest)
    assert (await turn).status == 200
    assert (await counts(other), bot.runs) == ((2, 21), 1)


async def test_a_lease_that_never_opens(
    far: ComposedApp, other: ComposedApp, lease: BlobLeaseClient, clock: MovedClock
) -> None:
    """Where a process has died in the first second of its turn, an invoke fails after a while."""
    await lease.acquire(15)
    invoke = asyncio.create_task(other.deliver(INVOKE, press(other)))
    waited = 0.0
    while not invoke.done():
        await comes_true(lambda: bool(clock.sleeping()) or invoke.done())
        clock.move(0.5)
        waited += 0.5
        await settled()
    with pytest.raises(ConversationBusy, match="keeps state from being written"):
        await invoke
    assert waited <= MAX_WRITE_WAIT_SECONDS + 1
    await lease.release()
    assert (await far.deliver(INVOKE, press(far))).status == 501


async def test_first_turns_in_two_processes(
    cloud: Cloud, far: ComposedApp, other: ComposedApp
) -> None:
    """Both may run at the same time, but each activity counts once."""
    for _ in range(10):
        conversation = cloud.conversations.create([{"id": "user-1"}, far.account])
        far.conversation = other.conversation = conversation
        before = (await counts(far))[1]
        deliveries = [app.deliver(MESSAGE, RememberingBot(app.parts)) for app in (far, other)]
        assert {each.status for each in await asyncio.gather(*deliveries)} == {200}
        assert await counts(far) == (2, before + 2)
        assert {"1", "2"} == set(far.texts())
        await asyncio.gather(*(app.parts.locks.close() for app in (far, other)))
        assert await is_free(far.parts.locks, name_part(conversation_key(far)))
