"""Drain: what it takes over, where it stops, and records that it cannot process."""

import asyncio
import logging

import pytest
from aiohttp.web import StreamResponse
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from auth.errors import Unavailable
from cloud_adapter.adapter import read_activity
from cloud_adapter.errors import TurnRepeated
from cloud_adapter.queued.drain import (
    MAX_AGE_WITHOUT_STATE_SECONDS,
    MAX_OUTAGE_SECONDS,
    NO_STATE,
)
from cloud_adapter.queued.inbox import FAILED
from cloud_adapter.queued.wake_up import BACKOFF, PAUSE_SECONDS, WakeUp
from cloud_adapter.state.stored_state import CONTAINER as STATE
from cloud_adapter.state.stored_state import MAX_TURN_IDS
from cloud_adapter.storage.account import StorageAccount
from tests.support.bots.queued_turns import CONVERSATION, QueuedTurnsBot, content, name_of
from tests.support.storage.broken_leases import dying
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import Pass, Passage, StorageFront, after
from tests.support.timing.condition import comes_true
from tests.support.timing.locked_turn import LockedTurn
from tests.support.timing.moved_clock import MovedClock


async def wake_up_all(turns: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Handle the wake-up messages that are in the queue."""
    for message in await messages.taken():
        await turns.wake_up(message)


async def test_activities_behind_an_unavailable_one(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """Those that a drain took over are covered by the message that it puts back."""

    async def more() -> None:
        await one.accept(content("b"))
        raise Unavailable("later")

    one.script["a"] = [more]
    await one.accept(content("a"))
    await one.wake_up((await messages.taken())[0])
    (message,) = await messages.taken()
    await one.wake_up(message)
    assert one.runs == ["a", "a", "b"]


async def test_activities_behind_one_that_ends_the_process(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages, storage: str
) -> None:
    """Those that a drain took over are processed when its own message is delivered again."""

    async def more() -> None:
        await one.accept(content("b"))

    one.script.update({"a": [more], "b": [dying(storage)]})
    await one.accept(content("a"))
    (message,) = await messages.taken()
    with pytest.raises(asyncio.CancelledError):
        await one.wake_up(message)
    assert await messages.count() == 0
    await other.wake_up(message, 2)
    await wake_up_all(other, messages)
    assert (one.runs, other.runs) == (["a", "b"], ["b"])
    assert await one.count() == 2


async def test_an_activity_that_comes_after_the_inbox_was_read(
    one: QueuedTurnsBot, far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """The drain that takes over its wake-up message reads the inbox again."""
    await one.accept(content("a"))
    await wake_up_all(one, messages)
    await one.accept(content("b"))
    (message,) = await messages.taken()

    async def more(_: Passage, passed: Pass) -> StreamResponse:
        answer = await passed()
        await one.accept(content("c"))
        await messages.clear()
        await far.wake_up(WakeUp(CONVERSATION).text)
        return answer

    front.spoil("GET blob bot-turns", more, times=1)
    await far.wake_up(message)
    assert far.runs == ["b", "c"]
    assert await messages.count() == 0


async def test_a_drain_that_another_process_overtakes(
    one: QueuedTurnsBot, far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """What is processed between its first read and its lease, it does not process again."""
    await one.accept(content("a"))
    await wake_up_all(one, messages)
    ids = [f"{number}" for number in range(MAX_TURN_IDS + 2)]
    for each in ids:
        await one.accept(content(each))
    (text, *_) = await messages.taken()
    front.spoil("PUT blob lease", after(lambda: one.wake_up(text)), times=1)
    await far.wake_up(text)
    assert (one.runs, far.runs) == (["a", *ids], [])
    assert await one.count() == len(ids) + 1


async def test_a_drain_that_is_overtaken_but_for_one_activity(
    one: QueuedTurnsBot, far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """It reads the inbox again, also if its wake-up message names no activities."""
    await one.accept(content("a"))
    await wake_up_all(one, messages)
    await one.accept(content("b"))

    async def overtake() -> None:
        await wake_up_all(one, messages)
        await one.accept(content("c"))

    front.spoil("PUT blob lease", after(overtake), times=1)
    await far.wake_up(WakeUp(CONVERSATION).text)
    assert (one.runs, far.runs) == (["a", "b"], ["c"])


async def test_a_busy_conversation_that_the_bot_writes_to(
    one: QueuedTurnsBot,
    other: QueuedTurnsBot,
    messages: QueueMessages,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """ConversationBusy of the bot's own call makes its turn unavailable; the log has a warning."""
    await one.states.write("elsewhere", b"{}", None)
    busy = await LockedTurn.start(other.locks, "elsewhere")

    async def write_elsewhere() -> None:
        async with one.locks.lock("elsewhere", 0):
            raise AssertionError

    one.script["a"] = [write_elsewhere] * 2
    await one.accept(content())
    for _ in range(2):
        await wake_up_all(one, messages)
    await busy.end()
    assert [each.levelno for each in caplog.records] == [logging.WARNING] * 2
    assert f"A turn in {CONVERSATION} must wait: another turn" in caplog.text
    assert one.queue.delays[-2:] == [BACKOFF.pause(1), BACKOFF.pause(2)]
    await wake_up_all(one, messages)
    assert one.runs == ["a"] * 3


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
    await one.wake_up((await messages.taken())[1])
    assert one.runs == ["a"]
    await wake_up_all(one, messages)
    assert one.runs == ["a", "b"]


async def test_a_long_drain(
    account: StorageAccount, messages: QueueMessages, stopped_clock: MovedClock
) -> None:
    """After `max_drain_seconds` it leaves the rest to another wake-up message."""
    # Leases and calls need shorter moves of the clock than a minute.
    one = QueuedTurnsBot(account, max_drain_seconds=1.0)

    async def long() -> None:
        stopped_clock.move(0.6)

    one.script.update({each: [long] for each in "abcd"})
    for each in "abcd":
        await one.accept(content(each))
    await one.wake_up((await messages.taken())[0])
    assert one.runs == ["a", "b"]
    assert one.queue.delays[-1] == PAUSE_SECONDS
    await wake_up_all(one, messages)
    assert one.runs == ["a", "b", "c", "d"]


async def test_an_unreadable_record(
    one: QueuedTurnsBot,
    messages: QueueMessages,
    poison: QueueMessages,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is dead-lettered, and those behind it are processed."""
    await one.accept(content("a"))
    await one.blobs.append(f"inbox/{CONVERSATION}", b'{"claims": {\n\x00\xff')
    await one.accept(content("b"))
    await one.accept(content("c"))
    await wake_up_all(one, messages)
    assert one.runs == ["a", "c"]
    assert await poison.count() == 2
    assert [each.levelno for each in caplog.records] == [logging.ERROR] * 2
    assert "cannot be read" in caplog.text


async def test_a_record_of_another_version(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """It waits an hour for the version that wrote it; then it is dead-lettered as it is."""
    await one.accept(content("a"))
    await one.settle(messages)
    await one.accept(content("b"))
    name = f"inbox/{CONVERSATION}"
    inbox = await one.blobs.read(name)
    assert inbox
    record = inbox.content.splitlines(keepends=True)[-1].replace(b'{"v": 1, ', b'{"v": 2, ')
    position = int(inbox.metadata["start"]) + len(inbox.content) - len(record)
    await one.blobs.create_append(name, inbox.etag, {"start": f"{position}"})
    await one.blobs.append(name, record)
    await one.accept(content("c"))
    await wake_up_all(one, messages)
    assert one.runs == ["a"]
    assert await poison.count() == 0
    one.clock_ahead = MAX_OUTAGE_SECONDS + 1
    await one.settle(messages)
    assert one.runs == ["a", "c"]
    found = await one.set_aside.find(name_of("b"))
    assert found
    assert (found.state, found.content) == (FAILED, record)
    assert await poison.count() == 1


async def test_a_state_of_another_version(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """The conversation waits, and its state stays as it is."""
    await one.states.write(CONVERSATION, b'[2,{"count":7}]', None)
    await one.accept(content("a"))
    await wake_up_all(one, messages)
    assert one.runs == []
    found = await one.states.read(CONVERSATION)
    assert found
    assert found.content == b'[2,{"count":7}]'
    assert (await messages.count(), await poison.count()) == (1, 0)


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
    await wake_up_all(one, messages)
    assert one.runs[-1] == "b"


async def test_a_conversation_without_state(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """If its state was deleted, records of the last hour run, and older ones are dead-lettered."""
    await one.accept(content("a"))
    one.clock_ahead = MAX_AGE_WITHOUT_STATE_SECONDS + 1
    await one.accept(content("b"))
    await wake_up_all(one, messages)
    assert one.runs == ["b"]
    assert await poison.taken() == [WakeUp(name_of()).text]
    letter = await one.set_aside.find(name_of())
    assert letter
    assert letter.parse().failure == NO_STATE
