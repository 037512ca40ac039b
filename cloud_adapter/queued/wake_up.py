"""WakeUp: the queue message that says that an inbox or a set-aside activity is to be processed."""

import json
from typing import NamedTuple

from http_client.retry import Backoff

BACKOFF = Backoff(first=1.0, longest=30.0, jitter=0.0)
"""The pauses between the wake-up messages for a turn that cannot run."""

PAUSE_SECONDS = 1.0
"""The pause before one that continues what another one began."""

SLOW_APPEND_SECONDS = PAUSE_SECONDS / 2
"""An append that takes longer is followed by another wake-up message: one that is put back because
its activities are not in the inbox yet must find them there after the pause."""

_MAX_BACKOFF_RETRIES = 10


class WakeUp(NamedTuple):
    """What is to be processed.

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
        """
        text.encode()  # bytes other than UTF-8 raise a ValueError, too
        try:
            data = json.loads(text)
        except RecursionError:
            raise ValueError("the message nests too deeply") from None
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
        return json.dumps({**what, "again": self.retries})

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
