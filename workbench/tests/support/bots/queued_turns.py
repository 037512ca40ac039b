"""QueuedTurnsBot: queued turns in one process, with turns that do what a test says."""

import asyncio
import json
import math
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity

from cloud_adapter.codec import read_model
from cloud_adapter.queued.drain import Attempt
from cloud_adapter.queued.inbox import AcceptedActivity
from cloud_adapter.queued.queued_turns import MAX_DRAIN_SECONDS, POISON_QUEUE, QUEUE, QueuedTurns
from cloud_adapter.queued.set_aside import CONTAINER, SetAsideActivities
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import RENEWAL_SECONDS, ConversationLocks, conversation_name
from cloud_adapter.state.stored_state import CONTAINER as STATE
from cloud_adapter.state.stored_state import LoadedState
from cloud_adapter.state.turn import (
    AutoSaveStateMiddleware,
    ConversationState,
    ConversationTurn,
    UserState,
    turn_id,
)
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received

CLAIMS = {"aud": "bot", "iss": "https://api.botframework.com"}

CONVERSATION = "webchat~2Fconversations~2Fc"
"""The name of the conversation that activities are in unless a test says otherwise."""

Step = Exception | Callable[[], Awaitable[object]]


def content(activity_id: str | None = "a", conversation: str = "c", text: str = "hello") -> bytes:
    """A message, as the channel sends it."""
    data = {
        "type": "message",
        "id": activity_id,
        "channelId": "webchat",
        "serviceUrl": "https://x/",
        "conversation": {"id": conversation},
        "text": text,
    }
    return json.dumps(data).encode()


def id_of(activity_id: str = "a", conversation: str = "c") -> str:
    """The id by which a message is recognized."""
    return turn_id(read_model(Activity, json.loads(content(activity_id, conversation))))


def name_of(activity_id: str = "a", conversation: str = "c") -> str:
    """The name of a message's blob, once it is set aside."""
    activity: Any = read_model(Activity, json.loads(content(activity_id, conversation)))
    return f"{conversation_name(activity)}/{turn_id(activity)}"


class UndelayedQueue(MessageQueue):
    """A queue whose messages are visible at once.

    Attributes:
        delays: seconds that each message would have been invisible.
    """

    def __init__(self, account: StorageAccount, name: str) -> None:
        super().__init__(account, name)
        self.delays: list[float] = []

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue."""
        await super().put(text)
        self.delays.append(delay)


class QueuedTurnsBot:
    """One process's queued turns. Each turn counts the turns of its conversation in its state.

    Args:
        account: the bot's storage account.
        renewal_seconds: the time between two renewals of a lease.
        slow_append_seconds: an append that takes longer is followed by another wake-up message. On
            a busy machine, some would be.
        max_drain_seconds: how long an invocation starts turns.

    Attributes:
        runs: ids of the activities whose turns were started.
        lasts: those of them whose attempt was the last.
        killed: ids of activities that were given up because the process died in their turns.
        accepted: what each of `runs` got.
        script: what the turns of an activity do, one after the other; after that they succeed.
        script_without_bot: what turns do that run without the bot's code.
        clock_ahead: seconds by which the process's clock is ahead.
    """

    def __init__(
        self,
        account: StorageAccount,
        renewal_seconds: float = RENEWAL_SECONDS,
        slow_append_seconds: float = math.inf,
        max_drain_seconds: float = MAX_DRAIN_SECONDS,
    ) -> None:
        self.clock_ahead = 0.0
        self.states = BlobContainer(account, STATE)
        self.locks = ConversationLocks(self.states, renewal_seconds)
        self.blobs = BlobContainer(account, CONTAINER)
        self.queue = UndelayedQueue(account, QUEUE)
        self.poison_queue = MessageQueue(account, POISON_QUEUE)
        self.set_aside = SetAsideActivities(self.blobs, self.poison_queue)
        self.turns = QueuedTurns(
            self.blobs,
            self.queue,
            self.poison_queue,
            self.locks,
            clock=lambda: time.time_ns() + int(self.clock_ahead * 1e9),
            slow_append_seconds=slow_append_seconds,
            max_drain_seconds=max_drain_seconds,
        )
        self.runs: list[str | None] = []
        self.lasts: list[str | None] = []
        self.killed: list[str | None] = []
        self.accepted: list[AcceptedActivity] = []
        self.script: dict[str | None, list[Step]] = {}
        self.script_without_bot: list[Callable[[], Awaitable[object]]] = []
        storage = BlobStorage(self.locks)
        conversation = ConversationState(storage)
        self._count = conversation.create_property("count")
        self._state = AutoSaveStateMiddleware(self.locks, conversation, UserState(storage))

    async def accept(self, body: bytes) -> None:
        """Enqueue an activity."""
        await self.turns.enqueue(read_model(Activity, json.loads(body)), body, CLAIMS)

    async def wake_up(self, message: str, dequeue_count: int = 1) -> None:
        """Handle a wake-up message in a task of its own, as the host does; release the lease."""
        delivered = received(message, dequeue_count, f"{uuid.uuid4()}")
        handler = self.turns.handle_message(delivered, self.run_turn)
        try:
            await asyncio.create_task(handler)
        finally:
            await self.locks.close()

    async def settle(self, messages: QueueMessages) -> None:
        """Handle wake-up messages until there are none, as a host does that never fails."""
        while texts := await messages.taken():
            for text in texts:
                await self.wake_up(text)

    async def set_aside_state(self, activity_id: str = "a") -> tuple[str, int] | None:
        """A set-aside message's state, and its attempts; None: it is not set aside."""
        found = await self.set_aside.find(name_of(activity_id))
        return (found.state, found.attempts) if found else None

    async def count(self, conversation: str = CONVERSATION) -> int:
        """The number of turns in the conversation's state."""
        count: int = LoadedState(await self.states.read(conversation)).state.get("count", 0)
        return count

    async def run_turn(self, accepted: AcceptedActivity, attempt: Attempt) -> None:
        """Run one turn."""
        context = TurnContext(TestAdapter(), accepted.activity)

        async def logic() -> None:
            await self._run(context, accepted, attempt)

        try:
            await self._state.on_turn(context, logic)
        finally:
            if turn := ConversationTurn.of(context):
                await turn.end()

    async def _run(
        self, context: TurnContext, accepted: AcceptedActivity, attempt: Attempt
    ) -> None:
        activity_id = accepted.activity.id
        if attempt is Attempt.WITHOUT_BOT:
            self.killed.append(activity_id)
            if self.script_without_bot:
                await self.script_without_bot.pop(0)()
            raise RuntimeError("killed")
        self.accepted.append(accepted)
        self.runs.append(activity_id)
        if attempt is Attempt.LAST:
            self.lasts.append(activity_id)
        await self._count.set(context, await self._count.get(context, lambda: 0) + 1)
        if steps := self.script.get(activity_id):
            step = steps.pop(0)
            if isinstance(step, Exception):
                raise step
            await step()


class LongTurn:
    """A step of a script that goes on until the test ends it.

    Attributes:
        started: it runs.
        ends: lets it end.
    """

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.ends = asyncio.Event()

    async def __call__(self) -> None:
        """The step."""
        self.started.set()
        await self.ends.wait()
