"""Activities: which are the same, which channels vouch for their users, and where replies go.

On Web Chat and Direct Line the client itself writes an activity's `from` and `channelData`, so it
can claim any user id, any Entra object id and any tenant. Direct Line's enhanced authentication
binds the user id to a token, but an activity does not show whether that feature is on. In Teams,
Microsoft signs users in, and the service sets all of these properties.

`import_bot_sdk` replaces botbuilder's functions for conversation references with those here:
botbuilder-python leaves the id of the activity out where the SDKs for .NET and JavaScript keep it,
and overwrites an activity's own locale.

Sources: Microsoft reference "Direct Line enhanced authentication" (impersonation); Teams platform
reference "Get Teams-specific context for your bot" (`aadObjectId`, `channelData.tenant`);
botbuilder-dotnet, Activity.GetConversationReference and ApplyConversationReference; botbuilder-js,
TurnContext.getConversationReference and applyConversationReference.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from botbuilder.schema import (
    Activity,
    ActivityEventNames,
    ActivityTypes,
    CallerIdConstants,
    ConversationReference,
    DeliveryModes,
)
from botframework.connector import Channels

from cloud_adapter.codec import write_value

TEAMS = Channels.ms_teams.value

CHANNELS = tuple(sorted((each.value for each in Channels), key=lambda each: each != TEAMS))
"""Every channel id, in the order in which a user id is looked up: Teams first."""

AGENTS_CHANNEL_ID = "_channelId"
"""The name of an activity's `channelId` in @microsoft/agents-hosting, in calls of its AgentClient
and in replies that are expected in its response (1.2.3 to 1.8.1)."""


def name_channel_id(activity: Any) -> None:
    """Give an activity, as parsed JSON, the `channelId` that it has under AGENTS_CHANNEL_ID."""
    if isinstance(activity, dict) and not activity.get("channelId"):
        with contextlib.suppress(KeyError):
            activity["channelId"] = activity.pop(AGENTS_CHANNEL_ID)


def vouches_for_users(channel_id: str) -> bool:
    """Whether a channel itself sets `from`, the members, and their tenant.

    For other channels, the bot stores conversations but no users.
    """
    return bool(channel_id == TEAMS)


def is_from_bot(activity: Activity) -> bool:
    """Whether another bot, such as a skill's parent, sent an activity that has been authorized."""
    return (activity.caller_id or "").startswith(CallerIdConstants.bot_to_bot_prefix.value)


def tenant_ids(activity: Activity) -> frozenset[str]:
    """The tenants (GUIDs, in lower case) of the conversation and of Teams' channel data.

    Empty if the channel does not vouch for its users, because the client could claim any tenant.
    """
    if not vouches_for_users(activity.channel_id):
        return frozenset()
    conversation, data = activity.conversation, activity.channel_data
    # The SDK's model reads `tenantID`; channels write `tenantId`.
    found: list[Any] = [
        conversation.tenant_id,
        conversation.additional_properties.get("tenantId"),
    ]
    tenant = data.get("tenant") if isinstance(data, Mapping) else None
    if isinstance(tenant, Mapping):
        found.append(tenant.get("id"))
    return frozenset(str(tenant_id).lower() for tenant_id in found if tenant_id)


_ADAPTER_EVENTS = {ActivityEventNames.continue_conversation, ActivityEventNames.create_conversation}


def is_from_adapter(activity: Activity) -> bool:
    """Whether the adapter itself created an activity, for a turn that the bot has started."""
    return activity.type == ActivityTypes.event and activity.name in _ADAPTER_EVENTS


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
    if is_from_adapter(activity):
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


_HIDDEN_UPDATES = {Channels.direct_line, Channels.webchat}
"""The channels whose clients do not see a conversationUpdate, so nothing can reply to it."""


def is_replied_to(activity: Activity) -> bool:
    """Whether replies to an activity carry its id, as `replyToId` and in their URL."""
    return (
        activity.type != ActivityTypes.conversation_update
        or activity.channel_id not in _HIDDEN_UPDATES
    )


def conversation_reference(activity: Activity) -> ConversationReference:
    """The conversation of an activity, and the activity itself if replies carry its id."""
    return ConversationReference(
        activity_id=activity.id if is_replied_to(activity) else None,
        user=account_copy(activity.from_property),
        bot=account_copy(activity.recipient),
        conversation=account_copy(activity.conversation),
        channel_id=activity.channel_id,
        locale=activity.locale,
        service_url=activity.service_url,
    )


def apply_conversation_reference(
    activity: Activity, reference: ConversationReference, is_incoming: bool = False
) -> Activity:
    """Address an activity as part of a conversation, and return it.

    Args:
        activity: is changed; its own locale stays.
        reference: the conversation, and the activity that is replied to.
        is_incoming: whether the activity is from the user to the bot, with the reference's id.
    """
    activity.channel_id = reference.channel_id
    activity.service_url = reference.service_url
    activity.conversation = reference.conversation
    if activity.locale is None:
        activity.locale = reference.locale
    if is_incoming:
        activity.from_property, activity.recipient = reference.user, reference.bot
        activity.id = reference.activity_id or activity.id
    else:
        activity.from_property, activity.recipient = reference.bot, reference.user
        activity.reply_to_id = reference.activity_id or activity.reply_to_id
    return activity


def account_copy(account: Any) -> Any:
    """A shallow copy of an account, like `copy.copy`, but much faster."""
    if account is None:
        return None
    copied = account.__class__.__new__(account.__class__)
    copied.__dict__ = account.__dict__.copy()
    return copied
