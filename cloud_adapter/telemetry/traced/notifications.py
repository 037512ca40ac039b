"""TracedNotifications: spans of notifications that are put into the queue, and of their runs."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.trace import SpanKind

from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.notifications import QUEUE, Notifications
from cloud_adapter.telemetry.spans.operation import Operation
from cloud_adapter.telemetry.spans.queue_attributes import queue_attributes
from cloud_adapter.telemetry.spans.trace_context import current_trace_parent, stored_parent


class TracedNotifications(Notifications):
    """See the base class. The trace context of a notification's span is part of its message."""

    async def enqueue(
        self,
        to: str | Sequence[str],
        text: str,
        card: dict[str, Any] | None,
        channel: str,
        own_id: str,
        trace_parent: str = "",
    ) -> str:
        """Enqueue a notification, and return its id."""
        with Operation(f"send {QUEUE}", queue_attributes(QUEUE, "send"), SpanKind.PRODUCER):
            trace_parent = trace_parent or current_trace_parent()
            return await super().enqueue(to, text, card, channel, own_id, trace_parent)

    async def _send(self, notification: Notification) -> None:
        parent, links = stored_parent(notification.trace_parent)
        attributes = queue_attributes(QUEUE, "process")
        with Operation(f"process {QUEUE}", attributes, SpanKind.CONSUMER, parent, links):
            await super()._send(notification)
