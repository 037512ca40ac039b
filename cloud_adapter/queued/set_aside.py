"""SetAsideActivities: the blobs of activities whose turns failed."""

import contextlib
import json
from dataclasses import replace

from cloud_adapter.queued.stored_activity import FAILED, UNREADABLE, StoredActivity
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.blobs import ANY, BlobContainer
from cloud_adapter.storage.queue import MessageQueue

CONTAINER = "bot-turns"


class SetAsideActivities:
    """Reads and writes them. Each method raises StorageUnavailable.

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

    async def count(self, stored: StoredActivity, state: str) -> None:
        """Store that an attempt at an activity's turn has failed, or is about to start."""
        await self.write(replace(stored, attempts=stored.attempts + 1, state=state))

    async def write(self, stored: StoredActivity) -> None:
        """Write an activity's blob."""
        await self._blobs.write(stored.name, stored.content, ANY, stored.metadata)

    async def delete(self, name: str) -> None:
        """Delete a blob, if it exists."""
        await self._blobs.delete(name)

    async def dead_letter(self, stored: StoredActivity, failure: str) -> None:
        """Dead-letter an activity, with the reason: DeadLetters shows both."""
        content = stored.content
        with contextlib.suppress(*UNREADABLE):  # what cannot be read stays as it is
            content = json.dumps({**json.loads(content), "failure": failure}).encode()
        # In this order: a process that dies in between must not lose the activity.
        await self._poison_queue.put(WakeUp(stored.name).text)
        await self.write(replace(stored, state=FAILED, content=content))
