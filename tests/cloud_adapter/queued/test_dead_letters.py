"""DeadLetters: they are shown with their cause, requeued, or dropped."""

import datetime

import pytest

from cloud_adapter.errors import NothingToRequeue, StorageUnavailable
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from cloud_adapter.queued.inbox import FAILED, WAITING, StoredActivity
from cloud_adapter.queued.queued_turns import POISON_QUEUE
from cloud_adapter.queued.set_aside import (
    GONE,
    NO_CAUSE,
    NOT_A_WAKE_UP,
    DeadLetter,
    DeadLetters,
)
from cloud_adapter.queued.wake_up import WakeUp
from tests.support.bots.queued_turns import CONVERSATION, QueuedTurnsBot, content, name_of
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, answered


@pytest.fixture
def dead_letters(one: QueuedTurnsBot) -> DeadLetters:
    """A process's dead letters."""
    return DeadLetters(one.set_aside, one.queue, one.poison_queue)


async def dead_lettered(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Dead-letter the activity `a`."""
    one.script["a"] = [LookupError("no table")] * MAX_ATTEMPTS
    await one.accept(content())
    for _ in range(MAX_ATTEMPTS):
        (message,) = await messages.taken()
        await one.wake_up(message)
    one.runs.clear()


async def only(dead_letters: DeadLetters) -> DeadLetter:
    """The only dead letter."""
    (dead_letter,) = [each async for each in dead_letters.all()]
    return dead_letter


async def test_no_dead_letters(dead_letters: DeadLetters) -> None:
    """An account without the queue has none."""
    assert [each async for each in dead_letters.all()] == []


async def test_a_dead_letter(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """It has the cause in a line, the redacted traceback, and the time of acceptance."""
    await dead_lettered(one, messages)
    dead_letter = await only(dead_letters)
    assert dead_letter.cause == "LookupError: no table"
    assert "in _run" in dead_letter.failure
    assert dead_letter.wake_up == WakeUp(name_of())
    assert dead_letter.accepted
    assert datetime.datetime.now(datetime.UTC) - dead_letter.accepted < datetime.timedelta(
        minutes=1
    )
    assert "hello" not in dead_letter.failure


async def test_releasing(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """A released dead letter is unchanged, and can be received again at once."""
    await dead_lettered(one, messages)
    for _ in range(3):
        await dead_letters.release(await only(dead_letters))
    assert await one.set_aside_state() == (FAILED, MAX_ATTEMPTS - 1)
    assert await messages.count() == 0


async def test_requeuing(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """The activity waits again, with five attempts, and is processed."""
    await dead_lettered(one, messages)
    await dead_letters.requeue(await only(dead_letters))
    assert await one.set_aside_state() == (WAITING, 0)
    one.script["a"] = [LookupError()] * (MAX_ATTEMPTS - 1)
    for _ in range(MAX_ATTEMPTS):
        (message,) = await messages.taken()
        await one.wake_up(message)
    assert one.lasts == ["a", "a"]
    assert await one.set_aside_state() is None
    assert await messages.count() == 0
    assert [each async for each in dead_letters.all()] == []


async def test_dropping(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """The activity is deleted, and gets no turn."""
    await dead_lettered(one, messages)
    await dead_letters.drop(await only(dead_letters))
    assert await one.set_aside_state() is None
    assert [each async for each in dead_letters.all()] == []
    await one.wake_up(WakeUp(name_of()).text)
    assert one.runs == []


async def test_an_inbox(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """A wake-up message that the host moved, as the app did not start, can be requeued."""
    await one.accept(content())
    (message,) = await messages.taken()
    await one.poison_queue.put(message)
    dead_letter = await only(dead_letters)
    assert (dead_letter.cause, dead_letter.accepted) == (NO_CAUSE, None)
    assert dead_letter.wake_up
    assert dead_letter.wake_up.conversation == CONVERSATION
    await dead_letters.requeue(dead_letter)
    await one.wake_up((await messages.taken())[0])
    assert one.runs == ["a"]
    assert [each async for each in dead_letters.all()] == []


async def test_dropping_an_inbox(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """Only the message goes: the next one of the conversation processes what waits."""
    await one.accept(content("a"))
    (message,) = await messages.taken()
    await one.poison_queue.put(message)
    await dead_letters.drop(await only(dead_letters))
    assert [each async for each in dead_letters.all()] == []
    await one.accept(content("b"))
    await one.wake_up((await messages.taken())[0])
    assert one.runs == ["a", "b"]


async def test_a_set_aside_activity_that_the_host_moved(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """It has no traceback, and can be requeued."""
    one.script["a"] = [LookupError()]
    await one.accept(content())
    await one.wake_up((await messages.taken())[0])
    await one.poison_queue.put((await messages.taken())[0])
    dead_letter = await only(dead_letters)
    assert dead_letter.cause == NO_CAUSE
    await dead_letters.requeue(dead_letter)
    await one.wake_up((await messages.taken())[0])
    assert one.runs == ["a", "a"]


async def test_a_missing_activity(one: QueuedTurnsBot, dead_letters: DeadLetters) -> None:
    """It cannot be requeued, but the message can be dropped."""
    await one.poison_queue.put(WakeUp(name_of()).text)
    dead_letter = await only(dead_letters)
    assert (dead_letter.cause, dead_letter.accepted) == (GONE, None)
    with pytest.raises(NothingToRequeue, match=GONE):
        await dead_letters.requeue(dead_letter)
    await dead_letters.drop(dead_letter)
    assert [each async for each in dead_letters.all()] == []


async def test_an_unreadable_activity(one: QueuedTurnsBot, dead_letters: DeadLetters) -> None:
    """The cause says so, and it can be dropped."""
    await one.set_aside.write(StoredActivity("c/x", 0, 0, WAITING, b"{"))
    await one.wake_up(WakeUp("c/x").text)
    dead_letter = await only(dead_letters)
    assert "cannot be read" in dead_letter.cause
    assert dead_letter.accepted is None
    await dead_letters.drop(dead_letter)
    assert await one.set_aside.find("c/x") is None


@pytest.mark.parametrize("text", ["hello", "", "{}", "[" * 40_000, '{"activity": "x"}'])
async def test_a_message_of_somebody_else(
    one: QueuedTurnsBot, dead_letters: DeadLetters, text: str
) -> None:
    """The cause says so; it cannot be requeued, but dropped."""
    await one.poison_queue.put(text)
    dead_letter = await only(dead_letters)
    assert (dead_letter.cause, dead_letter.wake_up, dead_letter.accepted) == (
        NOT_A_WAKE_UP,
        None,
        None,
    )
    with pytest.raises(NothingToRequeue, match=NOT_A_WAKE_UP):
        await dead_letters.requeue(dead_letter)
    await dead_letters.release(dead_letter)
    await dead_letters.drop(await only(dead_letters))
    assert [each async for each in dead_letters.all()] == []


async def test_a_message_in_another_encoding(
    one: QueuedTurnsBot, dead_letters: DeadLetters, storage: str
) -> None:
    """A wake-up message that somebody put in by hand is recognized."""
    await one.accept(content())
    await one.poison_queue.put("x")
    queue = QueueMessages(storage, POISON_QUEUE)
    await queue.clear()
    await queue.put(WakeUp(name_of()).text)
    assert (await only(dead_letters)).wake_up == WakeUp(name_of())


async def test_many_dead_letters(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """More than one request receives are all returned, each once."""
    await dead_lettered(one, messages)
    for number in range(70):
        await one.poison_queue.put(f"foreign {number}")
    found = [each async for each in dead_letters.all()]
    assert len({each.message.id for each in found}) == len(found) == 71
    assert [each.cause for each in found].count(NOT_A_WAKE_UP) == 70


async def test_requeuing_that_fails(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """Whichever request fails, the message stays in the poison queue."""
    dead_letters = DeadLetters(far.set_aside, far.queue, far.poison_queue)
    await dead_lettered(far, messages)
    for call in ("PUT blob bot-turns", "POST queue", "DELETE queue"):
        dead_letter = await only(dead_letters)
        front.spoil(call, answered(403))
        with pytest.raises(StorageUnavailable):
            await dead_letters.requeue(dead_letter)
        front.heal()
        await dead_letters.release(dead_letter)
    await dead_letters.requeue(await only(dead_letters))
    for message in await messages.taken():
        await far.wake_up(message)
    assert far.runs == ["a"]
