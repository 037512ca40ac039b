"""What a turn asks of storage: which requests, and which of them at the same time."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from botbuilder.core import TurnContext

from cloud_adapter.state.stored_state import CONTAINER
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer, name_part
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.bots.remembering_bot import (
    USER_KEY,
    RememberingBot,
    conversation_key,
    counts,
)
from tests.support.storage.storage_front import Pass, Passage, StorageFront, after

MESSAGE = {"type": "message", "text": "hello"}
INVOKE = {"type": "invoke", "name": "task/fetch", "value": {}}
READ, WRITE, LEASE = "GET blob bot-state", "PUT blob bot-state", "PUT blob lease bot-state"


class CountingBot:
    """Counts in the conversation's state alone.

    Attributes:
        before_reply: the requests of each turn before its reply.
    """

    def __init__(self, app: ComposedApp, front: StorageFront) -> None:
        self.before_reply: list[list[str]] = []
        self._count = app.parts.services.conversation_state.create_property("count")
        self._front = front

    async def __call__(self, turn: TurnContext) -> None:
        """A turn."""
        start = len(self._front.calls)
        count = await self._count.get(turn, lambda: 0) + 1
        await self._count.set(turn, count)
        self.before_reply.append(names(self._front, start))
        await turn.send_activity(f"{count}")


def names(front: StorageFront, start: int) -> list[str]:
    """The requests for state since then."""
    return [call.name for call in front.calls[start:] if call.name.endswith("bot-state")]


async def deliver(app: ComposedApp, content: Mapping[str, Any], bot: Logic) -> None:
    """A turn, after which its lease is released."""
    assert (await app.deliver(content, bot)).status in (200, 501)
    await app.parts.locks.close()


def together(front: StorageFront, *requests: str) -> None:
    """Answer the next of each of these requests only once all of them have arrived."""
    barrier = asyncio.Barrier(len(requests))
    for name in requests:
        front.spoil(name, after(barrier.wait), times=1)


async def test_a_turn(far: ComposedApp, front: StorageFront) -> None:
    """One round trip before the reply: the lease and the state; one before the answer: the write.

    The lease is released in the background.
    """
    bot = CountingBot(far, front)
    await deliver(far, MESSAGE, bot)
    start = len(front.calls)
    together(front, LEASE, READ)
    answered = asyncio.Event()
    front.spoil(LEASE, after(answered.wait), times=1)
    assert (await far.deliver(MESSAGE, bot)).status == 200
    answered.set()
    await far.parts.locks.close()
    assert sorted(bot.before_reply[1]) == sorted([LEASE, READ])
    assert names(front, start)[2:] == [WRITE, LEASE]
    assert far.texts() == ["1", "2"]


async def test_a_conversation_s_first_turn(far: ComposedApp, front: StorageFront) -> None:
    """It replies before its blob is created and leased, which its save waits for."""
    bot, replied = CountingBot(far, front), asyncio.Event()

    async def reply(turn: TurnContext) -> None:
        await bot(turn)
        replied.set()

    front.spoil(WRITE, after(replied.wait), times=1)
    together(front, LEASE, READ)
    start = len(front.calls)
    await deliver(far, MESSAGE, reply)
    assert sorted(names(front, start)[:2]) == sorted([LEASE, READ])
    assert names(front, start)[2:] == [WRITE, LEASE, WRITE, LEASE]
    await deliver(far, MESSAGE, bot)
    assert far.texts() == ["1", "2"]


async def test_a_user_s_state(far: ComposedApp, front: StorageFront) -> None:
    """It is read at the same time, whichever state is used first, and written first."""
    bot = RememberingBot(far.parts)
    await deliver(far, MESSAGE, bot)

    async def user_first(turn: TurnContext) -> None:
        await bot.total.get(turn)
        await bot(turn)

    for logic in (bot, user_first):
        start = len(front.calls)
        together(front, LEASE, READ, READ)
        await deliver(far, MESSAGE, logic)
        assert sorted(names(front, start)[:3]) == sorted([LEASE, READ, READ])
        assert names(front, start)[3:] == [WRITE, WRITE, LEASE]
    assert await counts(far) == (3, 3)


async def test_a_user_s_state_in_an_invoke(far: ComposedApp, front: StorageFront) -> None:
    """Both states are read at the same time, without a lease."""
    bot = RememberingBot(far.parts)
    start = len(front.calls)
    together(front, READ, READ)
    await deliver(far, INVOKE, bot)
    assert names(front, start) == [READ, READ, WRITE, WRITE]


async def test_an_activity_without_a_sender(far: ComposedApp, front: StorageFront) -> None:
    """It has no user's state to be read."""
    RememberingBot(far.parts)
    bot = CountingBot(far, front)
    await deliver(far, {**MESSAGE, "from": None}, bot)
    assert sorted(bot.before_reply[0]) == sorted([LEASE, READ])


async def test_two_turns_that_wait(far: ComposedApp, front: StorageFront) -> None:
    """The next one here gets the lease and the state from the turn before: it asks for nothing."""
    bot = CountingBot(far, front)
    await deliver(far, MESSAGE, bot)
    start = len(front.calls)
    await asyncio.gather(*(far.deliver(MESSAGE, bot) for _ in range(3)))
    await far.parts.locks.close()
    assert sorted(names(front, start)[:2]) == sorted([LEASE, READ])
    assert names(front, start)[2:] == [WRITE, WRITE, WRITE, LEASE]
    assert far.texts() == ["1", "2", "3", "4"]


async def test_a_user_s_state_of_a_waiting_turn(far: ComposedApp) -> None:
    """It is read when the turn's time has come: it may be what the turn before has written."""
    bot = RememberingBot(far.parts)
    await deliver(far, MESSAGE, bot)
    await asyncio.gather(*(far.deliver(MESSAGE, bot) for _ in range(5)))
    assert (await counts(far), bot.runs) == ((6, 6), 6)


async def test_a_read_that_was_too_early(
    far: ComposedApp, front: StorageFront, account: StorageAccount
) -> None:
    """If another process writes between the read and the lease, both states are read again."""
    bot, both_read = RememberingBot(far.parts), asyncio.Barrier(3)
    await deliver(far, MESSAGE, bot)
    blobs = BlobContainer(account, CONTAINER)

    async def read(_: Passage, passed: Pass) -> web.StreamResponse:
        response = await passed()
        await both_read.wait()
        return response

    async def theirs() -> None:
        await both_read.wait()
        await blobs.write(name_part(conversation_key(far)), b'[1,{"count":10}]', ANY)
        await blobs.write(name_part(USER_KEY), b'[1,{"total":20}]', ANY)

    for _ in range(2):
        front.spoil(READ, read, times=1)
    front.spoil(LEASE, after(theirs), times=1)
    start = len(front.calls)
    await deliver(far, MESSAGE, bot)
    assert (await counts(far), bot.runs) == ((11, 21), 2)
    assert names(front, start)[3:8] == [READ, READ, WRITE, WRITE, LEASE]
