"""DeadLetters: they are shown with their cause, requeued, or dropped."""

import datetime

import pytest

from cloud_adapter.errors import NothingToRequeue, StorageUnavailable, TurnFailed
from cloud_adapter.queued.dead_letters import (
    GONE,
    NO_CAUSE,
    NOT_A_WAKE_UP,
    PROCESSED,
    DeadLetter,
    DeadLetters,
)
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from cloud_adapter.queued.queued_turns import POISON_QUEUE
from cloud_adapter.queued.stored_activity import DONE, FAILED, WAITING
from cloud_adapter.queued.wake_up import WakeUp
from tests.support.bots.queued_turns import QueuedTurnsBot, content, name_of
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, answered


@pytest.fixture
def dead_letters(one: QueuedTurnsBot) -> DeadLetters:
    """A process's dead letters."""
    return DeadLetters(one.inbox, one.queue, one.poison_queue)


async def dead_lettered(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Dead-letter the activity `a`."""
    one.script["a"] = [LookupError("no table")] * MAX_ATTEMPTS
    await one.accept(content())
    (message,) = await messages.taken()
    for attempts in range(1, MAX_ATTEMPTS):
        with pytest.raises(TurnFailed):
            await one.wake_up(message, attempts)
    await one.wake_up(message, MAX_ATTEMPTS)
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
    assert "in _run_turn" in dead_letter.failure
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
    assert (await one.state())[0] == FAILED
    assert await messages.count() == 0


async def test_requeuing(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """The activity waits again, with five attempts, and is processed."""
    await dead_lettered(one, messages)
    await dead_letters.requeue(await only(dead_letters))
    assert (await one.state())[0] == WAITING
    (message,) = await messages.taken()
    one.script["a"] = [LookupError()] * (MAX_ATTEMPTS - 1)
    for attempts in range(1, MAX_ATTEMPTS):
        with pytest.raises(TurnFailed):
            await one.wake_up(message, attempts)
    await one.wake_up(message, MAX_ATTEMPTS)
    assert one.lasts == ["a", "a"]
    assert (await one.state())[0] == DONE
    assert [each async for each in dead_letters.all()] == []


async def test_dropping(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """The activity's content is deleted, and it is not processed when it arrives again."""
    await dead_lettered(one, messages)
    await dead_letters.drop(await only(dead_letters))
    assert (await one.state())[0] == DONE
    blob = await one.blobs.read(name_of())
    assert blob
    assert blob.content == b""
    await one.accept(content())
    for message in await messages.taken():
        await one.wake_up(message)
    assert one.runs == []
    assert [each async for each in dead_letters.all()] == []


async def test_a_message_that_the_host_moved(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """What the host has put into the poison queue has no traceback, and can be requeued."""
    await one.accept(content())
    (message,) = await messages.taken()
    await one.poison_queue.put(message)
    dead_letter = await only(dead_letters)
    assert dead_letter.cause == NO_CAUSE
    await dead_letters.requeue(dead_letter)
    await one.wake_up((await messages.taken())[0])
    assert one.runs == ["a"]


async def test_a_processed_activity(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """It is not processed again: requeuing deletes the message only."""
    await one.accept(content())
    (message,) = await messages.taken()
    await one.wake_up(message)
    await one.poison_queue.put(message)
    dead_letter = await only(dead_letters)
    assert dead_letter.cause == PROCESSED
    await dead_letters.requeue(dead_letter)
    assert await messages.count() == 0
    assert [each async for each in dead_letters.all()] == []


async def test_a_missing_activity(one: QueuedTurnsBot, dead_letters: DeadLetters) -> None:
    """It cannot be requeued, but the message can be dropped."""
    await one.poison_queue.put(WakeUp(name_of()).text)
    dead_letter = await only(dead_letters)
    assert (dead_letter.cause, dead_letter.accepted) == (GONE, None)
    with pytest.raises(NothingToRequeue, match=GONE):
        await dead_letters.requeue(dead_letter)
    await dead_letters.drop(dead_letter)
    assert [each async for each in dead_letters.all()] == []


async def test_an_unreadable_activity(
    one: QueuedTurnsBot, dead_letters: DeadLetters, messages: QueueMessages
) -> None:
    """The cause says so, and it can be dropped."""
    await one.accept(content())
    found = await one.inbox.find(name_of())
    assert found
    await one.blobs.write(name_of(), b"{", "*", found.metadata(WAITING, 0))
    await one.wake_up((await messages.taken())[0])
    dead_letter = await only(dead_letters)
    assert "cannot be read" in dead_letter.cause
    await dead_letters.drop(dead_letter)
    assert (await one.state())[0] == DONE


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
    dead_letters = DeadLetters(far.inbox, far.queue, far.poison_queue)
    await dead_lettered(far, messages)
    for call in ("PUT blob metadata", "POST queue", "DELETE queue"):
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
