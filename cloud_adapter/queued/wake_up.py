"""WakeUp: the queue message that says that a conversation has a stored activity."""

import json
from typing import NamedTuple

from http_client.retry import Backoff

BACKOFF = Backoff(first=1.0, longest=30.0, jitter=0.0)
"""The pauses between the wake-up messages for a turn that cannot run."""

_MAX_BACKOFF_RETRIES = 10


class WakeUp(NamedTuple):
    """Which activity is stored. The activity is in a blob, as it may be larger than a message.

    Attributes:
        activity: the blob's name: the conversation's name, a slash, and the activity's.
        retries: how many wake-up messages for the activity came before this one, to no effect.
        redeliveries: how often the host delivered those messages, beyond once each: every time, a
            turn may have ended the process.
    """

    activity: str
    retries: int = 0
    redeliveries: int = 0

    @classmethod
    def parse(cls, text: str) -> "WakeUp":
        """The wake-up message in a queue message's text.

        Raises:
            ValueError: the text is not a wake-up message.
        """
        try:
            data = json.loads(text)
        except RecursionError:
            raise ValueError("the message nests too deeply") from None
        match data:
            case {"activity": str(activity), "again": int(retries), "seen": int(redeliveries)} if (
                "/" in activity
            ):
                return cls(activity, retries, redeliveries)
        raise ValueError("the message names no activity")

    @property
    def text(self) -> str:
        """The queue message's text. Its keys are a stored format: earlier versions wrote them."""
        data = {"activity": self.activity, "again": self.retries, "seen": self.redeliveries}
        return json.dumps(data)

    @property
    def conversation(self) -> str:
        """The conversation's name."""
        return self.activity.partition("/")[0]

    def next(self, dequeue_count: int) -> "WakeUp":
        """The next wake-up message for the activity.

        Args:
            dequeue_count: how often the host has delivered this one.
        """
        return WakeUp(self.activity, self.retries + 1, self.redeliveries + dequeue_count - 1)

    @property
    def pause(self) -> float:
        """Seconds until the next wake-up message, while something is unavailable."""
        return BACKOFF.pause(min(self.retries, _MAX_BACKOFF_RETRIES) + 1)
