"""BotQueues: in place of the Functions host's queue triggers; runs them when a test needs them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import azure.functions as func
from azure.functions.queue import QueueMessage

from bot_testing.app.app_functions import invoked
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.queue import MessageQueue, ReceivedMessage

MAX_DEQUEUE_COUNT = 5
"""The number of times that a failing function gets its message. host.json allows far more, so that
an app can be repaired meanwhile: no test waits for that."""

Function = Callable[[func.QueueMessage], Awaitable[None]]


class BotQueues:
    """Runs the queues' functions on the messages in the queues, one message at a time.

    If a function fails, its message is tried again immediately, MAX_DEQUEUE_COUNT times in all, and
    then moved to the poison queue. A function may take its message over, as those of the app do if
    they run for long: it hides the message with its pop receipt, and deletes it at the end. As in
    the host, the message then comes back when that visibility timeout ends, if at all.

    Args:
        account: the bot's storage account; None: the queues are empty.
        functions: the functions by the names of their queues.

    Attributes:
        waiting: how many callers of `drain` wait for another one.
    """

    def __init__(self, account: StorageAccount | None, functions: Mapping[str, Function]) -> None:
        self._account = account
        self._functions = functions
        self._draining = asyncio.Lock()
        self.waiting = 0

    async def drain(self, name: str) -> None:
        """Run a queue's function until no message is visible."""
        if self._account is None:
            return
        queue = MessageQueue(self._account, name)
        poison = MessageQueue(self._account, f"{name}-poison")
        async with self._alone():
            with contextlib.suppress(StorageUnavailable):  # as the host does, try again later
                while messages := [each async for each in queue.receive_all()]:
                    for each in messages:
                        await self._run(self._functions[name], queue, poison, each)

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        self.waiting += 1
        try:
            await self._draining.acquire()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._draining.release()

    async def _run(
        self,
        function: Function,
        queue: MessageQueue,
        poison: MessageQueue,
        message: ReceivedMessage,
    ) -> None:
        count = message.dequeue_count
        triggered = QueueMessage(  # type: ignore[no-untyped-call]  # the SDK's
            id=message.id,
            body=message.text.encode(),
            dequeue_count=count,
            pop_receipt=message.receipt,
        )
        try:
            await invoked(function, triggered)
        except asyncio.CancelledError:  # the process dies
            await queue.hide(message, 0)
            raise
        except Exception:  # noqa: BLE001  # the function has logged it
            if count < MAX_DEQUEUE_COUNT:
                await queue.hide(message, 0)
                return
            await poison.put(message.text)
        await queue.delete(message)
