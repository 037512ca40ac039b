"""Attempts: five at most, counted once each, and then a dead letter; none blocks other turns."""

import asyncio

import pytest

from auth.errors import Unavailable
from cloud_adapter.queued.attempts import MAX_ATTEMPTS, MAX_OUTAGE_SECONDS, RETRY_PAUSE_SECONDS
from cloud_adapter.queued.stored_activity import FAILED, WAITING, AcceptedActivity
from cloud_adapter.queued.wake_up import BACKOFF, WakeUp
from tests.support.bots.queued_turns import CONVERSATION, LongTurn, QueuedTurnsBot, content, name_of
from tests.support.storage.queue_messages import QueueMessages

RETRY = WakeUp(name_of()).text
"""The wake-up message of the activity `a`, once it is set aside."""


async def stored(turns: QueuedTurnsBot) -> AcceptedActivity:
    """What is stored of the activity `a`."""
    at = await turns.set_aside.find(name_of())
    assert at
    return at.parse()


async def wake_up_all(turns: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Handle the wake-up messages that are in the queue."""
    for message in await messages.taken():
        await turns.wake_up(message)


async def die() -> None:
    """A turn whose process ends."""
    raise asyncio.CancelledError


async def test_a_turn_that_fails(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """It is attempted five times; the last attempt knows that it is; then it is dead-lettered."""
    one.script["a"] = [LookupError(f"no table {number}") for number in range(9)]
    await one.accept(content())
    for attempts in range(1, MAX_ATTEMPTS):
        (message,) = await messages.taken()
        await one.wake_up(message)
        assert one.queue.delays[-1] == RETRY_PAUSE_SECONDS
        assert await one.set_aside_state() == (WAITING, attempts)
        assert one.lasts == []
    (message,) = await messages.taken()
    assert message == RETRY
    await one.wake_up(message)
    assert one.runs == ["a"] * MAX_ATTEMPTS
    assert one.lasts == ["a"]
    assert await one.set_aside_state() == (FAILED, MAX_ATTEMPTS - 1)
    assert await poison.taken() == [RETRY]
    accepted = await stored(one)
    assert accepted.failure.endswith("LookupError: no table 4")
    assert "in _run" in accepted.failure
    assert accepted.activity.text == "hello"
    await one.wake_up(message)
    assert await messages.count() == 0
    assert len(one.runs) == MAX_ATTEMPTS


async def test_the_stored_traceback_is_redacted(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """A failure that quotes the user is stored without the quotation."""
    one.script["a"] = [ValueError("cannot parse 'sesame'")] * MAX_ATTEMPTS
    await one.accept(content(text="open sesame"))
    for _ in range(MAX_ATTEMPTS):
        await wake_up_all(one, messages)
    failure = (await stored(one)).failure
    assert "sesame" not in failure
    assert "ValueError" in failure


async def test_a_failure_blocks_nobody(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Those behind it run in the same drain, and the failed turn when it is its own time."""
    one.script.update({"a": [LookupError()], "b": [LookupError()]})
    for each in "abc":
        await one.accept(content(each))
    await wake_up_all(one, messages)
    assert one.runs == ["a", "b", "c"]
    await wake_up_all(one, messages)
    assert one.runs == ["a", "b", "c", "a", "b"]
    assert await one.set_aside_state() is None
    assert await messages.count() == 0
    assert await one.count() == 3


async def test_a_set_aside_activity(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Another drain of the inbox leaves it to its own wake-up message."""
    one.script["a"] = [LookupError()]
    await one.accept(content())
    await one.wake_up((await messages.taken())[0])
    await one.wake_up(WakeUp(CONVERSATION).text)
    assert one.runs == ["a"]
    await wake_up_all(one, messages)
    assert one.runs == ["a", "a"]


async def test_retries_of_a_conversation(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """While one runs, or waits for the lock, others are put back: they take no slot of the host."""
    turn = LongTurn()
    one.script.update({"a": [LookupError(), turn], "b": [LookupError()]})
    for each in "ab":
        await one.accept(content(each))
    await wake_up_all(one, messages)
    await messages.clear()
    retry = asyncio.create_task(one.wake_up(RETRY))
    await turn.started.wait()
    await one.wake_up(WakeUp(name_of("b")).text)
    assert one.queue.delays[-1] == RETRY_PAUSE_SECONDS
    turn.ends.set()
    await retry
    assert one.runs == ["a", "b", "a"]
    await wake_up_all(one, messages)
    assert one.runs == ["a", "b", "a", "b"]


async def test_a_retry_is_recognized(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """An activity that was processed at its second attempt is not processed again."""
    one.script["a"] = [LookupError()]
    await one.accept(content())
    for _ in range(2):
        await wake_up_all(one, messages)
    await one.accept(content())
    await wake_up_all(one, messages)
    assert one.runs == ["a", "a"]


async def test_a_failed_activity_that_is_received_again(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """Its attempts are counted together, and it is dead-lettered once."""
    one.script["a"] = [LookupError()] * 9
    await asyncio.gather(*(one.accept(content()) for _ in range(3)))
    await wake_up_all(one, messages)
    assert await one.set_aside_state() == (WAITING, 1)
    await messages.clear()
    await one.accept(content())
    await wake_up_all(one, messages)
    assert await one.set_aside_state() == (WAITING, 2)
    await one.wake_up(RETRY)
    while await messages.count():
        await wake_up_all(one, messages)
    assert (len(one.runs), one.lasts) == (MAX_ATTEMPTS, ["a"])
    assert await poison.count() == 1


async def test_an_attempt_that_ends_its_process(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """A redelivered message counts the first attempt before it starts; the order is kept."""
    one.script["a"] = [die]
    other.script["a"] = [die]
    for each in "ab":
        await one.accept(content(each))
    message, _ = await messages.taken()
    with pytest.raises(asyncio.CancelledError):
        await one.wake_up(message)
    assert await one.set_aside_state() is None
    await other.wake_up(message, 2)
    assert other.runs == []
    (message,) = await messages.taken()
    assert WakeUp.parse(message) == WakeUp(CONVERSATION, (), 0, 1)
    with pytest.raises(asyncio.CancelledError):
        await other.wake_up(message)
    assert await one.set_aside_state() == (WAITING, 1)
    await one.wake_up(message)
    assert one.runs == ["a", "a", "b"]
    assert await one.set_aside_state() is None


async def test_what_a_process_has_set_aside_before_its_end(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """It is deleted, even if another activity's wake-up message was quicker than its own."""
    one.script["a"] = [die]
    await one.accept(content())
    await messages.clear()
    message = WakeUp(CONVERSATION, redeliveries=1).text
    with pytest.raises(asyncio.CancelledError):
        await one.wake_up(message)
    await other.wake_up(WakeUp(CONVERSATION).text)
    assert await one.set_aside_state() == (WAITING, 1)
    await one.wake_up(message)
    assert await one.set_aside_state() is None
    assert one.runs == other.runs == ["a"]


async def test_a_turn_that_always_ends_its_process(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """It is dead-lettered after five counted attempts, and those behind it are processed."""
    one.script["a"] = [die] * 9
    for each in "ab":
        await one.accept(content(each))
    message, _ = await messages.taken()
    with pytest.raises(asyncio.CancelledError):
        await one.wake_up(message)
    for attempts in range(1, MAX_ATTEMPTS + 1):
        await one.wake_up(message, 2)
        (message,) = await messages.taken()
        with pytest.raises(asyncio.CancelledError):
            await one.wake_up(message)
        assert await one.set_aside_state() == (WAITING, attempts)
    await one.wake_up(message)
    assert one.runs == ["a"] * (MAX_ATTEMPTS + 1) + ["b"]
    assert one.killed == ["a"]
    assert await one.set_aside_state() == (FAILED, MAX_ATTEMPTS)
    assert await poison.taken() == [RETRY]
    assert (await stored(one)).failure.endswith("RuntimeError: killed")


async def test_a_retry_that_ends_its_process(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """Each attempt is counted before it starts, so the fifth is the last."""
    one.script["a"] = [LookupError(), *[die] * 9]
    await one.accept(content())
    await wake_up_all(one, messages)
    for attempts in range(2, MAX_ATTEMPTS + 1):
        with pytest.raises(asyncio.CancelledError):
            await one.wake_up(RETRY)
        assert await one.set_aside_state() == (WAITING, attempts)
    await one.wake_up(RETRY)
    assert (one.runs, one.lasts, one.killed) == (["a"] * MAX_ATTEMPTS, ["a"], ["a"])
    assert await poison.count() == 1


async def test_an_attempt_counts_once(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """It is counted before it starts or after it fails, but not twice."""
    one.script["a"] = [LookupError()] * 2
    await one.accept(content())
    (message,) = await messages.taken()
    await one.wake_up(message, 3)
    await wake_up_all(one, messages)
    assert await one.set_aside_state() == (WAITING, 1)
    await wake_up_all(one, messages)
    assert await one.set_aside_state() == (WAITING, 2)


@pytest.mark.parametrize("redeliveries", [0, 3])
async def test_an_unavailable_turn(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages, redeliveries: int
) -> None:
    """Its message is put back after longer and longer pauses, and it loses no attempt."""
    one.script["a"] = [Unavailable("later")] * 20
    await one.accept(content())
    await messages.clear()
    message = WakeUp(CONVERSATION, redeliveries=redeliveries).text
    one.queue.delays.clear()
    for _ in range(2 * MAX_ATTEMPTS):
        await one.wake_up(message)
        (message,) = await messages.taken()
    assert one.queue.delays == [BACKOFF.pause(number + 1) for number in range(2 * MAX_ATTEMPTS)]
    assert one.lasts == []
    one.script.clear()
    await one.wake_up(message)
    assert await one.set_aside_state() is None
    assert await one.count() == 1
    assert await messages.count() == await poison.count() == 0


async def test_an_unavailable_retry(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """It loses no attempt either."""
    one.script["a"] = [LookupError(), *[Unavailable("later")] * 6, *[LookupError()] * 9]
    await one.accept(content())
    for _ in range(7):
        await wake_up_all(one, messages)
    assert await one.set_aside_state() == (WAITING, 1)
    while await messages.count():
        await wake_up_all(one, messages)
    assert len(one.runs) == MAX_ATTEMPTS + 6
    assert one.lasts == ["a"]


async def test_a_long_outage(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """After an hour the activity is dead-lettered, and those behind it are processed."""
    await one.accept(content("before"))
    await wake_up_all(one, messages)
    one.script["a"] = [Unavailable("no role")] * 3
    for each in "ab":
        await one.accept(content(each))
    one.clock_ahead = MAX_OUTAGE_SECONDS - 10
    await one.wake_up((await messages.taken())[0])
    assert await poison.count() == 0
    one.clock_ahead = MAX_OUTAGE_SECONDS + 1
    await wake_up_all(one, messages)
    assert one.runs == ["before", "a", "a", "b"]
    assert await one.set_aside_state() == (FAILED, 0)
    assert await poison.taken() == [RETRY]
    assert (await stored(one)).failure.endswith("Unavailable: no role")
