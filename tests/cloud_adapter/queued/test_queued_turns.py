"""QueuedTurns: what was accepted gets its turn, once, in its order, whatever fails meanwhile."""

import asyncio
import json
import logging
import time
from types import SimpleNamespace

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from auth.errors import Unavailable
from cloud_adapter.errors import StorageUnavailable, TurnFailed, TurnRepeated
from cloud_adapter.queued import inbox as waiting_activity
from cloud_adapter.queued.drain import LONGEST_OUTAGE, LONGEST_RUN, MOST_TRIES
from cloud_adapter.queued.inbox import DONE, FAILED, WAITING, AcceptedActivity
from cloud_adapter.queued.queued_turns import LONGEST_WAIT, MOST_WAITERS, POISON_QUEUE, QUEUE
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.request import MAX_BODY_BYTES, read_activity
from cloud_adapter.state.lock import CONTAINER as LOCKS
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.queue import MAX_MESSAGE_BYTES
from tests.support.bots.queued_turns import CLAIMS, QueuedTurnsBot, content, name_of
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import (
    Fault,
    StorageFront,
    answered,
    cut_after,
    cut_before,
)
from tests.support.timing.condition import comes_true
from tests.support.timing.moved_clock import MovedClock


@pytest.fixture
def one(account: StorageAccount) -> QueuedTurnsBot:
    """A process."""
    return QueuedTurnsBot(account)


@pytest.fixture
def other(account: StorageAccount) -> QueuedTurnsBot:
    """Another one, over the same account."""
    return QueuedTurnsBot(account)


@pytest.fixture
def far(far_account: StorageAccount) -> QueuedTurnsBot:
    """A process behind the front."""
    return QueuedTurnsBot(far_account)


@pytest.fixture
def rings(storage: str) -> QueueMessages:
    """The queue."""
    return QueueMessages(storage, QUEUE)


@pytest.fixture
def poison(storage: str) -> QueueMessages:
    """The queue of what was given up."""
    return QueueMessages(storage, POISON_QUEUE)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds by which the waiting activities' clock is ahead; to be changed."""
    moved, now = [0.0], time.time_ns
    clock = SimpleNamespace(time_ns=lambda: now() + int(moved[0] * 1e9))
    monkeypatch.setattr(waiting_activity, "time", clock)
    return moved


async def state(turns: QueuedTurnsBot, activity_id: str = "a") -> tuple[str, int]:
    """An activity's state and its tries."""
    found = await turns.activities.find(name_of(activity_id))
    assert found
    return found.state, found.tries


async def stored(turns: QueuedTurnsBot) -> AcceptedActivity:
    """What is stored of an activity."""
    found = await turns.activities.read(name_of())
    assert found
    return found.delivery()


# Well


async def test_accepted_and_answered(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """A ring says where the activity is; its turn has the activity and its caller."""
    await one.accept(content(text="sesame"))
    (message,) = await rings.taken()
    assert json.loads(message) == {"activity": name_of(), "again": 0, "seen": 0}
    assert "sesame" not in message
    await one.answer(message)
    (delivery,) = one.delivered
    assert (delivery.activity.text, delivery.claims, delivery.failure) == ("sesame", CLAIMS, "")
    assert await rings.count() == 0
    assert one.lasts == []


async def test_nothing_of_a_done_one_stays(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """Its blob is empty, and still there."""
    await one.accept(content())
    await one.answer((await rings.taken())[0])
    blob = await one.blobs.read(name_of())
    assert blob
    assert blob.content == b""
    assert await state(one) == (DONE, 0)


async def test_one_id_four_times(
    one: QueuedTurnsBot, other: QueuedTurnsBot, rings: QueueMessages
) -> None:
    """A channel that delivers again, before and after the turn, to any process: one turn."""
    await asyncio.gather(*(each.accept(content()) for each in (one, other)))
    await one.accept(content())
    messages = await rings.taken()
    assert len(messages) == 3
    for message in messages:
        await one.answer(message)
    await other.accept(content())
    assert await rings.count() == 0  # nothing rings for what is done
    assert await one.activities.line("webchat~2Fc") == {}
    assert one.runs + other.runs == ["a"]
    assert await rings.count() == 0


async def test_activities_without_an_id(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """Each is one of its own, as nobody can tell."""
    for text in ("one", "one"):
        await one.accept(content(None, text=text))
    for message in await rings.taken():
        await one.answer(message)
    assert one.runs == [None, None]


async def test_the_order_of_acceptance(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """Whichever ring comes first, turns come in the order of their activities."""
    ids = ["z", "m", "a", "10", "9"]
    for each in ids:
        await one.accept(content(each))
    for message in (await rings.taken())[::-1]:
        await one.answer(message)
    assert one.runs == ids


async def test_what_comes_meanwhile(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """An activity that is accepted during a turn gets its own in the same run."""

    async def more() -> None:
        await one.accept(content("b"))

    one.script["a"] = [more]
    await one.accept(content("a"))
    await one.answer((await rings.taken())[0])
    assert one.runs == ["a", "b"]
    (message,) = await rings.taken()
    await one.answer(message)
    assert one.runs == ["a", "b"]


async def test_conversations_apart(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """A ring is for one conversation, also where one's name begins like another's."""
    for conversation in ("c", "c2", "c/d"):
        await one.accept(content("a" + conversation[1:2].strip("/"), conversation))
    messages = await rings.taken()
    await one.answer(messages[0])
    assert [each.activity.conversation.id for each in one.delivered] == ["c"]


# aiohttp warns of bodies of a megabyte; with the claims this one has a bit more, and none has more.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_the_largest_activity(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """1 MiB is no problem for a queue that takes 64 KiB."""
    body = content(text="")
    body = content(text="x" * (MAX_BODY_BYTES - len(body)))
    assert len(body) == MAX_BODY_BYTES > MAX_MESSAGE_BYTES
    await one.accept(body)
    await one.answer((await rings.taken())[0])
    assert len(one.delivered[0].activity.text) > MAX_MESSAGE_BYTES


async def test_ids_of_every_kind(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """Ids are anything."""
    ids = ["a/b", "..", "%2F", "😀", "x" * 2000, "x" * 2001, "|", "A", "~"]
    for each in ids:
        await one.accept(content(each, "19:x@thread.v2;messageid=1/2"))
    for message in await rings.taken():
        await one.answer(message)
    assert one.runs == ids


# At once


async def test_two_processes(
    one: QueuedTurnsBot, other: QueuedTurnsBot, rings: QueueMessages
) -> None:
    """One turn of a conversation at a time; the other process rings again for what waits."""
    begun, goes_on, inside = asyncio.Event(), asyncio.Event(), []

    async def long() -> None:
        begun.set()
        await goes_on.wait()
        inside.append("a")

    one.script["a"] = [long]
    for each in ("a", "b"):
        await one.accept(content(each))
    first, second = await rings.taken()
    task = asyncio.create_task(one.answer(first))
    await begun.wait()
    await other.answer(second)
    assert other.runs == []
    assert await rings.count() == 1  # `b` still waits
    goes_on.set()
    await task
    assert one.runs == ["a", "b"]
    await other.answer(WakeUp.parse(second).later(1).text)
    assert other.runs == []
    await rings.clear()


async def test_a_ring_waits_for_a_run(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """A ring for what is run anyway, in this process and soon, waits, and puts nothing back.

    Eight do; the others leave the host's slots to other conversations, and come later.
    """
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        await goes_on.wait()

    ids = [f"{number:02}" for number in range(MOST_WAITERS + 3)]
    one.script[ids[0]] = [long]
    for each in ids:
        await one.accept(content(each))
    first, *others = await rings.taken()
    task = asyncio.create_task(one.answer(first))
    await begun.wait()
    waiting = [asyncio.create_task(one.answer(each)) for each in others]
    async with asyncio.timeout(10):
        while await rings.count() < 2:
            pass
    goes_on.set()
    await asyncio.gather(task, *waiting)
    assert one.runs == ids
    assert await rings.count() == 2


async def test_a_ring_waits_not_for_long(
    one: QueuedTurnsBot, rings: QueueMessages, clock: MovedClock
) -> None:
    """A turn that takes its time keeps no other slot of the host."""
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        await goes_on.wait()

    one.script["a"] = [long]
    for each in "ab":
        await one.accept(content(each))
    first, second = await rings.taken()
    task = asyncio.create_task(one.answer(first))
    await begun.wait()
    waiting = asyncio.create_task(one.answer(second))
    await comes_true(lambda: one.turns._waiters == 1)
    clock.move(LONGEST_WAIT + 0.5)
    await waiting
    assert await rings.count() == 1
    goes_on.set()
    await task
    assert one.runs == ["a", "b"]


async def test_a_ring_waits_for_a_turn_that_fails(
    one: QueuedTurnsBot, rings: QueueMessages
) -> None:
    """It comes again, as the turn has a try of its own."""
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        await goes_on.wait()

    one.script.update({"a": [long], "b": [LookupError()]})
    for each in "ab":
        await one.accept(content(each))
    first, second = await rings.taken()
    task = asyncio.create_task(one.answer(first))
    await begun.wait()
    waiting = asyncio.create_task(one.answer(second))
    await comes_true(lambda: one.turns._waiters == 1)
    goes_on.set()
    await asyncio.gather(task, waiting)
    assert one.runs == ["a", "b"]
    assert await rings.count() == 1
    await one.answer(WakeUp.parse(second).later(1).text)
    assert one.runs == ["a", "b", "b"]


async def test_a_busy_conversation_rings_no_more_than_needed(
    one: QueuedTurnsBot, rings: QueueMessages
) -> None:
    """A ring for what is done, or gone, is not put off."""
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        await goes_on.wait()

    await one.accept(content("done"))
    (done,) = await rings.taken()
    await one.answer(done)
    one.script["a"] = [long]
    await one.accept(content("a"))
    (message,) = await rings.taken()
    task = asyncio.create_task(one.answer(message))
    await begun.wait()
    await one.answer(done)
    await one.answer(WakeUp(name_of("gone")).text)
    assert await rings.count() == 0
    goes_on.set()
    await task


async def test_many_at_once(
    one: QueuedTurnsBot, other: QueuedTurnsBot, rings: QueueMessages
) -> None:
    """Rings of many activities, to both processes at once, until none is left: one turn each."""
    inside = set()

    def turn(key: str) -> None:
        conversation = key[0]

        async def run() -> None:
            assert conversation not in inside
            inside.add(conversation)
            await asyncio.sleep(0)
            inside.discard(conversation)

        for each in (one, other):
            each.script[key] = [run]

    ids = [f"{conversation}{number}" for number in range(6) for conversation in "pqr"]
    for each in ids:
        turn(each)
        await one.accept(content(each, each[0]))
    pending = await rings.taken()
    while pending:
        answers = [
            process.answer(message)
            for process, message in zip((one, other) * len(pending), pending, strict=False)
        ]
        await asyncio.gather(*answers)
        waiting = [WakeUp.parse(message).later(1) for message in pending]
        found = [(ring, await one.activities.find(ring.activity)) for ring in waiting]
        pending = [ring.text for ring, each in found if each and each.state == WAITING]
        await rings.clear()
    assert sorted(one.runs + other.runs, key=str) == sorted(ids)
    for conversation in "pqr":
        for process in (one, other):
            mine = [each for each in process.runs if each and each[0] == conversation]
            assert mine == sorted(mine)


# Failures


async def test_a_turn_that_fails(
    one: QueuedTurnsBot, rings: QueueMessages, poison: QueueMessages
) -> None:
    """Five tries in all; the last one knows that it is; then the activity is put aside."""
    one.script["a"] = [LookupError(f"no table {number}") for number in range(9)]
    await one.accept(content())
    (message,) = await rings.taken()
    for tries in range(1, MOST_TRIES):
        with pytest.raises(TurnFailed, match="tried again"):
            await one.answer(message, tries)
        assert await state(one) == (WAITING, tries)
        assert one.lasts == []
    await one.answer(message, MOST_TRIES)
    assert one.runs == ["a"] * MOST_TRIES
    assert one.lasts == ["a"]
    assert await state(one) == (FAILED, MOST_TRIES)
    assert await poison.taken() == [WakeUp(name_of()).text]
    delivery = await stored(one)
    assert delivery.failure.endswith("LookupError: no table 4")
    assert "in run" in delivery.failure
    assert delivery.activity.text == "hello"
    await one.answer(message)
    await one.accept(content())
    for again in await rings.taken():
        await one.answer(again)
    assert len(one.runs) == MOST_TRIES


async def test_no_word_of_the_user_s(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """A cause that quotes the user is stored without its text."""
    one.script["a"] = [ValueError("cannot parse 'sesame'")] * MOST_TRIES
    await one.accept(content(text="open sesame"))
    (message,) = await rings.taken()
    for tries in range(1, MOST_TRIES):
        with pytest.raises(TurnFailed):
            await one.answer(message, tries)
    await one.answer(message, MOST_TRIES)
    delivery = await stored(one)
    assert "sesame" not in delivery.failure
    assert "ValueError" in delivery.failure


async def test_a_failure_holds_up_nobody(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """The ones behind it come at their own ring, or in the same run; it comes at its own."""
    one.script["a"] = [LookupError()]
    one.script["b"] = [LookupError()]
    for each in ("a", "b", "c"):
        await one.accept(content(each))
    first, second, third = await rings.taken()
    with pytest.raises(TurnFailed):
        await one.answer(first)
    assert one.runs == ["a"]
    await one.answer(third)  # `b` fails, and this ring is not its own
    assert one.runs == ["a", "b", "c"]
    await one.answer(first, 2)
    await one.answer(second)
    assert one.runs == ["a", "b", "c", "a", "b"]


async def test_a_try_that_took_the_process_with_it(
    one: QueuedTurnsBot, other: QueuedTurnsBot, rings: QueueMessages
) -> None:
    """A ring that was seen before counts a try before it begins, and other rings leave it out."""

    async def die() -> None:
        raise asyncio.CancelledError

    one.script["a"] = [die, die]
    for each in ("a", "b"):
        await one.accept(content(each))
    first, second = await rings.taken()
    for dequeue_count in (1, 2):
        with pytest.raises(asyncio.CancelledError):
            await one.answer(first, dequeue_count)
    assert await state(one) == (WAITING, 1)
    await other.answer(second)
    assert other.runs == ["b"]
    await other.answer(first, 3)
    assert other.runs == ["b", "a"]
    assert await state(one) == (DONE, 0)


async def test_a_turn_that_kills(
    one: QueuedTurnsBot, other: QueuedTurnsBot, rings: QueueMessages, poison: QueueMessages
) -> None:
    """Five deaths and it is put aside; a ring that finds a dead one's lease forgets none."""
    dead, buried = asyncio.Event(), asyncio.Event()

    async def die() -> None:
        raise asyncio.CancelledError

    async def dead_ones_lease() -> None:
        async with other.locks.lock("webchat~2Fc", lock_timeout=0):
            dead.set()
            await buried.wait()

    one.script["a"] = [die] * 9
    await one.accept(content())
    (message,) = await rings.taken()
    with pytest.raises(asyncio.CancelledError):
        await one.answer(message)
    lease = asyncio.create_task(dead_ones_lease())
    await dead.wait()
    await one.answer(message, 2)
    buried.set()
    await lease
    async with asyncio.timeout(10):
        while not (seen := await rings.taken()):  # FIRST_PAUSE
            pass
    (message,) = seen
    for tries in range(1, MOST_TRIES + 1):
        with pytest.raises(asyncio.CancelledError):
            await one.answer(message)
        assert await state(one) == (WAITING, tries)
    await one.answer(message)
    assert one.runs == ["a"] * (MOST_TRIES + 1)
    assert one.killed == ["a"]
    assert (await state(one))[0] == FAILED
    assert await poison.taken() == [WakeUp(name_of()).text]
    assert (await stored(one)).failure.endswith("RuntimeError: killed")


async def test_a_careful_try_counts_once(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """Before it begins or after it fails, but not both."""
    one.script["a"] = [LookupError()] * 2
    await one.accept(content())
    (message,) = await rings.taken()
    for dequeue_count in (3, 4):
        with pytest.raises(TurnFailed):
            await one.answer(message, dequeue_count)
    assert await state(one) == (WAITING, 2)


@pytest.mark.parametrize("dequeue_count", [1, 4])
async def test_what_is_unavailable(
    one: QueuedTurnsBot, rings: QueueMessages, poison: QueueMessages, dequeue_count: int
) -> None:
    """A turn that cannot be made now is rung for later, and has lost no try."""
    one.script["a"] = [Unavailable("later")] * 20
    await one.accept(content())
    (message,) = await rings.taken()
    for _ in range(2 * MOST_TRIES):
        await one.answer(message, dequeue_count)
        assert await rings.count() == 1
        await rings.clear()
        message = WakeUp.parse(message).later(1).text
    assert await state(one) == (WAITING, 0)
    assert one.lasts == []
    one.script.clear()
    await one.answer(message)
    assert await state(one) == (DONE, 0)
    assert await poison.count() == 0


async def test_an_outage_without_end(
    one: QueuedTurnsBot, rings: QueueMessages, poison: QueueMessages, late: list[float]
) -> None:
    """After an hour the activity is given up, and the ones behind it get their turns."""
    one.script["a"] = [Unavailable("no role")] * 3
    for each in ("a", "b"):
        await one.accept(content(each))
    message, _ = await rings.taken()
    late[0] = LONGEST_OUTAGE - 10
    await one.answer(message)
    assert await poison.count() == 0
    late[0] = LONGEST_OUTAGE + 1
    await one.answer(WakeUp.parse(message).later(1).text)
    assert one.runs == ["a", "a", "b"]
    assert (await state(one))[0] == FAILED
    assert await poison.taken() == [WakeUp(name_of()).text]
    delivery = await stored(one)
    assert delivery.failure.endswith("Unavailable: no role")


async def test_a_turn_that_was_made_before(
    one: QueuedTurnsBot, rings: QueueMessages, poison: QueueMessages
) -> None:
    """State knows it: it is done."""
    one.script["a"] = [TurnRepeated("made")]
    await one.accept(content())
    (message,) = await rings.taken()
    await one.answer(message)
    assert await state(one) == (DONE, 0)
    assert await rings.count() == await poison.count() == 0


@pytest.mark.parametrize(
    "text", ["", "hello", "{}", "[]", '{"activity": "x", "again": 0, "seen": 0}']
)
async def test_a_message_that_is_no_ring(one: QueuedTurnsBot, text: str) -> None:
    """The host shall put it aside."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text
        await one.answer(text)
    assert one.runs == []


async def test_a_ring_for_nothing(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """An activity that is gone, in a conversation that never was, in an account without blobs."""
    await one.answer(WakeUp(name_of()).text)
    await one.accept(content())
    (message,) = await rings.taken()
    await one.blobs.delete(name_of())
    await one.answer(message)
    assert one.runs == []
    assert await rings.count() == 0


async def test_a_lost_lease(account: StorageAccount, rings: QueueMessages, storage: str) -> None:
    """Where another process may have the conversation, no further turn is begun."""
    one = QueuedTurnsBot(account, renewal_seconds=0.1)

    async def lose() -> None:
        async with BlobClient.from_connection_string(storage, LOCKS, "webchat~2Fc") as blob:
            await BlobLeaseClient(blob).break_lease(0)
            theirs = await blob.acquire_lease(15)
            await comes_true(lambda: one.locks.lease_lost("webchat~2Fc"))
            await theirs.release()

    one.script["a"] = [lose]
    for each in "ab":
        await one.accept(content(each))
    _, second = await rings.taken()
    await one.answer(second)
    assert one.runs == ["a"]
    assert await rings.count() == 1
    await one.answer(WakeUp.parse(second).later(1).text)
    assert one.runs == ["a", "b"]


async def test_a_run_without_end(
    one: QueuedTurnsBot, rings: QueueMessages, clock: MovedClock
) -> None:
    """After a while the rest is left to its own rings: the host ends what runs too long."""

    async def long() -> None:
        clock.move(LONGEST_RUN / 2 + 1)

    one.script.update({each: [long] for each in "abcd"})
    for each in "abcd":
        await one.accept(content(each))
    messages = await rings.taken()
    await one.answer(messages[3])
    assert one.runs == ["a", "b"]
    assert await rings.count() == 1  # its own activity still waits
    await one.answer(messages[2])
    assert one.runs == ["a", "b", "c", "d"]


# What cannot be read


async def test_an_activity_that_cannot_be_read(
    one: QueuedTurnsBot,
    rings: QueueMessages,
    poison: QueueMessages,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is put aside, and the ones behind it get their turns."""
    await one.accept(content("a"))
    await one.accept(content("b"))
    first, _ = await rings.taken()
    found = await one.activities.find(name_of("a"))
    assert found
    await one.blobs.write(name_of("a"), b'{"claims": {', "*", found.metadata(WAITING, 0))
    await one.answer(first)
    assert one.runs == ["b"]
    assert (await state(one))[0] == FAILED
    assert await poison.taken() == [WakeUp(name_of()).text]
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    await one.answer(first)


async def test_an_activity_that_nests_at_the_limit(
    one: QueuedTurnsBot, rings: QueueMessages
) -> None:
    """What could just be read when it was delivered holds up nobody when its turn comes."""

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
    first, _ = await rings.taken()
    await one.answer(first)
    assert one.runs[-1] == "b"


async def test_an_empty_one_that_waits(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """An emptied activity that somebody has let wait again is not looked at for ever."""
    await one.accept(content())
    (message,) = await rings.taken()
    await one.answer(message)
    found = await one.activities.find(name_of())
    assert found
    await one.activities.revive(found)
    await one.answer(message)
    assert await state(one) == (DONE, 0)
    assert one.runs == ["a"]


async def test_places_that_nobody_needs(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """A process that died may have left places of what is done, gone, or put aside."""
    for each in ("done", "gone", "a"):
        await one.accept(content(each))
    done, *_ = await rings.taken()
    found = {each: await one.activities.find(name_of(each)) for each in ("done", "gone")}
    await one.answer(done)
    await one.accept(content("b"))
    for waiting in found.values():
        assert waiting
        await one.activities.line_up(waiting)
    await one.blobs.delete(name_of("gone"))
    assert len(await one.activities.line("webchat~2Fc")) == 3
    for each in await rings.taken():
        await one.answer(each)
    assert await one.activities.line("webchat~2Fc") == {}
    assert one.runs == ["done", "gone", "a", "b"]


async def test_a_ring_before_its_place(one: QueuedTurnsBot, rings: QueueMessages) -> None:
    """An activity whose ring comes before it has its place has its turn all the same."""
    await one.accept(content())
    (message,) = await rings.taken()
    for place in (await one.activities.line("webchat~2Fc")).values():
        await one.activities.leave(place)
    await one.answer(message)
    assert one.runs == ["a"]


# Faults of the account


@pytest.mark.parametrize("fault", [answered(403), answered(500), cut_before])
@pytest.mark.parametrize("place", ["PUT blob bot-turns", "POST queue"])
async def test_an_activity_that_cannot_be_taken(
    far: QueuedTurnsBot, front: StorageFront, rings: QueueMessages, place: str, fault: Fault
) -> None:
    """The channel hears of it; when it delivers again, there is one turn."""
    front.spoil(place, fault)
    with pytest.raises(StorageUnavailable):
        await far.accept(content())
    front.heal()
    assert await rings.count() == 0
    await far.accept(content())
    for message in await rings.taken():
        await far.answer(message)
    assert far.runs == ["a"]


@pytest.mark.parametrize("skip", range(12))
@pytest.mark.parametrize("fault", [answered(403), cut_before, cut_after])
async def test_a_fault_at_each_step(
    far: QueuedTurnsBot, front: StorageFront, rings: QueueMessages, skip: int, fault: Fault
) -> None:
    """Whichever request of accepting and answering is the first to fail, no turn is lost.

    The channel delivers until it hears that the activity is taken. The host rings again when a ring
    was not answered; a ring that was answered is gone, unless another one was put in its place.
    """
    await far.accept(content("before"))  # containers and queues are there
    for message in await rings.taken():
        await far.answer(message)
    front.spoil("", fault, skip=skip)
    try:
        await far.accept(content())
    except StorageUnavailable:
        front.heal()
        await far.accept(content())
    (message, *_) = await rings.taken()
    answered_at_all = True
    try:
        await far.answer(message)
    except StorageUnavailable:
        answered_at_all = False
    front.heal()
    if not answered_at_all or await rings.count():
        await rings.clear()
        await release_leases(far)
        await far.answer(message, 1 if answered_at_all else 2)
    assert far.runs[1:] in (["a"], ["a", "a"])
    assert await state(far) == (DONE, 0)


async def release_leases(turns: QueuedTurnsBot) -> None:
    """What a dead connection has left leased ends, as it would in 15 seconds."""
    blobs = turns.locks._blobs
    assert blobs
    client = await blobs._client()
    async for entry in client.list_blobs():
        try:
            await BlobLeaseClient(client.get_blob_client(entry.name)).break_lease(0)
        except HttpResponseError:
            continue


async def test_blobs_that_are_down(
    far: QueuedTurnsBot, front: StorageFront, rings: QueueMessages
) -> None:
    """While there are rings but no blobs, a ring is put off: the host would take it for poison."""
    await far.accept(content())
    (message,) = await rings.taken()
    front.spoil("HEAD blob", answered(503))
    await far.answer(message)
    assert await rings.count() == 1
    front.heal()
    await far.answer(WakeUp.parse(message).later(1).text)
    assert far.runs == ["a"]


async def test_a_done_turn_that_cannot_be_told(
    far: QueuedTurnsBot, front: StorageFront, rings: QueueMessages
) -> None:
    """It is run again, which state recognises; nothing is lost."""
    await far.accept(content())
    (message,) = await rings.taken()
    front.spoil("PUT blob bot-turns", answered(503))
    await far.answer(message)
    assert await rings.count() == 1
    front.heal()
    far.script["a"] = [TurnRepeated("made")]
    await far.answer(WakeUp.parse(message).later(1).text)
    assert far.runs == ["a", "a"]
    assert await state(far) == (DONE, 0)


@pytest.mark.parametrize("place", ["POST queue", "PUT blob bot-turns"])
async def test_giving_up_that_fails(
    far: QueuedTurnsBot,
    front: StorageFront,
    rings: QueueMessages,
    poison: QueueMessages,
    place: str,
) -> None:
    """An activity is never put aside without a ring in the queue of those."""
    far.script["a"] = [LookupError()] * 9
    await far.accept(content())
    (message,) = await rings.taken()
    for tries in range(1, MOST_TRIES):
        with pytest.raises(TurnFailed):
            await far.answer(message, tries)
    front.spoil(place, answered(403))
    try:
        await far.answer(message, MOST_TRIES)
    except StorageUnavailable:
        assert place == "POST queue"
    front.heal()
    assert (await state(far))[0] == WAITING
    await far.answer(message, MOST_TRIES)
    assert (await state(far))[0] == FAILED
    assert set(await poison.taken()) == {WakeUp(name_of()).text}
