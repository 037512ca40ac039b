"""The tenants (GUIDs) of an activity's user."""

from collections.abc import Mapping
from typing import Any

from botbuilder.schema import Activity

from cloud_adapter.channels import vouches_for_users


def tenant_ids(activity: Activity) -> frozenset[str]:
    """Every tenant that the activity names: the conversation's, and Teams' in the channel data.

    Empty where the channel does not vouch for them: there, the client can set them to anything.
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
