"""Wake-up messages: each says that an inbox or a set-aside activity is to be processed."""

import asyncio
import json
import logging
from typing import NamedTuple

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.format_version import FORMAT_VERSION, VERSION_KEY, check_version
from cloud_adapter.storage.queue import MessageQueue
from http_client.retry import Backoff

log = logging.getLogger(__name__)

BACKOFF = Backoff(first=1.0, longest=30.0, jitter=0.0)
"""The pauses between the wake-up messages for a turn that cannot run."""

PAUSE_SECONDS = 1.0
"""The pause before a wake-up message that continues what another one began."""

SLOW_APPEND_SECONDS = PAUSE_SECONDS / 2
"""An append that takes longer is followed by another wake-up message: one that is put back because
its activities are not in the inbox yet must find them there after the pause."""

_MAX_BACKOFF_RETRIES = 10


class WakeUp(NamedTuple):
    """A message that an inbox or a set-aside activity is to be processed.

    Attributes:
        name: the conversation's name; or the name of a set-aside activity's blob, which consists
            of the conversation's name, a slash, and the activity's id.
        activities: ids of activities that are being appended to the inbox; none: all that the
            inbox holds is meant, and has been appended.
        retries: how many wake-up messages in a row found something unavailable before this one.
    """

    name: str
    activities: tuple[str, ...] = ()
    retries: int = 0

    @classmethod
    def parse(cls, text: str) -> "WakeUp":
        """The wake-up message in a queue message's text.

        Raises:
            ValueError: the text is not a wake-up message.
            UnknownFormat: it is one in another format version.
        """
        text.encode()  # bytes other than UTF-8 raise a ValueError, too
        try:
            data = json.loads(text)
        except RecursionError:
            raise ValueError("the message nests too deeply") from None
        if isinstance(data, dict) and VERSION_KEY in data:
            check_version("a wake-up message in the queue", data.pop(VERSION_KEY))
        else:
            raise ValueError("the message has no format version")
        match data:
            case {"inbox": str(name), "activities": [*activities], "again": int(retries)} if (
                "/" not in name
            ):
                return cls(name, tuple(map(str, activities)), retries)
            case {"activity": str(name), "again": int(retries)} if "/" in name:
                return cls(name, (), retries)
        raise ValueError("the message names no conversation and no activity")

    @property
    def text(self) -> str:
        """The queue message's text."""
        if self.is_for_inbox:
            what = {"inbox": self.name, "activities": self.activities}
        else:
            what = {"activity": self.name}
        return json.dumps({VERSION_KEY: FORMAT_VERSION, **what, "again": self.retries})

    @property
    def is_for_inbox(self) -> bool:
        """Whether it is for a conversation's inbox, and not for a set-aside activity."""
        return "/" not in self.name

    @property
    def conversation(self) -> str:
        """The conversation's name."""
        return self.name.partition("/")[0]

    def next(self, retries: int) -> "WakeUp":
        """The message to put back. It does not name activities: by then, they are appended."""
        return WakeUp(self.name, (), retries)

    @property
    def pause(self) -> float:
        """Seconds until the next wake-up message, while something is unavailable."""
        return BACKOFF.pause(min(self.retries, _MAX_BACKOFF_RETRIES) + 1)


MAX_OWED_SECONDS = 600.0
"""The time for which putting a wake-up message is retried. After that, the conversation's next
activity has one."""


class OwedWakeUps:
    """Puts wake-up messages of activities that may be stored although storing them failed.

    It does so in the background, with retries: one task for each conversation.

    Args:
        queue: takes the messages.
    """

    def __init__(self, queue: MessageQueue) -> None:
        self._queue = queue
        self._owed: set[str] = set()  # conversations whose next put has not begun
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, conversation: str) -> None:
        """Put a wake-up message for all that a conversation's inbox holds now."""
        self._owed.add(conversation)
        if conversation not in self._tasks:
            self._tasks[conversation] = asyncio.create_task(self._put(conversation))

    async def _put(self, conversation: str) -> None:
        now = asyncio.get_running_loop().time
        end, failures = now() + MAX_OWED_SECONDS, 0
        try:
            while conversation in self._owed:
                self._owed.remove(conversation)  # now: a put is too early for what comes during it
                try:
                    await self._queue.put(WakeUp(conversation).text)
                except StorageUnavailable as error:
                    failures += 1
                    pause = BACKOFF.pause(failures)
                    if now() + pause > end:
                        log.warning("Stored activities wait until others arrive: %s", error)
                        return
                    self._owed.add(conversation)
                    await asyncio.sleep(pause)
        finally:
            del self._tasks[conversation]
