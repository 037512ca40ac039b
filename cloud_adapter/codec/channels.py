"""The channels, and which of them vouch for their users.

On Web Chat and Direct Line the client itself writes an activity's `from` and `channelData`, so it
can claim any user id, any Entra object id and any tenant. Direct Line's enhanced authentication
binds the user id to a token, but an activity does not show whether that feature is on. In Teams,
Microsoft signs users in, and the service sets all of these properties.

Sources: Microsoft reference "Direct Line enhanced authentication" (impersonation); Teams platform
reference "Get Teams-specific context for your bot" (`aadObjectId`, `channelData.tenant`).
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from botbuilder.schema import Activity, CallerIdConstants
from botframework.connector import Channels

TEAMS = Channels.ms_teams.value

CHANNELS = tuple(sorted((each.value for each in Channels), key=lambda each: each != TEAMS))
"""Every channel id, in the order in which a user id is looked up: Teams first."""

AGENTS_CHANNEL_ID = "_channelId"
"""What @microsoft/agents-hosting calls an activity's `channelId`, in calls of its AgentClient and
in replies that are expected in its response (1.2.3 to 1.8.1)."""

_VOUCHING = frozenset({TEAMS})


def name_channel_id(activity: Any) -> None:
    """Give an activity, as parsed JSON, the `channelId` that it has under AGENTS_CHANNEL_ID."""
    if isinstance(activity, dict) and not activity.get("channelId"):
        with contextlib.suppress(KeyError):
            activity["channelId"] = activity.pop(AGENTS_CHANNEL_ID)


def vouches_for_users(channel_id: str) -> bool:
    """Whether a channel itself sets `from`, the members, and their tenant.

    For other channels, the bot stores conversations but no users.
    """
    return channel_id in _VOUCHING


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
