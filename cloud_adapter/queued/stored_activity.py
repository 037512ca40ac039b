"""StoredActivity: an accepted activity, as a record of an inbox or as a blob."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botbuilder.schema import Activity

from cloud_adapter.codec.channels import name_channel_id
from cloud_adapter.codec.reader import read_model
from cloud_adapter.errors import UnreadableActivity

WAITING, RUNNING, FAILED = "waiting", "running", "failed"
"""States: it waits for its turn; its turn runs, or its process has died; it is dead-lettered."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What reading raises when a blob does not hold an activity."""

_HEAD = re.compile(rb'\{"id": "([0-9a-f]+)", "accepted": ([0-9]+), ')


def record(
    activity_id: str,
    accepted_at: int,
    claims: Mapping[str, Any],
    body: bytes,
    trace_parent: str = "",
) -> bytes:
    """An accepted activity as a record of an inbox: a line of JSON.

    Args:
        activity_id: hex digits that identify the activity in its conversation.
        accepted_at: nanoseconds since the epoch.
        claims: the claims of the caller, which have been checked.
        body: the activity's JSON, as received.
        trace_parent: hex digits and hyphens, see `AcceptedActivity`; empty: none is stored.
    """
    trace = b'"trace": "%b", ' % trace_parent.encode() if trace_parent else b""
    head = (activity_id.encode(), accepted_at, trace, json.dumps(dict(claims)).encode())
    # In JSON, a newline is white space: within texts, it is escaped.
    line = body.replace(b"\n", b" ")
    return b'{"id": "%b", "accepted": %d, %b"claims": %b, "activity": %b}\n' % (*head, line)


@dataclass(frozen=True)
class AcceptedActivity:
    """What the channel sent.

    Attributes:
        claims: the claims of the caller, which have been checked.
        activity: an Activity.
        failure: the redacted traceback of its last attempt; empty if it is not dead-lettered.
        accepted_at: nanoseconds since the epoch; 0: not known.
        trace_parent: the W3C trace context of the request that brought it; empty if none is stored,
            because telemetry was off.
    """

    claims: Mapping[str, Any]
    activity: Any
    failure: str
    accepted_at: int = 0
    trace_parent: str = ""


@dataclass(frozen=True)
class StoredActivity:
    """An activity that waits for its turn, or is dead-lettered.

    Attributes:
        name: the conversation's name, a slash, and the activity's id: the blob's name, if it has a
            blob of its own.
        accepted_at: nanoseconds since the epoch; 0: not known.
        attempts: runs of its turn that failed, were cut off, or are under way.
        state: WAITING, RUNNING or FAILED.
        content: JSON.
        cut_offs: attempts during which the process died.
    """

    name: str
    accepted_at: int
    attempts: int
    state: str
    content: bytes = field(default=b"", repr=False)
    cut_offs: int = 0

    @classmethod
    def of_record(cls, conversation: str, content: bytes) -> "StoredActivity":
        """The activity of a record in a conversation's inbox."""
        head = _HEAD.match(content)
        if head is None:  # it is unreadable, and needs a name as a dead letter
            digest = hashlib.sha256(content).hexdigest()
            return cls(f"{conversation}/{digest}", 0, 0, WAITING, content)
        name = f"{conversation}/{head[1].decode()}"
        return cls(name, int(head[2]), 0, WAITING, content)

    @classmethod
    def of_blob(cls, name: str, content: bytes, metadata: Mapping[str, str]) -> "StoredActivity":
        """The activity of a blob. The keys of the metadata are a stored format."""
        accepted_at, attempts, cut_offs = (
            int(metadata.get(key, "0")) for key in ("accepted", "tries", "cutoffs")
        )
        state = metadata.get("state", WAITING)
        return cls(name, accepted_at, attempts, state, content, cut_offs)

    @property
    def metadata(self) -> dict[str, str]:
        """The blob's metadata."""
        return {
            "state": self.state,
            "accepted": f"{self.accepted_at}",
            "tries": f"{self.attempts}",
            "cutoffs": f"{self.cut_offs}",
        }

    @property
    def id(self) -> str:
        """Identifies it in its conversation."""
        return self.name.partition("/")[2]

    def after_cut_off(self) -> "StoredActivity":
        """The activity as it waits again. If its turn was running, this counts a cut-off.

        For whoever has locked the conversation, so that the turn cannot be running any more.
        """
        if self.state != RUNNING:
            return self
        return replace(self, state=WAITING, cut_offs=self.cut_offs + 1)

    def parse(self) -> AcceptedActivity:
        """What the content says.

        Raises:
            UnreadableActivity: it is not an activity.
        """
        try:
            data = json.loads(self.content)
            name_channel_id(data["activity"])
            activity = read_model(Activity, data["activity"])
            failure, trace_parent = data.get("failure", ""), str(data.get("trace", ""))
            return AcceptedActivity(
                data["claims"], activity, failure, self.accepted_at, trace_parent
            )
        except UNREADABLE as error:
            # From None: the error may quote the activity.
            kind = type(error).__name__
            raise UnreadableActivity(f"the stored activity cannot be read ({kind})") from None
