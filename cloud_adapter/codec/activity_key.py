"""The activity key: recognizes an activity that the channel delivers a second time."""

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
"""The properties that, with the sender, distinguish two activities with the same id."""


def activity_key(activity: Activity) -> str:
    """A text that identifies an activity within its conversation.

    The key of a message is its id. Other activities may carry the id of the message that they are
    about (an edit, a deletion, a reaction), so their key is made of their type, id, sender,
    timestamp and content: two edits are two activities, and a reaction that is added, removed and
    added again is three. This is less reliable than for messages:

    - An activity that a channel delivers again with another timestamp runs twice.
    - Two activities that a channel sends without timestamps and with the same content count as one.

    Returns:
        Empty when a second delivery needs its own answer (invokes, expectReplies), when the adapter
        itself made the activity, or when it has no id.
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
    # Not `json_bytes`: it refuses infinity, which is how Python reads 1e999.
    content = json.dumps(values, ensure_ascii=False).encode(errors="surrogatepass")
    return hashlib.sha256(content).hexdigest()[:16]
