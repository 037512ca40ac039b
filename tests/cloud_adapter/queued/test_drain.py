"""Drain: attempts, outages and damaged blobs, none of which blocks the activities behind."""

import asyncio
import logging

import pytest
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from auth.errors import Unavailable
from cloud_adapter.errors import TurnFailed, TurnRepeated
from cloud_adapter.queued.drain import MAX_ATTEMPTS, MAX_DRAIN_SECONDS, MAX_OUTAGE_SECONDS
from cloud_adapter.queued.queued_turns import FIRST_BUSY_PAUSE_SECONDS
from cloud_adapter.queued.stored_activity import DONE, FAILED, WAITING, AcceptedActivity
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.request import read_activity
from cloud_adapter.state.lock import EMPTY_STATE
from cloud_adapter.state.stored_json import CONTAINER as STATE
from cloud_adapter.storage.account import StorageAccount
from tests.support.bots.queued_turns import CONVERSATION, QueuedTurnsBot, content, name_of
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront
from tests.support.timing.condition import comes_true, found
from tests.support.timing.locked_turn import LockedTurn
from tests.support.timing.moved_clock import MovedClock


async def stored(turns: QueuedTurnsBot) -> AcceptedActivity:
    """What is stored of the activity `a`."""
    at = await turns.inbox.read(name_of())
    assert at
    return at.parse()


async def die() -> None:
    """A turn whose process ends."""
    raise asyncio.CancelledError


async def test_a_turn_that_fails(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """It is attempted five times; the last attempt knows that it is; then it is dead-lettered."""
    one.script["a"] = [LookupError(f"no table {number}") for number in range(9)]
    await one.accept(content())
    (message,) = await messages.taken()
    for attempts in range(1, MAX_ATTEMPTS):
        with pytest.raises(TurnFailed, match="tried again"):
            await one.wake_up(message, attempts)
        assert await one.state() == (WAITING, attempts)
        assert one.lasts == []
    await one.wake_up(message, MAX_ATTEMPTS)
    assert one.runs == ["a"] * MAX_ATTEMPTS
    assert one.lasts == ["a"]
    assert await one.state() == (FAILED, MAX_ATTEMPTS)
    assert await poison.taken() == [WakeUp(name_of()).text]
    accepted = await stored(one)
    assert accepted.failure.endswith("LookupError: no table 4")
    assert "in _run_turn" in accepted.failure
    assert accepted.activity.text == "hello"
    await one.wake_up(message)
    await one.accept(content())
    for again in await messages.taken():
        await one.wake_up(again)
    assert len(one.runs) == MAX_ATTEMPTS


async def test_the_stored_traceback_is_redacted(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """A failure that quotes the user is stored without the quotation."""
    one.script["a"] = [ValueError("cannot parse 'sesame'")] * MAX_ATTEMPTS
    await one.accept(content(text="open sesame"))
    (message,) = await messages.taken()
    for attempts in range(1, MAX_ATTEMPTS):
        with pytest.raises(TurnFailed):
            await one.wake_up(message, attempts)
    await one.wake_up(message, MAX_ATTEMPTS)
    failure = (await stored(one)).failure
    assert "sesame" not in failure
    assert "ValueError" in failure


async def test_a_failure_blocks_nobody(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Those behind it run on any wake-up message, the failed turn on its own."""
    one.script.update({"a": [LookupError()], "b": [LookupError()]})
    for each in "abc":
        await one.accept(content(each))
    first, second, third = await messages.taken()
    with pytest.raises(TurnFailed):
        await one.wake_up(first)
    assert one.runs == ["a"]
    await one.wake_up(third)  # `b` fails, and this message is not its own
    assert one.runs == ["a", "b", "c"]
    await one.wake_up(first, 2)
    await one.wake_up(second)
    assert one.runs == ["a", "b", "c", "a", "b"]


async def test_an_attempt_that_ends_its_process(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """A redelivered message counts an attempt before it starts; other messages leave it out."""
    one.script["a"] = [die, die]
    for each in "ab":
        await one.accept(content(each))
    first, second = await messages.taken()
    for dequeue_count in (1, 2):
        with pytest.raises(asyncio.CancelledError):
            await one.wake_up(first, dequeue_count)
    assert await one.state() == (WAITING, 1)
    await other.wake_up(second)
    assert other.runs == ["b"]
    await other.wake_up(first, 3)
    assert other.runs == ["b", "a"]
    assert await one.state() == (DONE, 0)


async def test_a_turn_that_always_ends_its_process(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """It is dead-lettered after five attempts, even if a dead process's lease delays messages."""
    one.script["a"] = [die] * 9
    await one.accept(content())
    (message,) = await messages.taken()
    with pytest.raises(asyncio.CancelledError):
        await one.wake_up(message)
    lease = await LockedTurn.start(other.locks, CONVERSATION)
    await one.wake_up(message, 2)
    await lease.end()
    (message,) = await found(messages.taken, FIRST_BUSY_PAUSE_SECONDS + 5)
    for attempts in range(1, MAX_ATTEMPTS + 1):
        with pytest.raises(asyncio.CancelledError):
            await one.wake_up(message)
        assert await one.state() == (WAITING, attempts)
    await one.wake_up(message)
    assert one.runs == ["a"] * (MAX_ATTEMPTS + 1)
    assert one.killed == ["a"]
    assert (await one.state())[0] == FAILED
    assert await poison.taken() == [WakeUp(name_of()).text]
    assert (await stored(one)).failure.endswith("RuntimeError: killed")


async def test_an_attempt_counts_once(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """It is counted before it starts or after it fails, but not twice."""
    one.script["a"] = [LookupError()] * 2
    await one.accept(content())
    (message,) = await messages.taken()
    for dequeue_count in (3, 4):
        with pytest.raises(TurnFailed):
            await one.wake_up(message, dequeue_count)
    assert await one.state() == (WAITING, 2)


@pytest.mark.parametrize("dequeue_count", [1, 4])
async def test_an_unavailable_turn(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages, dequeue_count: int
) -> None:
    """It gets a later wake-up message, and loses no attempt."""
    one.script["a"] = [Unavailable("later")] * 20
    await one.accept(content())
    (message,) = await messages.taken()
    for _ in range(2 * MAX_ATTEMPTS):
        await one.wake_up(message, dequeue_count)
        assert await messages.count() == 1
        await messages.clear()
        message = WakeUp.parse(message).next(1).text
    assert await one.state() == (WAITING, 0)
    assert one.lasts == []
    one.script.clear()
    await one.wake_up(message)
    assert await one.state() == (DONE, 0)
    assert await poison.count() == 0


async def test_a_busy_conversation_that_the_bot_writes_to(
    one: QueuedTurnsBot,
    other: QueuedTurnsBot,
    messages: QueueMessages,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """ConversationBusy of the bot's own call makes its turn unavailable; the log has a warning."""
    busy = await LockedTurn.start(other.locks, "elsewhere")

    async def write_elsewhere() -> None:
        async with one.locks.lock("elsewhere", 0):
            raise AssertionError

    one.script["a"] = [write_elsewhere] * 2
    await one.accept(content())
    (message,) = await messages.taken()
    second = WakeUp.parse(message).next(1)
    for text in (message, second.text):
        await one.wake_up(text)
    await busy.end()
    assert [each.levelno for each in caplog.records] == [logging.WARNING] * 2
    assert f"A turn in {CONVERSATION} must wait: another turn" in caplog.text
    assert await one.state() == (WAITING, 0)
    # The pauses of an outage, not of a busy conversation: both messages are visible soon.
    seen = await found(messages.taken) + await found(messages.taken)
    assert [WakeUp.parse(each).retries for each in seen] == [1, 2]
    await one.wake_up(second.text)
    assert one.runs == ["a"] * 3


async def test_a_long_outage(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """After an hour the activity is dead-lettered, and those behind it are processed."""
    one.script["a"] = [Unavailable("no role")] * 3
    for each in "ab":
        await one.accept(content(each))
    message, _ = await messages.taken()
    one.clock_ahead = MAX_OUTAGE_SECONDS - 10
    await one.wake_up(message)
    assert await poison.count() == 0
    one.clock_ahead = MAX_OUTAGE_SECONDS + 1
    await one.wake_up(WakeUp.parse(message).next(1).text)
    assert one.runs == ["a", "a", "b"]
    assert (await one.state())[0] == FAILED
    assert await poison.taken() == [WakeUp(name_of()).text]
    assert (await stored(one)).failure.endswith("Unavailable: no role")


async def test_a_lost_lease(account: StorageAccount, messages: QueueMessages, storage: str) -> None:
    """Where another process may have locked the conversation, no further turn starts."""
    one = QueuedTurnsBot(account, renewal_seconds=0.1)

    async def lose() -> None:
        async with BlobClient.from_connection_string(storage, STATE, CONVERSATION) as blob:
            await BlobLeaseClient(blob).break_lease(0)
            theirs = await blob.acquire_lease(15)
            await comes_true(lambda: one.locks.lease_lost(CONVERSATION))
            await theirs.release()

    one.script["a"] = [lose]
    for each in "ab":
        await one.accept(content(each))
    _, second = await messages.taken()
    await one.wake_up(second)
    assert one.runs == ["a"]
    assert await messages.count() == 1
    await one.wake_up(WakeUp.parse(second).next(1).text)
    assert one.runs == ["a", "b"]


async def test_a_long_drain(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, clock: MovedClock
) -> None:
    """After MAX_DRAIN_SECONDS it leaves the rest to other wake-up messages."""

    async def step() -> None:
        before = front.count("PUT blob lease")
        clock.move(MAX_DRAIN_SECONDS / 8 + 1)
        await comes_true(lambda: front.count("PUT blob lease") > before and not clock.hurried())

    async def long() -> None:
        for _ in range(4):
            await step()  # in which the lease is renewed

    await far.locks.write(CONVERSATION, EMPTY_STATE, None)

    far.script.update({each: [long] for each in "abcd"})
    for each in "abcd":
        await far.accept(content(each))
    texts = await messages.taken()
    await far.wake_up(texts[3])
    assert far.runs == ["a", "b"]
    assert await messages.count() == 1  # for `d`, which this message names
    await far.wake_up(texts[2])
    assert far.runs == ["a", "b", "c", "d"]


async def test_an_unreadable_activity(
    one: QueuedTurnsBot,
    messages: QueueMessages,
    poison: QueueMessages,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is dead-lettered, and those behind it are processed."""
    for each in "ab":
        await one.accept(content(each))
    first, _ = await messages.taken()
    at = await one.inbox.find(name_of("a"))
    assert at
    await one.blobs.write(name_of("a"), b'{"claims": {', "*", at.metadata(WAITING, 0))
    await one.wake_up(first)
    assert one.runs == ["b"]
    assert (await one.state())[0] == FAILED
    assert await poison.taken() == [WakeUp(name_of()).text]
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    await one.wake_up(first)


async def test_deep_nesting(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """An activity that could just be read when it arrived blocks nobody when its turn runs."""

    def body(depth: int) -> bytes:
        return content().replace(b'"hello"', b'"x", "value": ' + b"[" * depth + b"]" * depth)

    def is_read(depth: int) -> bool:
        try:
            read_activity(body(depth))
        except Exception:  # noqa: BLE001  # whatever it is, it was not accepted
            return False
        return True

    low, high = 1, 400_000
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_read(middle) else (low, middle - 1)
    one.script["a"] = [TurnRepeated("where it can be read all the same")]
    await one.turns.enqueue(read_activity(content()), body(low), {})
    await one.accept(content("b"))
    first, _ = await messages.taken()
    await one.wake_up(first)
    assert one.runs[-1] == "b"


async def test_an_emptied_activity_that_waits(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """One that was processed and is requeued is finished again without a turn."""
    await one.accept(content())
    (message,) = await messages.taken()
    await one.wake_up(message)
    at = await one.inbox.find(name_of())
    assert at
    await one.inbox.requeue(at)
    await one.wake_up(message)
    assert await one.state() == (DONE, 0)
    assert one.runs == ["a"]


async def test_markers_that_were_left(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Markers of activities that are processed or gone are deleted."""
    for each in ("done", "gone", "a"):
        await one.accept(content(each))
    done, *_ = await messages.taken()
    left = [await one.inbox.find(name_of(each)) for each in ("done", "gone")]
    await one.wake_up(done)
    await one.accept(content("b"))
    for at in left:
        assert at
        await one.inbox.mark(at)
    await one.blobs.delete(name_of("gone"))
    assert len(await one.inbox.waiting(CONVERSATION)) == 3
    for each in await messages.taken():
        await one.wake_up(each)
    assert await one.inbox.waiting(CONVERSATION) == {}
    assert one.runs == ["done", "gone", "a", "b"]


async def test_a_wake_up_before_the_marker(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """The activity that a message names is processed even if its marker is missing."""
    await one.accept(content())
    (message,) = await messages.taken()
    for marker in (await one.inbox.waiting(CONVERSATION)).values():
        await one.inbox.unmark(marker)
    await one.wake_up(message)
    assert one.runs == ["a"]
