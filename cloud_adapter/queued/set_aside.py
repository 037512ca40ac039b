"""Activities whose turns failed: set aside for another attempt, and at last dead-lettered.

The commands of `bot dead-letters` show, requeue or drop dead letters through DeadLetters.
"""

import contextlib
import datetime
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from cloud_adapter.errors import NothingToRequeue, UnknownFormat, UnreadableActivity
from cloud_adapter.queued.inbox import FAILED, WAITING, StoredActivity
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.blobs import ANY, BlobContainer
from cloud_adapter.storage.queue import MessageQueue, ReceivedMessage
from http_client.observer import moment

CONTAINER = "bot-turns"
"""The container of set-aside activities and of the inboxes."""


class SetAsideActivities:
    """Reads and writes set-aside activities. Each method raises StorageUnavailable.

    In the bot, only a turn that has locked the conversation writes them.

    Args:
        blobs: the container.
        poison_queue: gets the wake-up messages of dead letters.
    """

    def __init__(self, blobs: BlobContainer, poison_queue: MessageQueue) -> None:
        self._blobs = blobs
        self._poison_queue = poison_queue

    async def find(self, name: str) -> StoredActivity | None:
        """The activity of a blob; None if the blob does not exist."""
        blob = await self._blobs.read(name)
        return blob and StoredActivity.of_blob(name, blob.content, blob.metadata)

    @moment("queued.set_aside")
    async def count(self, stored: StoredActivity, state: str) -> None:
        """Store that an attempt at an activity's turn has failed, or is about to start."""
        await self.write(replace(stored, attempts=stored.attempts + 1, state=state))

    async def write(self, stored: StoredActivity) -> None:
        """Write an activity's blob."""
        await self._blobs.write(stored.name, stored.content, ANY, stored.metadata)

    async def delete(self, name: str) -> None:
        """Delete a blob, if it exists."""
        await self._blobs.delete(name)

    @moment("queued.dead_letter")
    async def dead_letter(self, stored: StoredActivity, failure: str) -> None:
        """Dead-letter an activity, with the reason: DeadLetters shows both."""
        content = stored.content
        with contextlib.suppress(UnreadableActivity, UnknownFormat):  # they stay as they are
            stored.parse()
            content = json.dumps({**json.loads(content), "failure": failure}).encode()
        # In this order: a process that dies in between must not lose the activity.
        await self._poison_queue.put(WakeUp(stored.name).text)
        await self.write(replace(stored, state=FAILED, content=content))


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter.

    Attributes:
        message: as received from the poison queue.
        wake_up: the wake-up message in it; None: it is something else.
        stored: the activity; None: it does not exist, or the message is for a whole inbox.
        failure: the redacted traceback of the last attempt, or a line that says why there is none.
    """

    message: ReceivedMessage
    wake_up: WakeUp | None
    stored: StoredActivity | None
    failure: str

    @property
    def cause(self) -> str:
        """The line that names the error: the last one that is not indented."""
        lines = self.failure.splitlines()
        return next((each for each in reversed(lines) if not each.startswith(" ")), "")

    @property
    def accepted(self) -> datetime.datetime | None:
        """When the channel sent the activity (UTC), if that is known."""
        if self.stored is None or not self.stored.accepted_at:
            return None
        return datetime.datetime.fromtimestamp(self.stored.accepted_at / 1e9, datetime.UTC)


NO_CAUSE = "its turn never ended: the app could not start for four hours"

NOT_A_WAKE_UP = "the message is not a wake-up message: somebody else put it into the queue"

GONE = "its activity was processed in the end, or is gone"


class DeadLetters:
    """The messages in the poison queue. Each method raises StorageUnavailable.

    Args:
        set_aside: the activities.
        queue: takes the wake-up messages of requeued activities.
        poison_queue: has the wake-up messages of dead letters.
    """

    def __init__(
        self, set_aside: SetAsideActivities, queue: MessageQueue, poison_queue: MessageQueue
    ) -> None:
        self._set_aside = set_aside
        self._queue = queue
        self._poison_queue = poison_queue

    async def all(self) -> AsyncIterator[DeadLetter]:
        """Receive every dead letter; others do not see it for a minute, or until `release`."""
        async for message in self._poison_queue.receive_all():
            yield await self._dead_letter(message)

    async def release(self, dead_letter: DeadLetter) -> None:
        """Let others receive a dead letter."""
        await self._poison_queue.hide(dead_letter.message, 0)

    async def requeue(self, dead_letter: DeadLetter) -> None:
        """Give a dead letter's activity five new attempts.

        Raises:
            NothingToRequeue: there is no activity.
        """
        wake_up, stored = dead_letter.wake_up, dead_letter.stored
        if wake_up is None or (stored is None and not wake_up.is_for_inbox):
            raise NothingToRequeue(dead_letter.failure)
        if stored is not None:
            await self._set_aside.write(replace(stored, state=WAITING, attempts=0, cut_offs=0))
        await self._queue.put(WakeUp(wake_up.name).text)
        await self._poison_queue.delete(dead_letter.message)

    async def drop(self, dead_letter: DeadLetter) -> None:
        """Delete a dead letter and its activity, which gets no turn.

        If the message is for an inbox, the activities in it are processed with the next one.
        """
        if dead_letter.stored is not None:
            await self._set_aside.delete(dead_letter.stored.name)
        await self._poison_queue.delete(dead_letter.message)

    async def _dead_letter(self, message: ReceivedMessage) -> DeadLetter:
        try:
            wake_up = WakeUp.parse(message.text)
        except ValueError:
            return DeadLetter(message, None, None, NOT_A_WAKE_UP)
        except UnknownFormat as error:
            return DeadLetter(message, None, None, str(error))
        if wake_up.is_for_inbox:
            return DeadLetter(message, wake_up, None, NO_CAUSE)
        stored = await self._set_aside.find(wake_up.name)
        if stored is None:
            return DeadLetter(message, wake_up, None, GONE)
        try:
            failure = stored.parse().failure or NO_CAUSE
        except (UnreadableActivity, UnknownFormat) as error:
            failure = str(error)
        return DeadLetter(message, wake_up, stored, failure)
