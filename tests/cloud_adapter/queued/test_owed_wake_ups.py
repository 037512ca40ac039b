"""OwedWakeUps: whatever is in an inbox gets a wake-up message, also if storing it has failed."""

import asyncio

import pytest

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.queued.wake_up import BACKOFF, MAX_OWED_SECONDS, OwedWakeUps, WakeUp
from tests.support.bots.queued_turns import CONVERSATION, LongTurn, QueuedTurnsBot, content
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, after, answered, cut_after
from tests.support.timing.condition import comes_true, found
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

APPEND, PUT = "PUT blob appendblock", "POST queue"


async def put(bot: QueuedTurnsBot) -> None:
    """Wait until no wake-up message is owed."""
    await comes_true(lambda: not bot.turns._owed_wake_ups._tasks)


async def test_an_append_that_lands_after_a_failed_put(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """The channel gets an error, and need not send the activity again: its turn runs."""
    await far.accept(content("before"))
    await far.settle(messages)
    held = LongTurn()
    front.spoil(APPEND, after(held), times=1)
    front.spoil(PUT, answered(403), times=1)
    accepting = asyncio.create_task(far.accept(content()))
    await held.started.wait()
    await comes_true(lambda: any(call.name.startswith(PUT) for call in front.handled[-1:]))
    await settled()
    assert not accepting.done()
    held.ends.set()
    with pytest.raises(StorageUnavailable):
        await accepting
    await put(far)
    await far.settle(messages)
    assert far.runs == ["before", "a"]


async def test_an_append_whose_answer_is_lost(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """A drain that is running may end without the activity, which has no message of its own."""
    held = LongTurn()
    far.script["before"] = [held]
    await far.accept(content("before"))
    (text,) = await messages.taken()
    draining = asyncio.create_task(far.wake_up(text))
    await held.started.wait()
    front.spoil(APPEND, cut_after)
    with pytest.raises(StorageUnavailable):
        await far.accept(content())
    await put(far)
    held.ends.set()
    await draining
    assert await messages.taken() == [WakeUp(CONVERSATION).text]


async def test_later_messages_do_not_wait(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, clock: MovedClock
) -> None:
    """They are stored while a wake-up message is owed; one that is owed twice is put once more."""
    front.spoil(PUT, answered(403))
    with pytest.raises(StorageUnavailable):
        await far.accept(content("a"))
    before = front.count(PUT)
    await comes_true(lambda: front.count(PUT) > before)
    front.heal()
    await far.accept(content("b"))
    await far.settle(messages)
    assert far.runs == ["a", "b"]
    clock.move(BACKOFF.longest)
    await found(messages.count)
    assert await messages.taken() == [WakeUp(CONVERSATION).text]


async def test_one_that_is_owed_again(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """A put that is under way may be too early for what has been appended since."""
    await far.queue.put("other")  # the queue exists
    await messages.taken()
    held = LongTurn()
    front.spoil(PUT, after(held), times=1)
    owed = OwedWakeUps(far.queue)
    owed.add(CONVERSATION)
    await held.started.wait()
    before = front.count(PUT)
    owed.add(CONVERSATION)
    owed.add(CONVERSATION)
    for _ in range(10):
        await settled()
    assert front.count(PUT) == before
    held.ends.set()
    await comes_true(lambda: not owed._tasks)
    assert await messages.taken() == [WakeUp(CONVERSATION).text] * 2


async def test_an_outage_without_end(
    far: QueuedTurnsBot, front: StorageFront, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After a while, nothing is tried any more."""
    front.spoil(PUT, answered(403))
    owed = OwedWakeUps(far.queue)
    owed.add(CONVERSATION)
    start = clock.time()
    while owed._tasks and clock.time() < start + 2 * MAX_OWED_SECONDS:
        await clock.until(lambda: bool(clock.sleeping()) or not owed._tasks)
        clock.move(BACKOFF.longest)
        await settled()
    assert not owed._tasks
    assert clock.time() >= start + MAX_OWED_SECONDS - BACKOFF.longest
    assert "Stored activities wait until others arrive" in caplog.text
