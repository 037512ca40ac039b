"""Facts that the channel gives about the user who sent an activity."""

from typing import Any

from botbuilder.schema import Activity, ConversationAccount
from botframework.connector import Channels


def caller_facts(activity: Activity) -> str:
    """A Markdown list of the facts that the channel gives; missing facts are left out.

    The object id and the tenant are listed in Teams only: on Web Chat and Direct Line, the client
    can set them to anything.
    """
    sender, conversation = activity.from_property, activity.conversation
    facts: dict[str, Any] = {}
    if sender:
        facts |= {"Name": sender.name, "User id": sender.id}
    if sender and activity.channel_id == Channels.ms_teams:
        facts["Entra object id"] = sender.aad_object_id
    if conversation and activity.channel_id == Channels.ms_teams:
        facts["Tenant"] = _tenant_id(conversation)
    facts["Channel"] = activity.channel_id
    if conversation:
        facts["Conversation type"] = conversation.conversation_type
    facts["Locale"] = activity.locale
    return "\n".join(f"- **{name}**: {value}" for name, value in facts.items() if value)


def _tenant_id(conversation: ConversationAccount) -> Any:
    # The SDK's model reads `tenantID`; channels write `tenantId`.
    return conversation.tenant_id or conversation.additional_properties.get("tenantId")
