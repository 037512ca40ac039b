"""What the bot knows of the user who sent an activity."""

from typing import Any

from botbuilder.schema import Activity
from botframework.connector import Channels


def caller_facts(activity: Activity) -> str:
    """A Markdown list of the facts that the channel gives; those it does not give are left out.

    An object id and a tenant are facts in Teams alone: on Web Chat and Direct Line whoever talks to
    the bot can write there what he likes.
    """
    in_teams = activity.channel_id == Channels.ms_teams
    facts = {
        "Name": _of(activity.from_property, "name"),
        "User id": _of(activity.from_property, "id"),
        "Entra object id": in_teams and _of(activity.from_property, "aad_object_id"),
        "Tenant": in_teams and _tenant_id(activity.conversation),
        "Channel": activity.channel_id,
        "Conversation type": _of(activity.conversation, "conversation_type"),
        "Locale": activity.locale,
    }
    return "\n".join(f"- **{name}**: {value}" for name, value in facts.items() if value)


def _of(account: Any, attribute: str) -> Any:
    return getattr(account, attribute, None)


def _tenant_id(conversation: Any) -> Any:
    # The SDK's model reads `tenantID`; channels write `tenantId`.
    unknown = _of(conversation, "additional_properties") or {}
    return _of(conversation, "tenant_id") or unknown.get("tenantId")
