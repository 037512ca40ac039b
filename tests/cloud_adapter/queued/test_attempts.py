"""Attempts: five at most, counted once each, and then a dead letter; none blocks other turns."""

import asyncio
import contextlib

import pytest
from aiohttp.web import StreamResponse

from auth.errors import Unavailable
from cloud_adapter.queued.drain import (
    ALWAYS_DIED,
    MAX_ATTEMPTS,
    MAX_OUTAGE_SECONDS,
    RETRY_PAUSE_SECONDS,
)
from cloud_adapter.queued.inbox import FAILED, RUNNING, WAITING, AcceptedActivity
from cloud_adapter.queued.wake_up import BACKOFF, WakeUp
from cloud_adapter.state.stored_state import LoadedState
from tests.support.bots.queued_turns import CONVERSATION, LongTurn, QueuedTurnsBot, content, name_of
from tests.support.storage.broken_leases import dying
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received
from tests.support.storage.storage_front import Pass, Passage, StorageFront, after

RETRY = WakeUp(name_of()).text
"""The wake-up message of the activity `a`, once it is set aside."""


async def stored(turns: QueuedTurnsBot) -> AcceptedActivity:
    """The stored parts of the activity `a`."""
    at = await turns.set_aside.find(name_of())
    assert at
    return at.parse()


async def wake_up_all(turns: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Handle the wake-up messages that are in the queue."""
    for message in await messages.taken():
        await turns.wake_up(message)


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


async def died(turns: QueuedTurnsBot, message: str) -> int:
    """Handle a wake-up message until the process dies; returns how often it was put back first."""
    for count in range(3):
        try:
            await turns.wake_up(message)
        except asyncio.CancelledError:
            return count
    raise AssertionError("the process lives")


async def test_a_process_that_dies(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages, storage: str
) -> None:
    """Its turn begins again in another process, before those behind it, and is counted."""
    one.script["a"] = [dying(storage)]
    other.script["a"] = [LookupError()]
    for each in "ab":
        await one.accept(content(each))
    message, _ = await messages.taken()
    await died(one, message)
    await other.wake_up(message, 2)
    assert (one.runs, other.runs) == (["a"], ["a", "b"])
    assert await one.set_aside_state() == (WAITING, 2)


async def test_a_process_that_dies_behind_what_is_processed(
    one: QueuedTurnsBot, messages: QueueMessages, storage: str
) -> None:
    """What was cut off is the first activity that is not processed, wherever the position is."""
    for each in "ab":
        await one.accept(content(each))
    await messages.clear()
    message = WakeUp(CONVERSATION).text
    await one.wake_up(message)
    for each in "abc":  # two are known, and the position is not stored for them
        await one.accept(content(each))
    one.script["c"] = [*[dying(storage)] * 2, LookupError()]
    await died(one, message)
    await died(one, message)
    assert await cut_offs(one) == 1
    await one.wake_up(message)
    await one.wake_up(message)
    assert await one.set_aside_state("c") == (WAITING, 3)
    assert one.runs == ["a", "b", "c", "c", "c"]


async def cut_offs(turns: QueuedTurnsBot) -> int:
    """The stored number of cut-offs of the first activity that is not processed."""
    position = LoadedState(await turns.states.read(CONVERSATION)).position
    return position.cut_offs if position else 0


async def test_a_process_that_dies_while_another_waits(
    one: QueuedTurnsBot,
    far: QueuedTurnsBot,
    front: StorageFront,
    messages: QueueMessages,
    storage: str,
) -> None:
    """The other one waits for the lease, and still learns that its owner died."""
    turn = LongTurn()
    one.script["a"] = [turn]
    far.script["a"] = [LookupError()]
    await one.accept(content())
    (message,) = await messages.taken()
    drain = asyncio.create_task(one.wake_up(message))
    await turn.started.wait()

    async def kill() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await dying(storage)()

    front.spoil("GET blob bot-state", after(kill), times=1, skip=1)
    await far.wake_up(message, 2)
    assert await far.set_aside_state() == (WAITING, 2)
    calls = [each.name for each in front.calls if each.name.endswith("bot-state")]
    assert calls[:3] == [*["GET blob bot-state"] * 2, "PUT blob lease bot-state"]
    drain.cancel()


async def test_a_turn_whose_process_always_dies(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages, storage: str
) -> None:
    """It runs five times, then is dead-lettered; those behind it are processed.

    From its third run on, it is put back into the queue first.
    """
    one.script["a"] = [dying(storage)] * 9
    for each in "ab":
        await one.accept(content(each))
    message, _ = await messages.taken()
    put_back = [await died(one, message) for _ in range(MAX_ATTEMPTS)]
    assert put_back == [0, 0, 1, 1, 1]
    assert one.queue.delays[-1] == RETRY_PAUSE_SECONDS
    assert await cut_offs(one) == MAX_ATTEMPTS - 1
    for _ in range(3):  # it is put back, the user gets the apology, and the others follow
        await one.wake_up(message)
    assert one.runs == ["a"] * MAX_ATTEMPTS + ["b"]
    assert (one.lasts, one.killed) == (["a"], ["a"])
    assert await poison.taken() == [RETRY]
    assert (await stored(one)).failure.endswith("RuntimeError: killed")
    assert await cut_offs(one) == 0


async def test_a_retry_whose_process_always_dies(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages, storage: str
) -> None:
    """A turn that has raised once runs four more times."""
    one.script["a"] = [LookupError(), *[dying(storage)] * 9]
    await one.accept(content())
    await wake_up_all(one, messages)
    for attempts in range(2, MAX_ATTEMPTS + 1):
        await died(one, RETRY)
        assert await one.set_aside_state() == (RUNNING, attempts)
    for _ in range(2):
        await one.wake_up(RETRY)
    assert (one.runs, one.lasts, one.killed) == (["a"] * MAX_ATTEMPTS, ["a"], ["a"])
    assert await poison.count() == 1


async def test_a_turn_that_dies_without_the_bot(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages, storage: str
) -> None:
    """If the process dies even then, in the bot's middleware, nothing runs any more."""
    one.script["a"] = [dying(storage)] * 9
    one.script_without_bot = [dying(storage)] * 2
    await one.accept(content())
    (message,) = await messages.taken()
    for _ in range(MAX_ATTEMPTS + 1):
        await died(one, message)
    for _ in range(2):
        await one.wake_up(message)
    assert (len(one.runs), len(one.killed)) == (MAX_ATTEMPTS, 1)
    assert await poison.taken() == [RETRY]
    assert (await stored(one)).failure == ALWAYS_DIED


async def test_a_retry_in_the_place_of_a_record(one: QueuedTurnsBot, storage: str) -> None:
    """It gets the lease of a record's process that died first, and counts that for the record."""
    one.script.update({"a": [LookupError()], "b": [dying(storage), LookupError()]})
    for each in "ab":
        await one.accept(content(each))
    message = WakeUp(CONVERSATION).text
    await died(one, message)
    await one.wake_up(RETRY)
    assert await cut_offs(one) == 1
    await one.wake_up(message)
    assert await one.set_aside_state("b") == (WAITING, 2)
    assert await one.set_aside_state() is None


async def test_a_record_in_the_place_of_a_retry(
    one: QueuedTurnsBot, messages: QueueMessages, storage: str
) -> None:
    """The other way round: it counts the death for the activity that was running."""
    one.script.update({"a": [LookupError(), dying(storage), LookupError()], "b": [LookupError()]})
    await one.accept(content("a"))
    await wake_up_all(one, messages)
    await died(one, RETRY)
    await one.accept(content("b"))
    await one.wake_up(WakeUp(CONVERSATION).text)
    assert await one.set_aside_state("b") == (WAITING, 1)
    found = await one.set_aside.find(name_of())
    assert found
    assert (found.state, found.attempts, found.cut_offs) == (WAITING, 2, 1)


async def test_what_was_set_aside_before_a_death(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, storage: str
) -> None:
    """The runs of a record are counted together, though it has been set aside before."""
    far.script["a"] = [LookupError(), dying(storage), LookupError()]
    await far.accept(content())
    await messages.clear()
    message = WakeUp(CONVERSATION).text

    async def die(passage: Passage, _: Pass) -> StreamResponse:
        with contextlib.suppress(asyncio.CancelledError):
            await dying(storage)()
        return passage.cut()

    front.spoil("PUT blob bot-state", die)
    await far.wake_up(message)
    front.heal()
    assert await far.set_aside_state() == (WAITING, 1)
    await died(far, message)
    for _ in range(2):
        await far.wake_up(message)
    assert far.runs == ["a"] * 3
    assert await far.set_aside_state() == (WAITING, 3)


async def test_deliveries_count_nothing(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """However often the host has delivered a message, only runs of the turn are counted."""
    one.script["a"] = [LookupError()] * 9
    await one.accept(content())
    for attempts in range(1, 4):
        for message in await messages.taken():
            await one.wake_up(message, 900)
        assert await one.set_aside_state() == (WAITING, attempts)


async def test_a_lease_that_was_left_without_a_turn(
    one: QueuedTurnsBot, messages: QueueMessages, storage: str
) -> None:
    """It is the turn's own runs that count up to the fifth: one death changes nothing."""
    one.script["a"] = [Unavailable("later")] * 2
    await one.accept(content())
    (message,) = await messages.taken()
    await one.wake_up(message)
    with pytest.raises(asyncio.CancelledError):
        await dying(storage)()
    for _ in range(2):
        await one.wake_up(message)
    assert (one.runs, one.lasts) == (["a"] * 3, [])
    assert await one.count() == 1


async def test_what_a_process_has_set_aside_before_its_death(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages, storage: str
) -> None:
    """It is deleted once it is processed, even if its wake-up message was never put."""
    one.script["a"] = [LookupError()]
    for each in "ab":
        await one.accept(content(each))
    message, _ = await messages.taken()
    one.script["b"] = [dying(storage)]
    await died(one, message)
    await messages.clear()
    await other.wake_up(message)
    assert await other.set_aside_state() == (WAITING, 1)
    await other.wake_up(RETRY)
    assert await other.set_aside_state() is None
    assert (one.runs, other.runs) == (["a", "b"], ["b", "a"])


async def test_a_message_that_is_delivered_again_meanwhile(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """Its own drain does not take it over: it must stay in the queue until that ends."""
    turn = LongTurn()
    one.script["a"] = [turn]
    await one.accept(content())
    (message,) = await messages.taken()
    handling = one.turns.handle_message(received(message), one.run_turn)
    drain = asyncio.create_task(handling)
    await turn.started.wait()
    await one.accept(content("b"))  # it joins the drain, as another message does
    await one.turns.handle_message(received(message, 1, "another"), one.run_turn)
    assert await messages.taken() == []
    await one.turns.handle_message(received(message, 2), one.run_turn)
    (again,) = await messages.taken()
    assert again == WakeUp(CONVERSATION).text
    # From now on, nothing else in the queue stands for what joins the drain.
    await one.turns.handle_message(received(again, 1, "one more"), one.run_turn)
    await one.accept(content("c"))
    assert len(await messages.taken()) == 2
    turn.ends.set()
    await drain


async def test_an_unavailable_turn(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """Its message is put back after longer and longer pauses, and it loses no attempt."""
    one.script["a"] = [Unavailable("later")] * 20
    await one.accept(content())
    await messages.clear()
    message = WakeUp(CONVERSATION).text
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
