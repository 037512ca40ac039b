"""What queued turns send to storage: few requests, in few round trips, and few wake-up messages."""

import asyncio
import itertools
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cloud_adapter.queued.inbox import MIN_TRUNCATED_BYTES
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.state.stored_state import MAX_TURN_IDS
from cloud_adapter.storage.account import StorageAccount
from tests.support.bots.queued_turns import CONVERSATION, QueuedTurnsBot, content
from tests.support.storage.broken_leases import dying
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront
from tests.support.timing.condition import comes_true

ACCEPT = {"PUT blob appendblock bot-turns", "POST queue bot-turns"}
READ = "GET blob bot-state"
START = {"PUT blob lease bot-state", "GET blob bot-turns"}
SAVE, RELEASE = "PUT blob bot-state", "PUT blob lease bot-state"

BURST = 1000
AT_ONCE = 16
MAX_WAKE_UPS = 200


@pytest.fixture
def far(far_account: StorageAccount) -> QueuedTurnsBot:
    """A process whose account is behind the proxy.

    No append is slow for it: on a busy machine, some would be, and each costs two more requests.
    """
    return QueuedTurnsBot(far_account, slow_append_seconds=math.inf)


async def settled(process: QueuedTurnsBot, messages: QueueMessages) -> None:
    """Handle the wake-up messages that are in the queue."""
    for message in await messages.taken():
        await process.wake_up(message)


def taken(front: StorageFront) -> list[str]:
    """The calls since the last time."""
    names = [call.name for call in front.calls]
    front.calls.clear()
    return names


async def test_a_turn(far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages) -> None:
    """Two requests accept it, in one round trip; two round trips lie between wake-up and turn."""
    await far.accept(content("a"))
    await settled(far, messages)
    front.calls.clear()
    before: list[str] = []

    async def look() -> None:
        before.extend(taken(front))

    far.script["b"] = [look]
    await far.accept(content("b"))
    accepting = taken(front)
    await settled(far, messages)
    assert set(accepting) == ACCEPT
    assert len(accepting) == 2
    assert before[:1] == [READ]
    assert (set(before[1:]), len(before)) == (START, 3)
    assert taken(front) == [SAVE, RELEASE]


async def test_the_turns_of_a_drain(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """Each but the first costs one write."""
    await far.accept(content("a"))
    await settled(far, messages)
    for number in range(10):
        await far.accept(content(f"{number}"))
    texts = await messages.taken()
    front.calls.clear()
    await far.wake_up(texts[0])
    names = taken(front)
    assert (names[:1], names[3:-1], names[-1:]) == ([READ], [SAVE] * 10, [RELEASE])
    for text in texts[1:]:
        await far.wake_up(text)
        assert taken(front) == [READ]


async def test_a_turn_that_was_cut_off(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, storage: str
) -> None:
    """The run that was cut off is counted with one write; those behind it cost one write each.

    What a process has set aside before its end is looked for.
    """
    await far.accept(content("a"))
    await settled(far, messages)
    for each in "bcd":
        await far.accept(content(each))
    far.script["b"] = [dying(storage)]
    with pytest.raises(asyncio.CancelledError):
        await far.wake_up(WakeUp(CONVERSATION).text)
    front.calls.clear()
    await far.wake_up(WakeUp(CONVERSATION).text)
    assert taken(front)[3:] == ["GET blob list bot-turns", SAVE, SAVE, SAVE, SAVE, RELEASE]


async def test_the_first_turn_of_a_conversation(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """Its inbox and its state are created."""
    await far.accept(content("a"))
    await settled(far, messages)
    front.calls.clear()
    await far.accept(content("a", "new"))
    accepting = taken(front)
    await settled(far, messages)
    assert len(accepting) == 5
    names = taken(front)
    assert (names[0], set(names[1:3])) == (READ, START)
    assert names[3:] == [SAVE, RELEASE]


async def test_a_long_conversation(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages
) -> None:
    """No turn costs more because of those before it, except for a truncation now and then."""
    counts = []
    for number in range(MAX_TURN_IDS + 10):
        await far.accept(content(f"{number}", text="x" * 1000))
        await settled(far, messages)
        counts.append(len(taken(front)))
    # A truncation is one request, and the next read finds that the inbox begins elsewhere.
    truncations = len(counts) * 1400 // MIN_TRUNCATED_BYTES
    assert counts.count(8) == 2 * truncations
    assert set(counts[1:]) == {7, 8}


@asynccontextmanager
async def host(
    messages: QueueMessages, *processes: QueuedTurnsBot
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Deliver wake-up messages to the processes in turn, as soon as they are there."""
    handlers: list[asyncio.Task[None]] = []
    ended = asyncio.Event()

    async def poll() -> None:
        next_process = itertools.cycle(processes)
        while not ended.is_set():
            process = next(next_process)
            texts = await messages.taken()
            handlers.extend(asyncio.create_task(process.wake_up(text)) for text in texts)

    polling = asyncio.create_task(poll())
    yield handlers
    ended.set()  # not cancelled: on uvloop, aiohttp leaks the socket of a cancelled connect
    await polling
    await asyncio.gather(*handlers)


async def burst(count: int, *processes: QueuedTurnsBot) -> None:
    """Let the processes accept messages of one conversation, some at a time."""
    numbers = iter(range(count))

    async def client(process: QueuedTurnsBot) -> None:
        for number in numbers:
            await process.accept(content(f"{number}"))

    clients = (client(process) for process in itertools.islice(itertools.cycle(processes), AT_ONCE))
    await asyncio.gather(*clients)


async def test_a_burst(one: QueuedTurnsBot, messages: QueueMessages) -> None:
    """A drain takes over what its own process accepts, so there are few wake-up messages."""
    async with host(messages, one):
        await burst(BURST, one)
        await comes_true(lambda: len(one.runs) == BURST, 120)
    assert len(one.queue.delays) <= MAX_WAKE_UPS
    assert await one.count() == BURST


async def test_a_burst_on_two_processes(
    one: QueuedTurnsBot, other: QueuedTurnsBot, messages: QueueMessages
) -> None:
    """The process that is not draining puts one message back for all that arrive meanwhile."""
    async with host(messages, one, other):
        await burst(BURST, one, other)
        await comes_true(lambda: len(one.runs + other.runs) == BURST, 120)
    assert len(one.queue.delays + other.queue.delays) <= MAX_WAKE_UPS
    assert await one.count() == BURST
