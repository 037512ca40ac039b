"""DeadLetters: what was given up is shown with its cause, played again, or dropped."""

import datetime

import pytest

from cloud_adapter.errors import NothingToRequeue, StorageUnavailable, TurnFailed
from cloud_adapter.queued.dead_letters import GONE, MADE, NO_CAUSE, NO_RING, DeadLetter, DeadLetters
from cloud_adapter.queued.drain import MOST_TRIES
from cloud_adapter.queued.inbox import DONE, FAILED, WAITING
from cloud_adapter.queued.queued_turns import POISON_QUEUE, QUEUE
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.account import StorageAccount
from tests.support.bots.queued_turns import QueuedTurnsBot, content, name_of
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, answered


@pytest.fixture
def turns(account: StorageAccount) -> QueuedTurnsBot:
    """A process."""
    return QueuedTurnsBot(account)


@pytest.fixture
def poison(turns: QueuedTurnsBot) -> DeadLetters:
    """What it gave up."""
    return DeadLetters(turns.activities, turns.queue, turns.poison)


@pytest.fixture
def rings(storage: str) -> QueueMessages:
    """The queue."""
    return QueueMessages(storage, QUEUE)


async def given_up(turns: QueuedTurnsBot, rings: QueueMessages, activity_id: str = "a") -> None:
    """An activity whose turn failed too often."""
    turns.script[activity_id] = [LookupError("no table")] * MOST_TRIES
    await turns.accept(content(activity_id))
    (message,) = await rings.taken()
    for tries in range(1, MOST_TRIES):
        with pytest.raises(TurnFailed):
            await turns.answer(message, tries)
    await turns.answer(message, MOST_TRIES)
    turns.runs.clear()


async def only(poison: DeadLetters) -> DeadLetter:
    """The one that there is."""
    (turn,) = [turn async for turn in poison.all()]
    return turn


async def state(turns: QueuedTurnsBot) -> str:
    """Of the activity `a`."""
    found = await turns.activities.find(name_of())
    assert found
    return found.state


async def test_nothing(poison: DeadLetters) -> None:
    """An account without the queue has nothing to show."""
    assert [turn async for turn in poison.all()] == []


async def test_what_is_shown(
    turns: QueuedTurnsBot, poison: DeadLetters, rings: QueueMessages
) -> None:
    """The cause in one line, the whole traceback, and when the activity was accepted."""
    await given_up(turns, rings)
    turn = await only(poison)
    assert turn.cause == "LookupError: no table"
    assert "in run" in turn.failure
    assert turn.ring == WakeUp(name_of())
    assert turn.accepted
    assert datetime.datetime.now(datetime.UTC) - turn.accepted < datetime.timedelta(minutes=1)
    assert "hello" not in turn.failure


async def test_keeping(turns: QueuedTurnsBot, poison: DeadLetters, rings: QueueMessages) -> None:
    """Who only looks leaves it as it is, at once for the next one."""
    await given_up(turns, rings)
    for _ in range(3):
        await poison.keep(await only(poison))
    assert await state(turns) == FAILED
    assert await rings.count() == 0


async def test_replaying(turns: QueuedTurnsBot, poison: DeadLetters, rings: QueueMessages) -> None:
    """It waits again, with five tries, and is done when its turn ends well."""
    await given_up(turns, rings)
    await poison.replay(await only(poison))
    assert await state(turns) == WAITING
    (message,) = await rings.taken()
    turns.script["a"] = [LookupError()] * (MOST_TRIES - 1)
    for tries in range(1, MOST_TRIES):
        with pytest.raises(TurnFailed):
            await turns.answer(message, tries)
    await turns.answer(message, MOST_TRIES)
    assert turns.lasts == ["a", "a"]
    assert await state(turns) == DONE
    assert [turn async for turn in poison.all()] == []


async def test_dropping(turns: QueuedTurnsBot, poison: DeadLetters, rings: QueueMessages) -> None:
    """Nothing of it stays, and a second delivery gets no turn."""
    await given_up(turns, rings)
    await poison.drop(await only(poison))
    assert await state(turns) == DONE
    blob = await turns.blobs.read(name_of())
    assert blob
    assert blob.content == b""
    await turns.accept(content())
    for message in await rings.taken():
        await turns.answer(message)
    assert turns.runs == []
    assert [turn async for turn in poison.all()] == []


async def test_one_whose_process_ended(
    turns: QueuedTurnsBot, poison: DeadLetters, rings: QueueMessages
) -> None:
    """What the host itself has put aside has no cause; it can be played again."""
    await turns.accept(content())
    (message,) = await rings.taken()
    await turns.poison.put(message)
    turn = await only(poison)
    assert turn.cause == NO_CAUSE
    await poison.replay(turn)
    await turns.answer((await rings.taken())[0])
    assert turns.runs == ["a"]


async def test_one_that_is_done(
    turns: QueuedTurnsBot, poison: DeadLetters, rings: QueueMessages
) -> None:
    """A turn that was made at last is not made again."""
    await turns.accept(content())
    (message,) = await rings.taken()
    await turns.answer(message)
    await turns.poison.put(message)
    turn = await only(poison)
    assert turn.cause == MADE
    await poison.replay(turn)
    assert await rings.count() == 0
    assert [turn async for turn in poison.all()] == []


async def test_one_that_is_gone(turns: QueuedTurnsBot, poison: DeadLetters) -> None:
    """There is nothing to play; the message can be dropped."""
    await turns.poison.put(WakeUp(name_of()).text)
    turn = await only(poison)
    assert (turn.cause, turn.accepted) == (GONE, None)
    with pytest.raises(NothingToRequeue, match=GONE):
        await poison.replay(turn)
    await poison.drop(turn)
    assert [turn async for turn in poison.all()] == []


async def test_one_that_cannot_be_read(
    turns: QueuedTurnsBot, poison: DeadLetters, rings: QueueMessages
) -> None:
    """It says so itself, and can be dropped."""
    await turns.accept(content())
    found = await turns.activities.find(name_of())
    assert found
    await turns.blobs.write(name_of(), b"{", "*", found.metadata(WAITING, 0))
    await turns.answer((await rings.taken())[0])
    turn = await only(poison)
    assert "cannot be read" in turn.cause
    await poison.drop(turn)
    assert await state(turns) == DONE


@pytest.mark.parametrize("text", ["hello", "", "{}", "[" * 40_000, '{"activity": "x"}'])
async def test_a_foreign_message(turns: QueuedTurnsBot, poison: DeadLetters, text: str) -> None:
    """What is no ring is shown as that, never played, and dropped when somebody says so."""
    await turns.poison.put(text)
    turn = await only(poison)
    assert (turn.cause, turn.ring, turn.accepted) == (NO_RING, None, None)
    with pytest.raises(NothingToRequeue, match="no ring"):
        await poison.replay(turn)
    await poison.keep(turn)
    await poison.drop(await only(poison))
    assert [turn async for turn in poison.all()] == []


async def test_a_message_in_another_encoding(
    turns: QueuedTurnsBot, poison: DeadLetters, storage: str
) -> None:
    """A ring that somebody put in by hand is one."""
    await turns.accept(content())
    await turns.poison.put("x")
    queue = QueueMessages(storage, POISON_QUEUE)
    await queue.clear()
    await queue.put(WakeUp(name_of()).text)
    assert (await only(poison)).ring == WakeUp(name_of())


async def test_many(turns: QueuedTurnsBot, poison: DeadLetters, rings: QueueMessages) -> None:
    """More than a request hands out are all shown, each once."""
    await given_up(turns, rings)
    for number in range(70):
        await turns.poison.put(f"foreign {number}")
    found = [turn async for turn in poison.all()]
    assert len({turn.message.id for turn in found}) == len(found) == 71
    assert [turn.cause for turn in found].count(NO_RING) == 70


async def test_a_replay_that_fails(
    far_account: StorageAccount, front: StorageFront, rings: QueueMessages
) -> None:
    """Whichever request fails, the message stays in the queue of what was given up."""
    turns = QueuedTurnsBot(far_account)
    poison = DeadLetters(turns.activities, turns.queue, turns.poison)
    await given_up(turns, rings)
    for place in ("PUT blob metadata", "POST queue", "DELETE queue"):
        turn = await only(poison)
        front.spoil(place, answered(403))
        with pytest.raises(StorageUnavailable):
            await poison.replay(turn)
        front.heal()
        await poison.keep(turn)
    await poison.replay(await only(poison))
    for message in await rings.taken():
        await turns.answer(message)
    assert turns.runs == ["a"]
