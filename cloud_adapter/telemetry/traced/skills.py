"""Spans of calls to skills, and of the calls that skills make to their parent."""

from botbuilder.schema import Activity, InvokeResponse
from opentelemetry.trace import SpanKind

from cloud_adapter.connector.skills import SkillClient
from cloud_adapter.response import TurnResponse
from cloud_adapter.skills.call import SkillRequest
from cloud_adapter.skills.replies import SkillReplies
from cloud_adapter.telemetry.spans.operation import Operation
from cloud_adapter.telemetry.spans.trace_context import entry_kind
from cloud_adapter.telemetry.traced.http_pool import host_of


class TracedSkillClient(SkillClient):
    """See the base class. Skills get the trace context, in the header `traceparent`."""

    async def post_activity(
        self,
        from_bot_id: str,
        to_bot_id: str,
        to_url: str,
        service_url: str,
        conversation_id: str,
        activity: Activity,
    ) -> InvokeResponse:
        """Send an activity to a skill, and return the status and JSON of the skill's response."""
        attributes = {"http.request.method": "POST", "server.address": host_of(to_url)}
        with Operation("bot.skill.call", attributes, SpanKind.CLIENT) as operation:
            operation.is_propagated = True
            return await super().post_activity(
                from_bot_id, to_bot_id, to_url, service_url, conversation_id, activity
            )


class TracedSkillReplies(SkillReplies):
    """See the base class."""

    async def process(self, request: SkillRequest) -> TurnResponse:
        """Run the operation that a skill requests."""
        with Operation("bot.skill.reply", kind=entry_kind()) as operation:
            response = await super().process(request)
            operation.set("http.response.status_code", response.status)
            return response
