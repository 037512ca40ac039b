"""The activity key, by which an activity is recognized that the channel delivers again."""

import hashlib
import json
from typing import Any

from botbuilder.schema import Activity, ActivityEventNames, ActivityTypes, DeliveryModes

from cloud_adapter.codec.writer import write_value

_ADAPTER_EVENTS = {ActivityEventNames.continue_conversation, ActivityEventNames.create_conversation}

_CONTENT = (
    "timestamp",
    "name",
    "action",
    "text",
    "value",
    "attachments",
    "members_added",
    "members_removed",
    "reactions_added",
    "reactions_removed",
)
"""The properties that, besides type and sender, distinguish activities with the same id."""


def activity_key(activity: Activity) -> str:
    """A text that identifies an activity within its conversation.

    The key of a message is its id. Other activities may carry the id of the message that they are
    about (an edit, a deletion, a reaction), so their key consists of type, id, sender, timestamp
    and content. Two edits are thus two activities, and a reaction that is added, removed and added
    again counts as three. This is less reliable than for messages:

    - An activity that a channel delivers again with another timestamp is processed twice.
    - Two activities that a channel sends with the same content and without timestamps count as one.

    Returns:
        Empty if a second delivery needs its own response (invokes, expectReplies), if the adapter
        itself created the activity, or if the activity has no id.
    """
    if not activity.id or activity.type == ActivityTypes.invoke:
        return ""
    if activity.delivery_mode == DeliveryModes.expect_replies:
        return ""
    if activity.type == ActivityTypes.event and activity.name in _ADAPTER_EVENTS:
        return ""
    activity_id: str = activity.id
    if activity.type == ActivityTypes.message:
        return activity_id
    return f"{activity.type}|{activity_id}|{_digest(activity)}"


def _digest(activity: Any) -> str:
    sender = activity.from_property.id if activity.from_property else None
    values = write_value([sender, *(getattr(activity, name) for name in _CONTENT)])
    # Not `json_bytes`, which refuses infinity: Python reads 1e999 as infinity.
    content = json.dumps(values, ensure_ascii=False).encode(errors="surrogatepass")
    return hashlib.sha256(content).hexdigest()[:16]
