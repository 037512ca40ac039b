"""QueuedTurns: what is accepted is processed once, in its order, in however many processes."""

import asyncio
import base64
import json

import pytest
from azure.storage.queue.aio import QueueClient

from auth.errors import Unavailable
from cloud_adapter.adapter import MAX_BODY_BYTES
from cloud_adapter.errors import UnknownFormat
from cloud_adapter.queued.inbox import Inbox
from cloud_adapter.queued.queued_turns import POISON_QUEUE
from cloud_adapter.queued.wake_up import BACKOFF, PAUSE_SECONDS, SLOW_APPEND_SECONDS, WakeUp
from cloud_adapter.state.stored_state import LoadedState
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.queue import MAX_MESSAGE_BYTES
from tests.support.bots.queued_turns import (
    CLAIMS,
    CONVERSATION,
    LongTurn,
    QueuedTurnsBot,
    content,
    id_of,
)
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, after
from tests.support.timing.condition import comes_true, found
from tests.support.timing.moved_clock import MovedClock


async def test_an_accepted_activity_is_processed(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """The wake-up message names it; the turn gets the activity and its caller's claims."""
    await one.accept(content(text="sesame"))
    (message,) = await messages.taken()
    assert json.loads(message) == {
        "v": 1,
        "inbox": CONVERSATION,
        "activities": [id_of()],
        "again": 0,
    }
    await one.wake_up(message)
    (accepted,) = one.accepted
    assert (accepted.activity.text, accepted.claims, accepted.failure) == ("sesame", CLAIMS, "")
    assert await messages.count() == 0
    assert one.lasts == []
    assert await one.count() == 1


async def test_repeated_deliveries(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """An activity that arrives several times, in any process and at any time, is processed once."""
    await asyncio.gather(*(each.accept(content()) for each in (one, other) * 2))
    for text in await messages.taken():
        await one.wake_up(text)
    await other.accept(content())
    for text in await messages.taken():
        await one.wake_up(text)
    assert one.runs + other.runs == ["a"]
    assert await one.count() == 1


async def test_a_repeated_delivery_hides_nothing(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """A batch that ends with an activity which is known is processed all the same, to its end."""
    await one.accept(content("a"))
    await one.wake_up((await messages.taken())[0])
    await asyncio.gather(*(one.accept(content(each)) for each in "xba"))
    for text in await messages.taken():
        await one.wake_up(text)
    assert one.runs == ["a", "x", "b"]
    position = LoadedState(await one.states.read(CONVERSATION)).position
    assert list(await Inbox(one.blobs, one.locks).read(CONVERSATION, position)) == []


async def test_activities_without_an_id(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Each is processed, because none can be recognized."""
    for _ in range(2):
        await one.accept(content(None))
    for text in await messages.taken():
        await one.wake_up(text)
    assert one.runs == [None, None]


async def test_the_order_of_acceptance(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Turns run in the order of their activities, whichever wake-up message comes first."""
    ids = ["z", "m", "a", "10", "9"]
    for each in ids:
        await one.accept(content(each))
    for text in (await messages.taken())[::-1]:
        await one.wake_up(text)
    assert one.runs == ids


async def test_an_activity_that_arrives_during_a_drain(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """The same drain processes it, and it needs no wake-up message."""

    async def more() -> None:
        await one.accept(content("b"))

    one.script["a"] = [more]
    await one.accept(content("a"))
    await one.wake_up((await messages.taken())[0])
    assert one.runs == ["a", "b"]
    assert await messages.count() == 0


async def test_a_drain_that_ends_during_an_append(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """An activity whose append began during a drain, and ended after it, gets a wake-up message."""
    await far.accept(content("a"))
    (message,) = await messages.taken()
    turn = LongTurn()
    far.script["a"] = [turn]
    drain = asyncio.create_task(far.wake_up(message))
    await turn.started.wait()

    async def end_drain() -> None:
        turn.ends.set()
        await drain

    front.spoil("PUT blob appendblock", after(end_drain))
    await far.accept(content("b"))
    assert far.runs == ["a"]
    (message,) = await messages.taken()
    await far.wake_up(message)
    assert far.runs == ["a", "b"]


async def test_a_drain_that_has_ended(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, clock: MovedClock
) -> None:
    """While its lock is released, it takes nothing over: there is a wake-up message."""
    await far.accept(content("a"))
    (message,) = await messages.taken()

    async def more() -> None:
        await far.accept(content("b"))

    front.spoil("PUT blob lease", after(more), times=1, skip=1)  # the first one acquires it
    with clock.stopped():  # the second one does not open it
        await far.wake_up(message)
    (message,) = await found(messages.taken)
    assert far.runs == ["a"]
    await far.wake_up(message)
    assert far.runs == ["a", "b"]


async def test_the_end_of_a_lock(one: QueuedTurnsBot) -> None:
    """No other task runs while a lock ends: an ending drain must not take over anything."""
    await one.accept(content("a"))
    ran: list[int] = []
    async with one.locks.lock(CONVERSATION, 0):
        asyncio.get_running_loop().call_soon(ran.append, 1)
    assert ran == []


async def test_a_drain_that_begins_before_another_has_ended(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, clock: MovedClock
) -> None:
    """While the lock is released, a wake-up message starts the next drain."""
    await far.accept(content("a"))
    (message,) = await messages.taken()
    following: list[asyncio.Task[None]] = []

    async def more() -> None:
        await far.accept(content("b"))
        (message,) = await messages.taken()
        following.append(asyncio.create_task(far.wake_up(message)))

    front.spoil("PUT blob lease", after(more), times=1, skip=1)
    with clock.stopped():
        await far.wake_up(message)
    await comes_true(lambda: bool(following))
    await following[0]
    assert far.runs == ["a", "b"]


async def test_conversations_are_separate(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """A wake-up message is for one conversation, even if its name begins like another's."""
    for number, conversation in enumerate(("c", "c2", "c/d")):
        await one.accept(content(f"a{number}", conversation))
    await one.wake_up((await messages.taken())[0])
    assert [each.activity.conversation.id for each in one.accepted] == ["c"]


async def test_the_largest_activity(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """An activity may be larger than a queue message."""
    body = content(text="")
    body = content(text="x" * (MAX_BODY_BYTES - len(body)))
    assert len(body) == MAX_BODY_BYTES > MAX_MESSAGE_BYTES
    await one.accept(body)
    await one.wake_up((await messages.taken())[0])
    assert len(one.accepted[0].activity.text) > MAX_MESSAGE_BYTES


async def test_awkward_ids(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Activities with any ids are processed, in any conversation."""
    ids = ["a/b", "..", "%2F", "😀", "x" * 2000, "x" * 2001, "|", "A", "~"]
    for each in ids:
        await one.accept(content(each, "19:x@thread.v2;messageid=1/2"))
    for text in await messages.taken():
        await one.wake_up(text)
    assert one.runs == ids


async def test_a_body_with_line_breaks(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Line breaks between a body's values, and those within its texts, change nothing."""
    for each in "ab":
        body = json.dumps(json.loads(content(each, text="one\r\ntwo")), indent=1).encode()
        await one.accept(body.replace(b"\n", b"\r\n"))
    await one.wake_up((await messages.taken())[0])
    assert [each.activity.text for each in one.accepted] == ["one\r\ntwo"] * 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}",
        b'{"activity": "x/y", "again": 0}',
        b'{"v": 1, "activity": "x", "again": 0}',
        b"\xff",
        b'{"inbox": "\xff", "activities": [], "again": 0}',
    ],
)
async def test_a_message_that_is_not_a_wake_up(
    one: QueuedTurnsBot, storage: str, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    """It is moved to the poison queue at once, with the bytes that it has."""
    await one.wake_up(body.decode(errors="surrogateescape"))
    async with QueueClient.from_connection_string(storage, POISON_QUEUE) as poison:
        (message,) = [each async for each in poison.receive_messages()]
    assert base64.b64decode(message.content) == body
    assert "is dead-lettered: it is not a wake-up message" in caplog.text


async def test_a_wake_up_of_another_version(one: QueuedTurnsBot, poison: QueueMessages) -> None:
    """The host delivers it again: another instance may have the version that wrote it."""
    with pytest.raises(UnknownFormat, match="a wake-up message in the queue has the format versio"):
        await one.wake_up(WakeUp(CONVERSATION).text.replace('"v": 1', '"v": 2'))
    assert await poison.count() == 0


async def test_a_wake_up_before_its_append(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """A wake-up message for what is not in the inbox yet is put back, once."""
    await one.accept(content("a"))
    await one.wake_up((await messages.taken())[0])
    await one.wake_up(WakeUp(CONVERSATION, ("0123",)).text)
    assert one.queue.delays[-1] == PAUSE_SECONDS
    (again,) = await messages.taken()
    await other.accept(content("b"))
    await messages.clear()
    await one.wake_up(again)
    assert one.runs == ["a", "b"]
    assert await messages.count() == 0


async def test_a_slow_append(
    far_account: StorageAccount,
    front: StorageFront,
    messages: QueueMessages,
    stopped_clock: MovedClock,
) -> None:
    """After it there is another wake-up message, since the first one may have been handled."""

    far = QueuedTurnsBot(far_account, slow_append_seconds=SLOW_APPEND_SECONDS)

    async def take_long() -> None:
        stopped_clock.move(SLOW_APPEND_SECONDS + 0.1)

    await far.accept(content("a"))
    assert len(await messages.taken()) == 1
    front.spoil("PUT blob appendblock", after(take_long))
    await far.accept(content("b"))
    assert len(await messages.taken()) == 2


async def test_two_processes(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """While one drains a conversation, the other puts a message back for what still waits."""
    turn = LongTurn()
    one.script["a"] = [turn]
    for each in "ab":
        await one.accept(content(each))
    first, second = await messages.taken()
    task = asyncio.create_task(one.wake_up(first))
    await turn.started.wait()
    await other.wake_up(second)
    assert other.runs == []
    assert other.queue.delays == [PAUSE_SECONDS]
    turn.ends.set()
    await task
    assert one.runs == ["a", "b"]
    (again,) = await messages.taken()
    await other.wake_up(again)
    assert other.runs == []


async def test_an_outage_after_a_wait(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """The pauses of an earlier outage, and waits for another process, do not prolong the next."""
    turn = LongTurn()
    one.script.update({"a": [turn], "b": [Unavailable("later")]})
    await one.accept(content())
    (first,) = await messages.taken()
    task = asyncio.create_task(one.wake_up(first))
    await turn.started.wait()
    await other.wake_up(WakeUp(CONVERSATION, retries=9).text)
    turn.ends.set()
    await task
    (again,) = await messages.taken()
    await one.accept(content("b"))
    one.queue.delays.clear()
    await one.wake_up(again)
    assert one.queue.delays == [BACKOFF.pause(1)]


async def test_a_busy_conversation(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages, clock: MovedClock
) -> None:
    """The first wake-up message waits for the lock; the others end, and so do accepted activities.

    For all of them, one message is put back.
    """
    turn = LongTurn()
    one.script["a"] = [turn]
    for number in range(20):
        await one.accept(content("abcdefghijklmnopqrst"[number]))
    first, second, *others = await messages.taken()
    task = asyncio.create_task(one.wake_up(first))
    await turn.started.wait()
    with clock.stopped():  # it waits for a second only
        waiting = asyncio.create_task(other.wake_up(second))
        await asyncio.sleep(0)
        for each in others:
            await other.wake_up(each)
        await other.accept(content("u"))
    await waiting
    assert other.queue.delays == [PAUSE_SECONDS]
    turn.ends.set()
    await task
    (again,) = await messages.taken()
    await other.wake_up(again)
    assert one.runs + other.runs == list("abcdefghijklmnopqrstu")


async def test_two_processes_and_no_state(
    far: QueuedTurnsBot, other: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """Even if the state that is leased was deleted, one of them drains the inbox."""
    await other.accept(content("a"))
    await other.states.delete(CONVERSATION)
    (message,) = await messages.taken()

    async def overtake() -> None:
        await other.wake_up(message)

    front.spoil("PUT blob bot-state", after(overtake), times=1)
    await far.wake_up(message)
    assert (far.runs, other.runs) == ([], ["a"])


async def test_wake_ups_during_a_drain(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """They end at once, and the drain reads the inbox again only if it does not know theirs."""
    turn = LongTurn()
    one.script["a"] = [turn]
    for each in "ab":
        await one.accept(content(each))
    first, second = await messages.taken()
    task = asyncio.create_task(one.wake_up(first))
    await turn.started.wait()
    await one.wake_up(second)
    assert one.runs == ["a"]
    turn.ends.set()
    await task
    assert one.runs == ["a", "b"]
    assert await messages.count() == 0


async def test_many_concurrent_wake_ups(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """Two processes get messages of many activities until none waits: each runs once, in order."""
    running = set()

    def step(conversation: str) -> LongTurn:
        class Step(LongTurn):
            async def __call__(self) -> None:
                assert conversation not in running
                running.add(conversation)
                await asyncio.sleep(0)
                running.discard(conversation)

        return Step()

    ids = [f"{conversation}{number}" for number in range(6) for conversation in "pqr"]
    for each in ids:
        for process in (one, other):
            process.script[each] = [step(each[0])]
        await one.accept(content(each, each[0]))
    while pending := await messages.taken():
        processes = (one, other) * len(pending)
        await asyncio.gather(
            *(process.wake_up(text) for process, text in zip(processes, pending, strict=False))
        )
    assert sorted(map(str, one.runs + other.runs)) == sorted(ids)
    for process in (one, other):
        for conversation in "pqr":
            mine = [str(each) for each in process.runs if str(each).startswith(conversation)]
            assert mine == sorted(mine)
