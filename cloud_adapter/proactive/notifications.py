"""Notifications: sends the proactive notifications that arrive in a queue.

Guaranteed as long as the storage account loses nothing:

- Every recipient gets a line in the report, with the reason when nothing was sent.
- One process sends at a time, so the rate limits hold for all processes together.
- Nobody is sent the same notification twice, except after a crash: then at most
  BATCH_SIZE - 1 + MAX_CONCURRENT (15) recipients are, whose results were not written yet.
- A message that may have arrived is not sent again.
- A message that is not a notification goes to the poison queue at once, as another attempt would
  not help. A notification goes there after MAX_FAILED_RUNS runs in a row that failed, or during
  which the process died.
"""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from auth.errors import Unavailable
from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.errors import BadNotification, ConversationBusy, StorageUnavailable
from cloud_adapter.proactive.notification import Notification, notification_id
from cloud_adapter.proactive.references import ConversationReferences
from cloud_adapter.proactive.run import NotificationReport, NotificationRun
from cloud_adapter.proactive.sender import NotificationSender, RateLimiter
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue, ReceivedMessage, held
from http_client.observer import moment, trace_parent

log = logging.getLogger(__name__)

QUEUE = "bot-notifications"
"""The queue of notifications."""

POISON_QUEUE = f"{QUEUE}-poison"
"""The queue of dead letters, to which the host, too, moves messages that it gives up on."""

LOCK = "lock"
"""The blob whose lease one process has at a time, beside the reports."""

MAX_RUN_SECONDS = 120.0
"""Seconds of sending, after which another invocation continues: the host ends long ones."""

MAX_RUNS_WITHOUT_RESULT = 10
"""Runs in a row without a new result, as the service asks to wait for long; then it is given up."""

RETRY_DELAYS_SECONDS = (15.0, 60.0, 240.0, 960.0)
"""Seconds until the next run, after one that failed, two in a row, and so on."""

MAX_FAILED_RUNS = len(RETRY_DELAYS_SECONDS) + 1
"""Runs in a row that failed or were cut off; then the notification is dead-lettered."""

MAX_DELAY_SECONDS = 3600.0
"""Seconds until the next run at most, whatever the service asks for."""

BUSY_DELAY_SECONDS = 5.0
"""Seconds until the next attempt while another notification is being sent."""


class Notifications:
    """Sends what the queue holds.

    Args:
        adapter: runs the turns.
        references: where the recipients are.
        reports: the container of the reports.
        queue: gets the notifications that need another run.
        poison: gets the messages that are not notifications.
        locks: let one process send at a time.
        clock: seconds, monotonic.
        sleep: waits; tests pass one that moves the clock.
        max_run_seconds: of sending in one invocation.
    """

    def __init__(
        self,
        adapter: CloudAdapter,
        references: ConversationReferences,
        reports: BlobContainer,
        queue: MessageQueue,
        poison: MessageQueue,
        locks: ConversationLocks,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        max_run_seconds: float = MAX_RUN_SECONDS,
    ) -> None:
        self._adapter = adapter
        self._references = references
        self._reports = reports
        self._queue = queue
        self._poison = poison
        self._locks = locks
        self._clock = clock
        self._sleep = sleep
        self._max_run_seconds = max_run_seconds
        self._rate_limiter = RateLimiter(clock, sleep)

    @moment("notification.enqueue")
    async def enqueue(
        self,
        to: str | Sequence[str],
        text: str,
        card: dict[str, Any] | None,
        channel: str,
        own_id: str,
    ) -> str:
        """Enqueue a notification, and return its id. For the arguments, see Notification.

        Raises:
            BadNotification: there is no recipient, or nothing to send; or the card is no JSON.
            ValueError: the notification is larger than 48 KiB.
            StorageUnavailable: the notification cannot be enqueued.
        """
        recipients = [to] if isinstance(to, str) else list(to)
        given = {"to": recipients, "channel": channel or None, "text": text, "card": card}
        try:
            content = json.dumps(given)
        except TypeError as error:
            raise BadNotification(
                "the card is not an Adaptive Card's JSON; that of an attachment is its content"
            ) from error
        notification = Notification.parse(content, own_id or str(uuid.uuid4()))
        notification = replace(notification, trace_parent=trace_parent())
        await self._queue.put(notification.message)
        return notification.id

    async def handle_message(self, message: ReceivedMessage) -> None:
        """Send a notification, or as much of it as there is time for.

        Args:
            message: as the host has received it from the queue; see Notification.parse.

        Raises:
            StorageUnavailable: the host must deliver the message again.
        """
        try:
            notification = Notification.parse(message.text, message.id)
        except BadNotification as error:
            await self._refuse(message, error)
            return
        if message.dequeue_count > 1:
            # The process died in a run, or none could start: that counts before the next one.
            await self._count_failure(notification, "it was received again", delays=False)
            return
        async with held(self._queue, message):
            try:
                async with self._locks.lock(LOCK, lock_timeout=0) as lock:
                    await lock.confirm()
                    await self._send(notification)
            except ConversationBusy as error:  # of the lock above, or of the bot's own middleware
                log.info("Notification %s is put back into the queue: %s", notification.id, error)
                await self._queue.put(notification.message, BUSY_DELAY_SECONDS)
            except (Unavailable, ConnectorError) as error:
                await self._count_failure(notification, str(error), delays=True)

    async def _count_failure(
        self, notification: Notification, reason: str, *, delays: bool
    ) -> None:
        failed_runs = notification.failed_runs + 1
        if failed_runs < MAX_FAILED_RUNS:
            log.warning("A run of notification %s failed: %s", notification.id, reason)
            again = replace(notification, failed_runs=failed_runs)
            delay = RETRY_DELAYS_SECONDS[failed_runs - 1] if delays else 0.0
            await self._queue.put(again.message, delay)
            return
        await self._poison.put(replace(notification, failed_runs=0).message)
        log.error(
            "Notification %s is dead-lettered: %d runs failed, the last one: %s",
            *(notification.id, failed_runs, reason),
        )

    async def _refuse(self, message: ReceivedMessage, error: BadNotification) -> None:
        log.error(
            "Message %s in %s is dead-lettered: it is not a notification: %s",
            *(message.id, QUEUE, error),
        )
        # First: a crash after the report would lose the message.
        await self._poison.put(message.text)
        try:
            await self._report(notification_id(message.text, message.id)).refuse(str(error))
        except StorageUnavailable as unavailable:  # the host would put it there again and again
            log.warning("There is no report of message %s: %s", message.id, unavailable)

    @moment("notification.send")
    async def _send(self, notification: Notification) -> None:
        report = self._report(notification.id)
        await report.load()
        if report.finished:
            log.info("Notification %s was sent before", notification.id)
            return
        known = report.counts.total()
        complete = await self._run(notification, report).send()
        if complete:
            await report.finish()
        else:
            await self._enqueue_again(notification, has_result=report.counts.total() > known)
        counts = ", ".join(f"{count} {result}" for result, count in sorted(report.counts.items()))
        state = "is done" if complete else "continues later"
        log.info("Notification %s %s: %s", notification.id, state, counts or "no recipients")

    async def _enqueue_again(self, notification: Notification, *, has_result: bool) -> None:
        runs = 0 if has_result else notification.runs_without_result + 1
        again = replace(notification, runs_without_result=runs, failed_runs=0)
        delay = min(self._rate_limiter.remaining_pause, MAX_DELAY_SECONDS)
        await self._queue.put(again.message, delay)

    def _report(self, own_id: str) -> NotificationReport:
        return NotificationReport(self._reports, own_id, self._sleep)

    def _run(self, notification: Notification, report: NotificationReport) -> NotificationRun:
        end = self._clock() + self._max_run_seconds
        return NotificationRun(
            notification,
            report,
            self._references,
            NotificationSender(
                self._adapter, self._references, self._rate_limiter, self._sleep, end
            ),
            lambda: self._clock() < end and not self._locks.lease_lost(LOCK),
            give_up=notification.runs_without_result >= MAX_RUNS_WITHOUT_RESULT,
        )
