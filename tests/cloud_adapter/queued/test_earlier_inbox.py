"""What an earlier version stored, and did not process, is processed first, in its order."""

import asyncio
import json
import time

import pytest

from auth.errors import Unavailable
from cloud_adapter.queued import drain
from cloud_adapter.queued.attempts import MAX_ATTEMPTS
from cloud_adapter.queued.dead_letters import DeadLetters
from cloud_adapter.queued.stored_activity import FAILED, WAITING, StoredActivity
from cloud_adapter.queued.wake_up import BACKOFF, PAUSE_SECONDS, WakeUp
from tests.support.bots.queued_turns import CLAIMS, QueuedTurnsBot, content
from tests.support.storage.queue_messages import QueueMessages
from tests.support.timing.moved_clock import MovedClock

CONVERSATION = "webchat~2Fc"
"""The name that the earlier version gave to the conversation."""

DONE = "done"
"""The state of an activity that was processed."""

NOW = time.time_ns()


async def store(
    one: QueuedTurnsBot,
    activity_id: str,
    number: int,
    *,
    attempts: int = 0,
    state: str = WAITING,
    is_marked: bool = True,
) -> str:
    """Store an activity as the earlier version did; returns its wake-up message."""
    name, accepted_at = f"{CONVERSATION}/{activity_id}", NOW + number
    data = {"claims": CLAIMS, "activity": json.loads(content(activity_id))}
    body = b"" if state == DONE else json.dumps(data).encode()
    await one.set_aside.write(StoredActivity(name, accepted_at, attempts, state, body))
    if is_marked:
        marker = f"waiting/{CONVERSATION}/{accepted_at:020}/{activity_id}"
        await one.blobs.write(marker, b"", "*")
    return json.dumps({"activity": name, "again": 0, "seen": 0})


async def left(one: QueuedTurnsBot) -> list[str]:
    """The names of the blobs that are left of the earlier version."""
    names = [entry.name async for entry in one.blobs.list()]
    return [name for name in names if not name.startswith("inbox/")]


async def test_an_earlier_wake_up_message(one: QueuedTurnsBot) -> None:
    """It starts the turns of all that wait, in their order; nothing is left of them."""
    texts = [await store(one, each, number) for number, each in enumerate("cab")]
    await one.wake_up(texts[2])
    assert one.runs == ["c", "a", "b"]
    assert await left(one) == []
    for text in texts:
        await one.wake_up(text)
    assert await one.count() == 3


async def test_activities_of_both_versions(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """The first drain of the inbox processes the earlier ones first."""
    earlier = [await store(one, each, number) for number, each in enumerate("ab")]
    for each in "cad":
        await one.accept(content(each))
    await one.settle(messages)
    assert one.runs == ["a", "b", "c", "d"]
    for text in earlier:
        await one.wake_up(text)
    assert await left(one) == []
    assert await one.count() == 4


async def test_an_earlier_activity_later(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """After a rollback and another update, its own wake-up message starts its turn."""
    await one.accept(content("a"))
    await one.settle(messages)
    await one.wake_up(await store(one, "b", 5))
    assert one.runs == ["a", "b"]
    assert await left(one) == []


@pytest.mark.parametrize("state", [DONE, FAILED])
async def test_an_activity_that_does_not_wait(one: QueuedTurnsBot, state: str) -> None:
    """One that was processed or dead-lettered gets no turn; its marker goes."""
    message = await store(one, "a", 5, state=state)
    await store(one, "b", 6)
    await one.wake_up(await store(one, "b", 6))
    await one.wake_up(message)
    assert one.runs == ["b"]
    assert await left(one) == [f"{CONVERSATION}/a"]


async def test_an_activity_that_failed_before(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Its attempts go on counting, and it becomes a dead letter that can be requeued."""
    one.script["a"] = [LookupError("no table")] * 2
    message = await store(one, "a", 5, attempts=MAX_ATTEMPTS - 2, is_marked=False)
    await one.wake_up(message)
    await one.settle(messages)
    assert (one.runs, one.lasts) == (["a", "a"], ["a"])
    dead_letters = DeadLetters(one.set_aside, one.queue, one.poison_queue)
    (dead_letter,) = [each async for each in dead_letters.all()]
    assert dead_letter.cause == "LookupError: no table"
    await dead_letters.requeue(dead_letter)
    await one.settle(messages)
    assert one.runs == ["a"] * 3
    assert await left(one) == []


async def test_a_failure_blocks_nobody(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """The others run, and it is retried."""
    one.script["a"] = [LookupError()]
    for number, each in enumerate("ab"):
        message = await store(one, each, number)
    await one.accept(content("c"))
    await one.wake_up(message)
    assert one.runs == ["a", "b"]
    await one.settle(messages)
    assert sorted(map(str, one.runs)) == ["a", "a", "b", "c"]
    assert await left(one) == []


async def test_an_unavailable_turn(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Those behind it wait, those of the inbox too, and no attempt is counted."""
    one.script["a"] = [Unavailable("later")] * (MAX_ATTEMPTS + 1)
    for number, each in enumerate("ab"):
        await store(one, each, number)
    await one.accept(content("c"))
    for _ in range(MAX_ATTEMPTS + 1):
        assert set(map(str, one.runs)) <= {"a"}
        (text,) = await messages.taken()
        await one.wake_up(text)
    assert one.queue.delays[-1] == BACKOFF.longest
    await one.settle(messages)
    assert one.runs[-3:] == ["a", "b", "c"]
    assert one.lasts == []


async def test_an_attempt_that_ends_its_process(
    one: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """It is counted before it starts, so after the fifth the others run."""

    async def die() -> None:
        raise asyncio.CancelledError

    one.script["a"] = [die] * 9
    await store(one, "a", 5)
    await one.accept(content("b"))
    (message,) = await messages.taken()
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(asyncio.CancelledError):
            await one.wake_up(message)
    await one.wake_up(message)
    assert (one.killed, one.runs[-1]) == (["a"], "b")


@pytest.mark.parametrize("is_earlier", [True, False])
async def test_a_long_drain(
    one: QueuedTurnsBot,
    messages: QueueMessages,
    stopped_clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
    is_earlier: bool,
) -> None:
    """It leaves the rest to another wake-up message, and the order is kept."""
    monkeypatch.setattr(drain, "MAX_DRAIN_SECONDS", 1.0)

    async def long() -> None:
        stopped_clock.move(0.6)

    one.script.update({each: [long] for each in "abcd"})
    for number, each in enumerate("abc"):
        earlier = await store(one, each, number)
    await one.accept(content("d"))
    (message,) = await messages.taken()
    await one.wake_up(earlier if is_earlier else message)
    assert one.runs == ["a", "b"]
    assert one.queue.delays[-1] == PAUSE_SECONDS
    await one.settle(messages)
    await one.wake_up(message)
    assert one.runs == ["a", "b", "c", "d"]


async def test_an_empty_activity(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """One that was requeued after it had been processed is left as it is."""
    message = await store(one, "a", 5, state=DONE)
    await one.set_aside.write(StoredActivity(f"{CONVERSATION}/a", 5, 0, WAITING, b""))
    await one.wake_up(message)
    await one.accept(content("b"))
    await one.settle(messages)
    assert one.runs == ["b"]
    assert await poison.count() == 0


async def test_an_unreadable_activity(
    one: QueuedTurnsBot, messages: QueueMessages, poison: QueueMessages
) -> None:
    """It is dead-lettered."""
    message = await store(one, "a", 5)
    await one.set_aside.write(StoredActivity(f"{CONVERSATION}/a", 5, 0, WAITING, b"{"))
    await one.wake_up(message)
    await one.accept(content("b"))
    await one.settle(messages)
    assert one.runs == ["b"]
    assert await poison.taken() == [WakeUp(f"{CONVERSATION}/a").text]
