"""What spans say of an activity: nothing that a user or a client has written."""

import functools
import hashlib
from typing import Any

from botbuilder.schema import DeliveryModes

from cloud_adapter.telemetry.labels import ACTIVITY_TYPES, CHANNELS, known

HASH_LENGTH = 16
"""Hex digits of a hashed id."""

_MODES = frozenset(each.value for each in DeliveryModes)


def activity_attributes(activity: Any, app_id: str) -> dict[str, str]:
    """The attributes of an activity; values that are not well-known ones are `other`.

    Args:
        activity: an Activity, or a ConversationReference, which has no type.
        app_id: the bot's app id (GUID), see `hashed`.
    """
    found = {"activity.channel_id": known(CHANNELS, activity.channel_id)}
    if kind := getattr(activity, "type", None):
        found["activity.type"] = known(ACTIVITY_TYPES, kind)
    if mode := getattr(activity, "delivery_mode", None):
        found["activity.delivery_mode"] = known(_MODES, mode)
    conversation = activity.conversation
    if conversation is not None and conversation.id:
        found["activity.conversation.id"] = hashed(conversation.id, app_id)
    return found


@functools.lru_cache(maxsize=1024)
def hashed(own_id: str, app_id: str) -> str:
    """An id that names a person or a conversation, hashed.

    It is the same in all spans of a bot, and another one for other bots. docs/telemetry.md says how
    to compute it.
    """
    text = f"{app_id}|{own_id}".encode(errors="surrogatepass")
    return hashlib.sha256(text).hexdigest()[:HASH_LENGTH]
