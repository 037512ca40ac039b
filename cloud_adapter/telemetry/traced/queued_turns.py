"""TracedQueuedTurns: spans of storing activities, and of wake-up messages."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import SpanKind

from cloud_adapter.queued.attempts import Attempt, RunTurn
from cloud_adapter.queued.queued_turns import QUEUE, QueuedTurns
from cloud_adapter.queued.stored_activity import AcceptedActivity
from cloud_adapter.storage.queue import ReceivedMessage
from cloud_adapter.telemetry.spans.operation import Operation
from cloud_adapter.telemetry.spans.queue_attributes import queue_attributes
from cloud_adapter.telemetry.spans.trace_context import current_trace_parent


class TracedQueuedTurns(QueuedTurns):
    """See the base class. The trace context of an activity's span is stored with the activity."""

    async def enqueue(
        self, activity: Any, body: bytes, claims: Mapping[str, Any], trace_parent: str = ""
    ) -> None:
        """Store an activity: once this returns, it will be processed."""
        if operation := Operation.current():
            operation.set("bot.queued", True)
        with Operation(f"send {QUEUE}", queue_attributes(QUEUE, "send"), SpanKind.PRODUCER):
            trace_parent = trace_parent or current_trace_parent()
            await super().enqueue(activity, body, claims, trace_parent)

    async def handle_message(self, message: ReceivedMessage, run_turn: RunTurn) -> None:
        """Handle a wake-up message: run the turns of the activities that wait in a conversation."""
        with Operation("bot.drain", {"messaging.destination.name": QUEUE}) as operation:
            turns = 0

            async def counted(accepted: AcceptedActivity, attempt: Attempt) -> None:
                nonlocal turns
                turns += 1
                await run_turn(accepted, attempt)

            try:
                await super().handle_message(message, counted)
            finally:
                operation.set("messaging.batch.message_count", turns)
