"""TracedConnectorSession: spans of calls to the channel's services, called as the Agents SDK's."""

from typing import Any

from opentelemetry.trace import SpanKind

from cloud_adapter.connector.session import ConnectorSession, Service, ServiceResponse
from cloud_adapter.telemetry.spans.operation import Operation
from cloud_adapter.telemetry.traced.http_pool import host_of
from http_client.limits import MAX_RESPONSE_BYTES

HISTORY = "history"

OPERATIONS = {
    ("GET", "v3", "conversations"): "get_conversations",
    ("POST", "v3", "conversations"): "create_conversation",
    ("POST", "v3", "conversations", "*", "activities"): "send_to_conversation",
    ("POST", "v3", "conversations", "*", "activities", "*"): "reply_to_activity",
    ("POST", "v3", "conversations", "*", "activities", HISTORY): "send_conversation_history",
    ("PUT", "v3", "conversations", "*", "activities", "*"): "update_activity",
    ("DELETE", "v3", "conversations", "*", "activities", "*"): "delete_activity",
    ("GET", "v3", "conversations", "*", "activities", "*", "members"): "get_activity_members",
    ("GET", "v3", "conversations", "*", "members"): "get_conversation_members",
    ("GET", "v3", "conversations", "*", "members", "*"): "get_conversation_member",
    ("DELETE", "v3", "conversations", "*", "members", "*"): "delete_conversation_member",
    ("GET", "v3", "conversations", "*", "pagedmembers"): "get_conversation_paged_members",
    ("POST", "v3", "conversations", "*", "attachments"): "upload_attachment",
    ("GET", "v3", "attachments", "*"): "get_attachment_info",
    ("GET", "v3", "attachments", "*", "views", "*"): "get_attachment",
    ("GET", "v3", "teams", "*"): "get_team_details",
    ("GET", "v3", "teams", "*", "conversations"): "get_teams_channels",
    ("GET", "v1", "meetings", "*"): "fetch_meeting",
    ("GET", "v1", "meetings", "*", "participants", "*"): "fetch_participant",
    ("POST", "v1", "meetings", "*", "notification"): "send_meeting_notification",
}
"""Names of the connector's operations; `*` stands for an id."""

TOKEN_OPERATIONS = {
    "GetToken": "get_user_token",
    "SignOut": "sign_out",
    "GetSignInResource": "get_sign_in_resource",
    "exchange": "exchange_token",
    "GetTokenStatus": "get_token_status",
    "GetAadTokens": "get_aad_tokens",
}
"""Names of the token service's operations, by the last segment of their path."""

OTHER = "request"


class TracedConnectorSession(ConnectorSession):
    """See the base class. Its HTTP client is a TracedHttpPool, which notes statuses and retries."""

    async def call(
        self,
        service: Service,
        method: str,
        path: tuple[str, ...],
        body: object = None,
        query: dict[str, Any] | None = None,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> ServiceResponse:
        """Call a service. A call is retried only if the pause ends before the deadline."""
        attributes = {
            "http.request.method": method,
            "server.address": host_of(service.base_url),
        }
        # Without `url.full`: exporters would name the span after it, and it holds ids.
        with Operation(call_name(method, path), attributes, SpanKind.CLIENT):
            return await super().call(service, method, path, body, query, max_bytes)


def call_name(method: str, path: tuple[str, ...]) -> str:
    """The name of a call's span."""
    if path[0] == "api":
        return f"agents.user_token_client.{TOKEN_OPERATIONS.get(path[-1], OTHER)}"
    return f"agents.connector.{OPERATIONS.get((method, *_shape(path)), OTHER)}"


def _shape(path: tuple[str, ...]) -> tuple[str, ...]:
    """A path without its ids: they are its third segment, its fifth and so on."""
    return tuple(
        "*" if place % 2 == 0 and place > 0 and each != HISTORY else each
        for place, each in enumerate(path)
    )
