"""StoredActivity: an accepted activity, as its blob in the inbox stores it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botbuilder.schema import Activity

from cloud_adapter.codec.reader import read_model
from cloud_adapter.errors import UnreadableActivity

WAITING, DONE, FAILED = "waiting", "done", "failed"
"""States of an activity: it waits for its turn, is processed, or is dead-lettered."""

MARKERS = "waiting"
"""The folder of the markers: see `StoredActivity.marker`."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What reading raises when a blob does not hold an activity."""


@dataclass(frozen=True)
class AcceptedActivity:
    """What the channel sent.

    Attributes:
        claims: the claims of the caller, which have been checked.
        activity: an Activity.
        failure: the redacted traceback of its last attempt; empty if it is not dead-lettered.
    """

    claims: Mapping[str, Any]
    activity: Any
    failure: str


@dataclass(frozen=True)
class StoredActivity:
    """An activity's blob.

    Attributes:
        name: the blob's name: the conversation's name, a slash, and the activity's.
        accepted_at: nanoseconds since the epoch.
        attempts: those that were counted: they failed, or may have ended their process.
        state: WAITING, DONE or FAILED.
        content: the blob's content, if it was read.
    """

    name: str
    accepted_at: int
    attempts: int
    state: str
    content: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, name: str, metadata: Mapping[str, str], content: bytes = b"") -> "StoredActivity":
        """The activity of a blob with this metadata. The keys are a stored format."""
        accepted_at, attempts = int(metadata.get("accepted", "0")), int(metadata.get("tries", "0"))
        return cls(name, accepted_at, attempts, metadata.get("state", WAITING), content)

    def metadata(self, state: str, attempts: int) -> dict[str, str]:
        """The blob's metadata in another state."""
        return {"state": state, "accepted": f"{self.accepted_at}", "tries": f"{attempts}"}

    @property
    def conversation(self) -> str:
        """The conversation's name."""
        return self.name.partition("/")[0]

    @property
    def marker(self) -> str:
        """The name of the empty blob that says that the activity waits.

        Markers are listed in the order in which the activities were accepted.
        """
        conversation, _, activity = self.name.partition("/")
        return f"{MARKERS}/{conversation}/{self.accepted_at:020}/{activity}"

    def parse(self) -> AcceptedActivity:
        """What the content says.

        Raises:
            UnreadableActivity: it is not an activity.
        """
        try:
            data = json.loads(self.content)
            activity = read_model(Activity, data["activity"])
            return AcceptedActivity(data["claims"], activity, data.get("failure", ""))
        except UNREADABLE as error:
            # From None: the error may quote the activity.
            kind = type(error).__name__
            raise UnreadableActivity(f"the stored activity cannot be read ({kind})") from None
