"""What a second delivery of an activity is known by."""

import hashlib
import json
from typing import Any

from botbuilder.schema import Activity, ActivityEventNames, ActivityTypes, DeliveryModes

from cloud_adapter.activity_codec import write_value

_MADE_HERE = {ActivityEventNames.continue_conversation, ActivityEventNames.create_conversation}

_EVENT = (
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
"""The properties that tell two events with the same id apart, beside who sent them."""


def activity_identity(activity: Activity) -> str:
    """Names an activity among those of its conversation.

    A message is known by its id. Other activities may carry the id of the message that they are
    about (an edit, a deletion, a reaction), so these are known by their type, id, sender, timestamp
    and content: two edits are two activities, and a reaction that is added, removed and added again
    is three. What is weaker than for messages:

    - One that a channel delivers again with another timestamp runs twice.
    - Two that a channel sends without timestamps, with the same content, are taken for one.

    Returns:
        Text; empty when a second delivery must be answered like the first (invokes, expectReplies),
        when nobody delivers it, or when the channel gives it no id.
    """
    if not activity.id or activity.type == ActivityTypes.invoke:
        return ""
    if activity.delivery_mode == DeliveryModes.expect_replies:
        return ""
    if activity.type == ActivityTypes.event and activity.name in _MADE_HERE:
        return ""
    identity: str = activity.id
    if activity.type != ActivityTypes.message:
        identity = f"{activity.type}|{identity}|{_digest(activity)}"
    return identity


def _digest(activity: Any) -> str:
    sender = activity.from_property.id if activity.from_property else None
    event = write_value([sender, *(getattr(activity, name) for name in _EVENT)])
    # Not `json_bytes`, which refuses 1e999: to Python it is infinite.
    content = json.dumps(event, ensure_ascii=False).encode(errors="surrogatepass")
    return hashlib.sha256(content).hexdigest()[:16]
