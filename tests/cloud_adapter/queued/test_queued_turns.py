"""QueuedTurns: what is accepted is processed once, in its order, in however many processes."""

import asyncio
import json

import pytest

from cloud_adapter.errors import TurnFailed, TurnRepeated
from cloud_adapter.queued.queued_turns import MAX_WAIT_SECONDS, MAX_WAITING_MESSAGES
from cloud_adapter.queued.stored_activity import DONE, WAITING
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.request import MAX_BODY_BYTES
from cloud_adapter.storage.queue import MAX_MESSAGE_BYTES
from tests.support.bots.queued_turns import (
    CLAIMS,
    CONVERSATION,
    LongTurn,
    QueuedTurnsBot,
    content,
    name_of,
)
from tests.support.storage.queue_messages import QueueMessages
from tests.support.timing.condition import comes_true, found
from tests.support.timing.moved_clock import MovedClock


async def next_message(text: str) -> str:
    """The wake-up message that follows one which had no effect."""
    return WakeUp.parse(text).next(1).text


async def test_an_accepted_activity_is_processed(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """The wake-up message names its blob; the turn gets the activity and its caller's claims."""
    await one.accept(content(text="sesame"))
    (message,) = await messages.taken()
    assert json.loads(message) == {"activity": name_of(), "again": 0, "seen": 0}
    await one.wake_up(message)
    (accepted,) = one.accepted
    assert (accepted.activity.text, accepted.claims, accepted.failure) == ("sesame", CLAIMS, "")
    assert await messages.count() == 0
    assert one.lasts == []


async def test_a_processed_activity_is_emptied(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """Its blob stays without content, so that another delivery finds it."""
    await one.accept(content())
    await one.wake_up((await messages.taken())[0])
    blob = await one.blobs.read(name_of())
    assert blob
    assert blob.content == b""
    assert await one.state() == (DONE, 0)


async def test_repeated_deliveries(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """An activity that arrives several times, in any process and at any time, is processed once."""
    await asyncio.gather(*(each.accept(content()) for each in (one, other)))
    await one.accept(content())
    texts = await messages.taken()
    assert len(texts) == 3
    for text in texts:
        await one.wake_up(text)
    await other.accept(content())
    assert await messages.count() == 0
    assert await one.inbox.waiting(CONVERSATION) == {}
    assert one.runs + other.runs == ["a"]


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
    """The same drain processes it, and its own wake-up message does nothing."""

    async def more() -> None:
        await one.accept(content("b"))

    one.script["a"] = [more]
    await one.accept(content("a"))
    for _ in range(2):
        await one.wake_up((await messages.taken())[0])
        assert one.runs == ["a", "b"]


async def test_conversations_are_separate(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """A wake-up message is for one conversation, even if its name begins like another's."""
    for number, conversation in enumerate(("c", "c2", "c/d")):
        await one.accept(content(f"a{number}", conversation))
    await one.wake_up((await messages.taken())[0])
    assert [each.activity.conversation.id for each in one.accepted] == ["c"]


# aiohttp warns of bodies of a megabyte; with the claims this one has a bit more, and none has more.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
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


async def test_a_turn_that_is_repeated(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """An activity that state recognizes is done."""
    one.script["a"] = [TurnRepeated("processed already")]
    await one.accept(content())
    await one.wake_up((await messages.taken())[0])
    assert await one.state() == (DONE, 0)
    assert await messages.count() == await poison.count() == 0


@pytest.mark.parametrize(
    "text", ["", "hello", "{}", "[]", '{"activity": "x", "again": 0, "seen": 0}']
)
async def test_a_message_that_is_not_a_wake_up(one: QueuedTurnsBot, text: str) -> None:
    """It raises, so that the host moves it to the poison queue."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text
        await one.wake_up(text)


async def test_a_wake_up_for_nothing(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """One for an activity that never existed, or is gone, has no effect."""
    await one.wake_up(WakeUp(name_of()).text)
    await one.accept(content())
    (message,) = await messages.taken()
    await one.blobs.delete(name_of())
    await one.wake_up(message)
    assert one.runs == []
    assert await messages.count() == 0


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
    assert await messages.count() == 1
    turn.ends.set()
    await task
    assert one.runs == ["a", "b"]
    await other.wake_up(await next_message(second))
    assert other.runs == []


async def test_a_wake_up_that_waits_for_a_drain(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """A message for what a drain of this process will run waits, and puts nothing back.

    MAX_WAITING_MESSAGES do; the others leave the host's slots to other conversations.
    """
    turn = LongTurn()
    ids = [f"{number:02}" for number in range(MAX_WAITING_MESSAGES + 3)]
    one.script[ids[0]] = [turn]
    for each in ids:
        await one.accept(content(each))
    first, *others = await messages.taken()
    task = asyncio.create_task(one.wake_up(first))
    await turn.started.wait()
    waiting = [asyncio.create_task(one.wake_up(each)) for each in others]

    async def two_are_back() -> bool:
        return await messages.count() == 2

    await found(two_are_back)
    assert one.turns.waiting_messages == MAX_WAITING_MESSAGES
    turn.ends.set()
    await asyncio.gather(task, *waiting)
    assert one.runs == ids
    assert await messages.count() == 2
    assert one.turns.waiting_messages == 0


@pytest.fixture
async def waiting_for_b(
    one: QueuedTurnsBot, messages: QueueMessages
) -> tuple[LongTurn, asyncio.Task[None], asyncio.Task[None], str]:
    """The turn of `a`, which runs; its drain; the wake-up for `b`, which waits; its message."""
    turn = LongTurn()
    one.script["a"] = [turn]
    for each in "ab":
        await one.accept(content(each))
    first, second = await messages.taken()
    drain = asyncio.create_task(one.wake_up(first))
    await turn.started.wait()
    waiting = asyncio.create_task(one.wake_up(second))
    await comes_true(lambda: one.turns.waiting_messages == 1)
    return turn, drain, waiting, second


Waiting = tuple[LongTurn, asyncio.Task[None], asyncio.Task[None], str]


async def test_a_long_turn(
    one: QueuedTurnsBot, messages: QueueMessages, waiting_for_b: Waiting, clock: MovedClock
) -> None:
    """A message does not wait longer than MAX_WAIT_SECONDS for it."""
    turn, drain, waiting, _ = waiting_for_b
    clock.move(MAX_WAIT_SECONDS + 0.5)
    await waiting
    assert await messages.count() == 1
    turn.ends.set()
    await drain
    assert one.runs == ["a", "b"]


async def test_a_turn_that_fails_while_its_wake_up_waits(
    one: QueuedTurnsBot, messages: QueueMessages, waiting_for_b: Waiting
) -> None:
    """The message is put back, because the turn has attempts left."""
    turn, drain, waiting, second = waiting_for_b
    one.script["b"] = [LookupError()]
    turn.ends.set()
    await asyncio.gather(drain, waiting)
    assert one.runs == ["a", "b"]
    assert await messages.count() == 1
    await one.wake_up(await next_message(second))
    assert one.runs == ["a", "b", "b"]


async def test_a_failed_turn_behind_a_long_one(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """Its wake-up message, which waits, is put back: the drain leaves the turn to it."""
    turn = LongTurn()
    one.script.update({"a": [LookupError(), turn], "b": [LookupError()]})
    for each in "ab":
        await one.accept(content(each))
    first, second = await messages.taken()
    with pytest.raises(TurnFailed):
        await one.wake_up(second)
    for each in "ab":
        await one.accept(content(each))  # again, so that both are marked
    await messages.clear()
    drain = asyncio.create_task(one.wake_up(first, 2))
    await turn.started.wait()
    waiting = asyncio.create_task(one.wake_up(second, 2))
    await comes_true(lambda: one.turns.waiting_messages == 1)
    turn.ends.set()
    await asyncio.gather(drain, waiting)
    assert one.runs == ["a", "b", "a"]
    assert await messages.count() == 1


async def test_wake_ups_of_a_busy_conversation(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """A message for what is processed, or gone, is not put back."""
    turn = LongTurn()
    await one.accept(content("done"))
    (done,) = await messages.taken()
    await one.wake_up(done)
    one.script["a"] = [turn]
    await one.accept(content("a"))
    (message,) = await messages.taken()
    task = asyncio.create_task(one.wake_up(message))
    await turn.started.wait()
    await one.wake_up(done)
    await one.wake_up(WakeUp(name_of("gone")).text)
    assert await messages.count() == 0
    turn.ends.set()
    await task


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
    pending = await messages.taken()
    while pending:
        handlers = [
            process.wake_up(message)
            for process, message in zip((one, other) * len(pending), pending, strict=False)
        ]
        await asyncio.gather(*handlers)
        following = [WakeUp.parse(message).next(1) for message in pending]
        stored = [(each, await one.inbox.find(each.activity)) for each in following]
        pending = [each.text for each, at in stored if at and at.state == WAITING]
        await messages.clear()
    assert sorted(map(str, one.runs + other.runs)) == sorted(ids)
    for process in (one, other):
        for conversation in "pqr":
            mine = [str(each) for each in process.runs if str(each).startswith(conversation)]
            assert mine == sorted(mine)
