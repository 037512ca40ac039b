"""Notifications: what waits in a queue to be told to many conversations.

What holds, as long as the storage account loses nothing:

- Every recipient gets a line in the report, with the reason where nothing was sent.
- One process sends at a time. So the pace (pace.py) holds for all of them.
- Nobody is sent the same notification twice, save after a crash: those under way then, and those
  whose results were not written yet, BATCH_SIZE - 1 + IN_FLIGHT (15) at most, are sent to again.
- What may have arrived is not sent again.
- A message that is no notification goes to the poison queue at once: trying again is no cure. So
  does, by the host, one that cannot be worked on for as often as the host tries.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.errors import BadNotification, ConversationBusy
from cloud_adapter.proactive.notification import Notification, notification_id
from cloud_adapter.proactive.rate_limiter import RateLimiter
from cloud_adapter.proactive.references import ConversationReferences
from cloud_adapter.proactive.report import NotificationReport
from cloud_adapter.proactive.run import NotificationRun
from cloud_adapter.proactive.sender import NotificationSender
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue

QUEUE = "bot-notifications"
POISON_QUEUE = f"{QUEUE}-poison"

LOCK = "notifications"
"""No conversation's name: those have a channel and a slash."""

LONGEST_RUN = 120.0
"""Seconds of sending, after which the rest is left to another invocation: the host ends each."""

MOST_FRUITLESS = 10
"""Runs in a row that bring no result, as the service asks to wait for long: then it is given up."""

LONGEST_DELAY = 3600.0
"""Seconds until the rest is looked at again, whatever the service asks for."""

BUSY_PAUSE = 5.0
"""Seconds until a notification looks again whether another one is sent."""

log = logging.getLogger(__name__)


class Notifications:
    """Sends what the queue holds.

    Args:
        adapter: runs the turns.
        references: where the recipients are.
        reports: the container of the reports.
        queue: gets back what is not done.
        poison: gets what is no notification.
        locks: let one process send at a time.
        clock: seconds, monotonic.
        sleep: waits; tests pass one that moves the clock.
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
    ) -> None:
        self._adapter = adapter
        self._references = references
        self._reports = reports
        self._queue = queue
        self._poison = poison
        self._locks = locks
        self._clock = clock
        self._sleep = sleep
        self._pace = RateLimiter(clock, sleep)

    async def handle_message(self, message: str, message_id: str) -> None:
        """Send a notification, or as much of it as there is time for.

        Args:
            message: see Notification.parse.
            message_id: the queue's.

        Raises:
            Unavailable, ConnectorError: nothing can be sent now; the host shall try again.
        """
        try:
            notification = Notification.parse(message, message_id)
        except BadNotification as error:
            await self._refuse(message, message_id, error)
            return
        try:
            async with self._locks.lock(LOCK, lock_timeout=0):
                await self._run(notification)
        except ConversationBusy:
            await self._queue.put(notification.message, BUSY_PAUSE)

    async def _refuse(self, message: str, message_id: str, error: BadNotification) -> None:
        report = NotificationReport(
            self._reports, notification_id(message, message_id), self._sleep
        )
        log.error("Message %s in %s is not a notification: %s", message_id, QUEUE, error)
        # The other way round it could be lost between the two.
        await self._poison.put(message)
        await report.refuse(str(error))

    async def _run(self, notification: Notification) -> None:
        report = NotificationReport(self._reports, notification.id, self._sleep)
        await report.load()
        if report.finished:
            log.info("Notification %s was sent before", notification.id)
            return
        known = report.counts.total()
        complete = await self._run_of(notification, report).go()
        if complete:
            await report.finish()
        else:
            in_vain = report.counts.total() == known
            again = replace(
                notification,
                runs_without_result=notification.runs_without_result + 1 if in_vain else 0,
            )
            delay = min(self._pace.remaining_pause, LONGEST_DELAY)
            await self._queue.put(again.message, delay)
        told = ", ".join(f"{count} {result}" for result, count in sorted(report.counts.items()))
        state = "is done" if complete else "goes on later"
        log.info("Notification %s %s: %s", notification.id, state, told or "nobody")

    def _run_of(self, notification: Notification, report: NotificationReport) -> NotificationRun:
        end = self._clock() + LONGEST_RUN
        return NotificationRun(
            notification,
            report,
            self._references,
            NotificationSender(self._adapter, self._references, self._pace, self._sleep, end),
            lambda: self._clock() < end and not self._locks.lease_lost(LOCK),
            gives_up=notification.runs_without_result >= MOST_FRUITLESS,
        )
