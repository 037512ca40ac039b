"""QueueListener: takes the messages of one queue, and sees each to its end.

Source: QueueListener and QueueProcessor of Microsoft.Azure.WebJobs.Extensions.Storage.Queues.
"""

import asyncio
import base64
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from xml.etree.ElementTree import ParseError

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from emulator.functions.queues.polling_delay import PollingDelay
from emulator.functions.queues.settings import QueueSettings
from emulator.functions.workers.worker import InvocationError, TypedData

LOG = logging.getLogger("emulator.functions.queues.listener")

VISIBILITY = 600.0
"""Seconds that a taken message is hidden from others; renewed at half of it while it runs."""

STORAGE_FAULTS = (AzureError, ParseError)
"""What the client raises; the second one when another program answers at the storage's address."""

Invoke = Callable[[str, Mapping[str, TypedData]], Awaitable[None]]
"""Runs the function on a message's text and its metadata; raises InvocationError."""


class QueueListener:
    """Polls a queue, runs a function on each message, and deletes, releases or poisons it.

    Args:
        queue: the queue; it may be missing for a while, and so may its storage.
        poison: where messages go that failed too often; None leaves them hidden instead.
        settings: host.json's.
        invoke: runs the function.
        visibility: seconds, whole ones, that a taken message is hidden.
    """

    def __init__(
        self,
        queue: QueueClient,
        poison: QueueClient | None,
        settings: QueueSettings,
        invoke: Invoke,
        visibility: float = VISIBILITY,
    ) -> None:
        self._queue = queue
        self._poison = poison
        self._settings = settings
        self._invoke = invoke
        self._visibility = visibility
        self._delay = PollingDelay(settings.max_polling_interval)
        self._running: set[asyncio.Task[None]] = set()
        self._polling: asyncio.Task[None] | None = None
        self._is_away = False

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._polling = asyncio.create_task(self._poll())

    async def stop(self, patience: float) -> None:
        """Take no more messages; what runs has so many seconds to end.

        A message that is cut off stays hidden until its time is over, as when a host is killed.
        """
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait((self._polling,))
        if self._running:
            await asyncio.wait(self._running, timeout=patience)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _poll(self) -> None:
        while True:
            messages = await self._taken()
            for message in messages:
                task = asyncio.create_task(self._process(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if not messages:
                await asyncio.sleep(self._delay.next())
                continue
            self._delay.reset()
            while len(self._running) > self._settings.new_batch_threshold:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _taken(self) -> Sequence[QueueMessage]:
        """The next batch; empty, too, when the queue or its storage is not there."""
        pages = self._queue.receive_messages(
            messages_per_page=self._settings.batch_size,
            visibility_timeout=int(self._visibility),
            retry_total=0,
        ).by_page()
        messages: list[QueueMessage] = []
        try:
            # One page: the next one would be another request.
            async for page in pages:
                messages = [message async for message in page]
                break
        except ResourceNotFoundError:
            if not self._is_away:
                LOG.info("Queue %s is not there yet: its first message makes it.", self._name)
            self._is_away = True
        except STORAGE_FAULTS as error:
            if not self._is_away:
                LOG.warning("Queue %s cannot be read, trying on: %s", self._name, _reason(error))
            self._is_away = True
        else:
            if self._is_away:
                LOG.info("Queue %s can be read.", self._name)
            self._is_away = False
        return messages

    @property
    def _name(self) -> str:
        name: str = self._queue.queue_name
        return name

    async def _process(self, message: QueueMessage) -> None:
        try:
            await self._run(message)
        except STORAGE_FAULTS as error:
            # It shows up again when its time is over.
            LOG.warning("Message %s is left to itself: %s", message.id, _reason(error))

    async def _run(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 0) > self._settings.max_dequeue_count:
            await self._discard(message, "was tried too often")
            return
        text = self._text(message)
        if text is None:
            await self._discard(message, "is not base64 of UTF-8 text")
            return
        started = time.perf_counter()
        try:
            async with self._hidden(message):
                await self._invoke(text, _metadata(message))
        except InvocationError as error:
            LOG.error("Message %s failed: %s", message.id, error)  # noqa: TRY400 # it is the trace
            await self._fail(message)
            return
        with contextlib.suppress(ResourceNotFoundError):
            await self._queue.delete_message(message.id, message.pop_receipt)
        milliseconds = (time.perf_counter() - started) * 1000
        LOG.info("Message %s of %s done in %.1f ms", message.id, self._name, milliseconds)

    def _text(self, message: QueueMessage) -> str | None:
        stored: str = message.content or ""
        if not self._settings.base64:
            return stored
        try:
            return base64.b64decode(stored, validate=True).decode()
        # Both of the ways to fail are ValueErrors.
        except ValueError:
            return None

    async def _fail(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 0) >= self._settings.max_dequeue_count:
            await self._discard(message, f"failed {message.dequeue_count} times")
        elif self._poison is not None:
            # Without a poison queue it stays hidden, lest it fails again and again at once.
            seconds = int(self._settings.visibility_timeout)
            with contextlib.suppress(ResourceNotFoundError):
                await self._queue.update_message(
                    message.id, message.pop_receipt, visibility_timeout=seconds
                )

    async def _discard(self, message: QueueMessage, fault: str) -> None:
        if self._poison is None:
            return
        LOG.warning("Message %s %s: moved to %s", message.id, fault, self._poison.queue_name)
        try:
            await self._poison.send_message(message.content or "")
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):
                await self._poison.create_queue()
            await self._poison.send_message(message.content or "")
        with contextlib.suppress(ResourceNotFoundError):
            await self._queue.delete_message(message.id, message.pop_receipt)

    @asynccontextmanager
    async def _hidden(self, message: QueueMessage) -> AsyncIterator[None]:
        """Keeps others from seeing the message."""
        done = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, done))
        try:
            yield
        finally:
            # Not cancelled: a renewal under way changes the receipt that a deletion needs.
            done.set()
            await renewal

    async def _renew(self, message: QueueMessage, done: asyncio.Event) -> None:
        wait = self._visibility / 2
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), wait)
                return
            try:
                renewed = await self._queue.update_message(
                    message.id, message.pop_receipt, visibility_timeout=int(self._visibility)
                )
                message.pop_receipt = renewed.pop_receipt
                wait = self._visibility / 2
            except ResourceNotFoundError:
                LOG.warning("Message %s is gone, or was taken by another", message.id)
                return
            except AzureError as error:
                LOG.warning("Message %s stays hidden no longer: %s", message.id, _reason(error))
                wait = self._visibility / 10


def _metadata(message: QueueMessage) -> dict[str, TypedData]:
    """What the host tells of a message: texts as texts, everything else as JSON."""
    return {
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
    }


def _time(moment: datetime | None) -> TypedData:
    return TypedData(json=json.dumps(moment.isoformat() if moment else None))


def _reason(error: Exception) -> str:
    """The first line: the others are ids and times that differ in each."""
    return str(error).partition("\n")[0]
