"""What the bot knows about the user who sent an activity."""

from typing import Any

from botbuilder.schema import Activity
from botframework.connector import Channels


def caller_facts(activity: Activity) -> str:
    """A Markdown list of the facts that the channel gives; those it does not give are left out.

    The object id and the tenant are listed in Teams only: on Web Chat and Direct Line, the client
    can set them to anything.
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
