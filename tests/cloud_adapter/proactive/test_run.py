"""NotificationRun: runs that end early, by their time, a crash, an outage or a lost lease."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from azure.storage.blob.aio import BlobClient, BlobLeaseClient
from botbuilder.core import Middleware, TurnContext

from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.proactive.notifications import LOCK, POISON_QUEUE
from cloud_adapter.proactive.run import BATCH_SIZE, CONTAINER, MAX_CONCURRENT
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.notifier import Notifier, texts
from tests.support.storage.storage_front import Pass, Passage, StorageFront, answered
from tests.support.timing.condition import comes_true
from tests.support.timing.stepped_clock import SteppedClock

HELLO = {"to": "all", "text": "hello"}
APPEND = "PUT blob appendblock bot-notifications"


@pytest.fixture
async def app(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """The composed app, whose storage calls can fail."""
    settings = {"AzureWebJobsStorage": front.connection_string}
    async with ComposedApp(cloud, monkeypatch, settings) as app:
        yield app


def sent(conversations: list[Conversation]) -> int:
    """The activities in these conversations."""
    return sum(len(each.activities) for each in conversations)


class BeforeEachTurn(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Does something before each turn.

    Args:
        step: gets the number of the turn, from 1.
    """

    def __init__(self, step: Any) -> None:
        self._step = step
        self._turns = 0

    async def on_turn(self, context: TurnContext, logic: Any) -> None:
        """Run the turn."""
        self._turns += 1
        await self._step(self._turns)
        await logic()


async def test_the_time_is_up(app: ComposedApp, clock: SteppedClock) -> None:
    """The message is put back into the queue under its id, and the next run sends the rest."""
    conversations = await Notifier(app, clock).add_users(20)
    notifier = Notifier(app, clock, max_run_seconds=0.2)
    await notifier.send(HELLO)
    assert 0 < sent(conversations) < 20
    [message] = await notifier.visible()
    assert json.loads(message) == {"v": 1, "to": ["all"], "text": "hello", "id": "m1"}
    await Notifier(app, clock).send(message, "m2")
    assert [texts(each) for each in conversations] == [["hello"]] * 20
    assert (await notifier.report())[-1]["summary"] == {"sent": 20}
    assert len(await notifier.report()) == 21
    assert await notifier.report("m2") == []


async def test_a_crash(app: ComposedApp, notifier: Notifier, front: StorageFront) -> None:
    """After a crash only those being sent to, and one batch, are sent to twice."""
    conversations = await notifier.add_users(60)

    async def crash(turn: int) -> None:
        if turn == 40:
            front.spoil(APPEND, answered(403))  # nothing more is written
            sending.cancel()

    app.parts.adapter.use(BeforeEachTurn(crash))
    sending = asyncio.create_task(notifier.send(HELLO))
    with contextlib.suppress(asyncio.CancelledError):  # else the failed run was put back
        await sending
    front.heal()
    known = set(await notifier.results())
    assert 0 < len(known) < 60
    await notifier.send(HELLO)
    twice = {f"msteams/{each.id}" for each in conversations if len(each.activities) == 2}
    print(f"\nin the report before the crash: {len(known)}, sent to twice: {len(twice)}")
    assert sent(conversations) == 60 + len(twice)
    assert not twice & known
    assert 0 < len(twice) <= BATCH_SIZE - 1 + MAX_CONCURRENT
    assert (await notifier.report())[-1]["summary"] == {"sent": 60}


async def test_a_lost_lease(app: ComposedApp, account: StorageAccount, clock: SteppedClock) -> None:
    """Another process may send by now: this one starts nothing more, and puts the rest back."""
    blobs = BlobContainer(account, CONTAINER)
    locks = ConversationLocks(blobs, renewal_seconds=0.01)
    notifier = Notifier(app, clock, locks)
    conversations = await notifier.add_users(30)

    async def lose_the_lease(turn: int) -> None:
        if turn == 1:
            text = account.source.connection_string
            async with BlobClient.from_connection_string(text, CONTAINER, LOCK) as leased:
                await BlobLeaseClient(leased).break_lease(lease_break_period=0)
        await comes_true(lambda: locks.lease_lost(LOCK))

    app.parts.adapter.use(BeforeEachTurn(lose_the_lease))
    await notifier.send(HELLO)
    assert 0 < sent(conversations) <= MAX_CONCURRENT
    assert len(notifier.queue.enqueued) == 1


async def test_storage_fails_in_the_middle(notifier: Notifier, front: StorageFront) -> None:
    """Messages being sent are not interrupted, others not started: the next run sends the rest."""
    conversations = await notifier.add_users(40)
    front.spoil("GET blob bot-references", answered(403), times=1, skip=20)
    await notifier.send(HELLO)
    assert 0 < sent(conversations) <= 20 + MAX_CONCURRENT
    assert len(await notifier.results()) == sent(conversations)
    await notifier.send_enqueued()
    assert [texts(each) for each in conversations] == [["hello"]] * 40


async def test_a_refusal_without_a_report(notifier: Notifier, front: StorageFront) -> None:
    """What is not a notification is in the poison queue all the same, and once."""
    front.spoil("PUT blob", answered(403))
    await notifier.send("hello")
    assert await notifier.visible(POISON_QUEUE) == ["hello"]


async def test_the_report_cannot_be_written(notifier: Notifier, front: StorageFront) -> None:
    """Sending pauses, and continues when storage is available again."""
    conversations = await notifier.add_users(30)
    counts: list[int] = []

    async def refuse(passage: Passage, passed: Pass) -> web.StreamResponse:
        counts.append(sent(conversations))
        return await answered(403)(passage, passed)

    front.spoil(APPEND, refuse, times=3)
    await notifier.send(HELLO)
    assert len(counts) == 3
    assert counts[-1] <= BATCH_SIZE - 1 + MAX_CONCURRENT
    assert [texts(each) for each in conversations] == [["hello"]] * 30
    assert (await notifier.report())[-1]["summary"] == {"sent": 30}
