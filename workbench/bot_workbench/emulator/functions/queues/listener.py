"""QueueListener: runs a function on each message of one queue.

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

from bot_workbench.emulator.functions.errors import (
    InvocationError,
    StorageError,
    StorageForbiddenError,
    StorageNotFoundError,
    StorageRefusedError,
)
from bot_workbench.emulator.functions.host_rules import RULES
from bot_workbench.emulator.functions.queues.polling_delay import PollingDelay
from bot_workbench.emulator.functions.queues.queue import DequeuedMessage, StorageQueue
from bot_workbench.emulator.functions.queues.settings import QueueSettings
from bot_workbench.emulator.functions.workers.protocol import TypedData

LOG = logging.getLogger("bot_workbench.emulator.functions.queues.listener")

REFUSED_PAUSE_SECONDS = 1.0
"""Between two polls while storage refuses connections and the host may end for it."""

WITHOUT_WHITE_SPACE = str.maketrans("", "", " \t\r\n")
"""Removes what .NET's Convert.FromBase64String ignores."""

Invoke = Callable[[TypedData, Mapping[str, TypedData]], Awaitable[None]]
"""Runs the function on a message's content and its metadata; raises InvocationError."""


class QueueListener:
    """Polls a queue, and runs a function on each message.

    A message that ran is deleted. One that failed is run again, or moved to the poison queue. A
    message that someone else has dequeued, updated or deleted meanwhile, as its own function may,
    is left alone, without a word.

    Args:
        queue: the queue; it may be missing for a while, and its storage may be unavailable.
        poison: takes messages that failed too often; None leaves them hidden in their queue.
        settings: host.json's section.
        invoke: runs the function.
        visibility_seconds: how long a dequeued message is hidden from others.
        renewal_seconds: how often that is renewed while the message runs; None: at half time.
        is_binary: the function gets a message's bytes; otherwise its text, which must be UTF-8.
        stop_host: ends the host, if storage forbids polling or refuses connections for too long;
            None: polling continues.
        refused_seconds: how long is too long.
    """

    def __init__(
        self,
        queue: StorageQueue,
        poison: StorageQueue | None,
        settings: QueueSettings,
        invoke: Invoke,
        visibility_seconds: int = RULES.message_visibility,
        renewal_seconds: float | None = None,
        *,
        is_binary: bool = False,
        stop_host: Callable[[], None] | None = None,
        refused_seconds: float = RULES.refused_storage,
    ) -> None:
        self._queue = queue
        self._poison = poison
        self._settings = settings
        self._invoke = invoke
        self._visibility_seconds = visibility_seconds
        self._renewal_seconds = renewal_seconds or visibility_seconds / 2
        self._is_binary = is_binary
        self._stop_host = stop_host
        self._refused_seconds = refused_seconds
        self._refused_since: float | None = None
        self._delay = PollingDelay(settings.max_polling_interval)
        self._running: set[asyncio.Task[None]] = set()
        self._polling: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._is_unavailable = False

    def start(self) -> None:
        """Start polling, on the running event loop."""
        self._polling = asyncio.create_task(self._poll())

    async def stop(self, grace_seconds: float | None) -> None:
        """Stop polling; a poll and messages that run have `grace_seconds` to finish.

        Those that do not stay hidden until their time is over, as when a host is killed.
        """
        self._stopping.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                if self._polling is not None:
                    # Not cancelled at once: the messages of a poll that is cut off stay hidden.
                    await asyncio.wait((self._polling,))
                if self._running:
                    await asyncio.wait(self._running)
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait((self._polling,))
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _poll(self) -> None:
        while not self._stopping.is_set():
            messages = await self._receive()
            for message in messages:
                task = asyncio.create_task(self._process(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if not messages:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._pause())
                continue
            self._delay.reset()
            busy = self._settings.new_batch_threshold
            while len(self._running) > busy and not self._stopping.is_set():
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    def _pause(self) -> float:
        """Seconds until the next poll, after one that brought no message."""
        if self._refused_since is not None and self._stop_host is not None:
            return REFUSED_PAUSE_SECONDS
        return self._delay.next()

    async def _receive(self) -> Sequence[DequeuedMessage]:
        """The next batch; empty, too, if the queue is missing or its storage is unavailable."""
        messages: Sequence[DequeuedMessage] = ()
        try:
            messages = await self._queue.receive(
                self._settings.batch_size, self._visibility_seconds
            )
        except StorageNotFoundError:
            if not self._is_unavailable:
                LOG.info(
                    "Queue %s does not exist yet: its first message creates it.", self._queue.name
                )
            self._is_unavailable = True
        except StorageError as error:
            if not self._is_unavailable:
                LOG.warning(
                    "Queue %s is unavailable, polling continues: %s", self._queue.name, error
                )
            self._is_unavailable = True
            self._judge(error)
        else:
            self._refused_since = None
            if self._is_unavailable:
                LOG.info("Queue %s is available.", self._queue.name)
            self._is_unavailable = False
        return messages

    def _judge(self, error: StorageError) -> None:
        """End the host, if Azure's would end for this failure of a poll.

        Seen in Azure's host 4.1037; 500, 503 and silence do not end it.
        """
        is_fatal = isinstance(error, StorageForbiddenError)
        if isinstance(error, StorageRefusedError):
            now = asyncio.get_running_loop().time()
            if self._refused_since is None:
                self._refused_since = now
            is_fatal = now - self._refused_since >= self._refused_seconds
        else:
            self._refused_since = None
        if is_fatal and self._stop_host is not None:
            LOG.error(
                "An unhandled exception has occurred. Host is shutting down. Queue %s: %s",
                *(self._queue.name, error),
            )
            self._stopping.set()
            self._stop_host()

    async def _process(self, message: DequeuedMessage) -> None:
        try:
            await self._run(message)
        except StorageError as error:
            # It is visible again when its time is over.
            LOG.warning(
                "Message %s stays in the queue, storage is unavailable: %s", message.id, error
            )

    async def _run(self, message: DequeuedMessage) -> None:
        if message.dequeue_count > self._settings.max_dequeue_count:
            await self._discard(message, "was dequeued too often")
            return
        try:
            content = self._decoded(message.content)
        except ValueError:
            await self._discard(message, "is not base64")
            return
        started = time.perf_counter()
        try:
            async with self._hidden(message):
                await self._invoke(self._data(content), _metadata(message))
        except InvocationError as error:
            LOG.error("Message %s failed: %s", message.id, error)  # noqa: TRY400 # it is the trace
            await self._fail(message)
            return
        with contextlib.suppress(StorageNotFoundError):
            await self._queue.delete(message)
        milliseconds = (time.perf_counter() - started) * 1000
        LOG.info(
            "Message %s of %s processed in %.1f ms", message.id, self._queue.name, milliseconds
        )

    def _decoded(self, content: str) -> bytes:
        """The decoded content. Raises: ValueError: it must be base64, and is not."""
        if not self._settings.base64:
            return content.encode()
        return base64.b64decode(content.translate(WITHOUT_WHITE_SPACE), validate=True)

    def _data(self, content: bytes) -> TypedData:
        """A message's content, as the function gets it.

        Raises:
            InvocationError: it is not UTF-8, which the host notices when it binds it.
        """
        if self._is_binary:
            return TypedData(bytes=content)
        try:
            return TypedData(string=content.decode())
        except UnicodeDecodeError as error:
            raise InvocationError("its content is not UTF-8") from error

    async def _fail(self, message: DequeuedMessage) -> None:
        if message.dequeue_count >= self._settings.max_dequeue_count:
            await self._discard(message, f"failed {message.dequeue_count} times")
        elif self._poison is not None:
            # Without a poison queue it stays hidden: else it would fail again and again at once.
            seconds = int(self._settings.visibility_timeout)
            with contextlib.suppress(StorageNotFoundError):
                await self._queue.hide(message, seconds)

    async def _discard(self, message: DequeuedMessage, fault: str) -> None:
        if self._poison is None:
            return
        LOG.warning("Message %s %s: moved to %s", message.id, fault, self._poison.name)
        await self._poison.put(message.content)
        with contextlib.suppress(StorageNotFoundError):
            await self._queue.delete(message)

    @asynccontextmanager
    async def _hidden(self, message: DequeuedMessage) -> AsyncIterator[None]:
        """Hide the message from others until the block ends."""
        done = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, done))
        try:
            yield
        finally:
            # Not cancelled: a renewal in progress changes the receipt that a deletion needs.
            done.set()
            await renewal

    async def _renew(self, message: DequeuedMessage, done: asyncio.Event) -> None:
        wait = self._renewal_seconds
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), wait)
                return
            try:
                await self._queue.hide(message, self._visibility_seconds)
                wait = self._renewal_seconds
            except StorageNotFoundError:
                return
            except StorageError as error:
                LOG.warning(
                    "Message %s could not be hidden any longer, trying again: %s", message.id, error
                )
                wait = self._renewal_seconds / 5


def _metadata(message: DequeuedMessage) -> dict[str, TypedData]:
    """A message's metadata as the host passes it: texts as texts, everything else as JSON."""
    return {
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
    }


def _time(moment: datetime) -> TypedData:
    return TypedData(json=json.dumps(moment.isoformat()))
