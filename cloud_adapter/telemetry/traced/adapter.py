"""TracedCloudAdapter: spans of requests, turns, queued activities and proactive messages."""

import time

from botbuilder.core import Bot
from botbuilder.schema import ConversationReference
from opentelemetry.trace import SpanKind

from cloud_adapter.adapter import CloudAdapter, ErrorPolicy, Logic
from cloud_adapter.queued.attempts import Attempt
from cloud_adapter.queued.queued_turns import QUEUE
from cloud_adapter.queued.stored_activity import AcceptedActivity
from cloud_adapter.request import TurnRequest
from cloud_adapter.response import TurnResponse
from cloud_adapter.telemetry.spans.activity_attributes import activity_attributes
from cloud_adapter.telemetry.spans.operation import Operation, past_operation
from cloud_adapter.telemetry.spans.queue_attributes import queue_attributes
from cloud_adapter.telemetry.spans.trace_context import entry_kind, stored_parent
from cloud_adapter.turn_context import TurnContext

_REQUEST = {"http.request.method": "POST", "http.route": "/api/messages"}


class TracedCloudAdapter(CloudAdapter):
    """See the base class."""

    async def process(self, request: TurnRequest, bot: Bot) -> TurnResponse:
        """Run or enqueue the turn for a channel's request."""
        with Operation("agents.adapter.process", _REQUEST, entry_kind()) as operation:
            response = await super().process(request, bot)
            operation.set("http.response.status_code", response.status)
            return response

    async def _run_middleware(
        self, context: TurnContext, logic: Logic | None, on_error: ErrorPolicy
    ) -> None:
        attributes = activity_attributes(context.activity, self._app_id)
        with Operation("agents.app.run", attributes) as operation:

            async def recorded(failed: TurnContext, error: Exception) -> bool:
                # Most errors go no further than `on_error`: the user gets an apology.
                operation.fail(error)
                return await on_error(failed, error)

            await super()._run_middleware(context, logic, recorded)

    async def _run_stored(self, bot: Bot, accepted: AcceptedActivity, attempt: Attempt) -> None:
        parent, links = stored_parent(accepted.trace_parent)
        attributes = {**queue_attributes(QUEUE, "process"), "bot.attempt": attempt.name}
        name = f"process {QUEUE}"
        with Operation(name, attributes, SpanKind.CONSUMER, parent, links):
            if accepted.accepted_at:
                past_operation("bot.queue_wait", accepted.accepted_at, time.time_ns())
            await super()._run_stored(bot, accepted, attempt)

    async def send_proactively(self, reference: ConversationReference, logic: Logic) -> None:
        """Run `logic` in a conversation, in a turn that no activity from the channel started."""
        attributes = activity_attributes(reference, self._app_id)
        with Operation("agents.proactive.send_activity", attributes):
            await super().send_proactively(reference, logic)
