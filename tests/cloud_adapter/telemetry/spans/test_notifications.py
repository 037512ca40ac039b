"""The spans of notifications: one trace from whoever sends one to each conversation."""

from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.notifications import QUEUE
from cloud_adapter.telemetry.spans import host_trace
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.notifier import Notifier
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received
from tests.support.telemetry.exported_spans import (
    HOST,
    TELEMETRY_ON,
    TRACE_ID,
    ExportedSpans,
    context_of,
    id_of,
    parent_id,
)
from tests.support.timing.stepped_clock import SteppedClock

SEND, PROCESS = "send bot-notifications", "process bot-notifications"
SEND_ONE, RUN = "agents.proactive.send_activity", "agents.app.run"
RUN_HOST = f"00-{'2' * 32}-00f067aa0ba902b7-00"


@pytest.fixture
def app_settings(storage: str) -> Mapping[str, str]:
    """Telemetry is on, and there is storage."""
    return {**TELEMETRY_ON, "AzureWebJobsStorage": storage}


@pytest.fixture
async def notifier(app: ComposedApp) -> Notifier:
    """Has users, and looks at the app's notifications."""
    return Notifier(app, SteppedClock())


def traces(spans: list[ReadableSpan]) -> set[str]:
    """The ids of the spans' traces."""
    return {f"{context_of(span).trace_id:032x}" for span in spans}


async def test_one_trace(
    app: ComposedApp, notifier: Notifier, exported: ExportedSpans, storage: str
) -> None:
    """Sending through `notify` is followed to the calls to the channel."""
    await notifier.add_users(2)
    with host_trace(HOST):
        await app.parts.services.notify("all", "sesame")
    [message] = await QueueMessages(storage, QUEUE).taken()
    assert app.parts.services.notifications
    with host_trace(RUN_HOST):
        await app.parts.services.notifications.handle_message(received(message))
    send, process = exported.one(SEND), exported.one(PROCESS)
    assert (send.kind, process.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert parent_id(process) == id_of(send)
    assert [link.context.trace_id for link in process.links] == [int("2" * 32, 16)]
    sent, runs = exported.named(SEND_ONE), exported.named(RUN)
    assert [parent_id(each) for each in sent] == [id_of(process)] * 2
    assert {parent_id(each) for each in runs} == {id_of(each) for each in sent}
    calls = exported.named("agents.connector.send_to_conversation")
    assert {parent_id(each) for each in calls} == {id_of(each) for each in runs}
    assert traces([send, process, *sent, *runs, *calls]) == {TRACE_ID}
    hashes = {(each.attributes or {})["activity.conversation.id"] for each in sent}
    assert len(hashes) == 2


async def test_a_message_of_somebody_else(app: ComposedApp, exported: ExportedSpans) -> None:
    """Without a trace in the message, the run belongs to the host's invocation."""
    assert app.parts.services.notifications
    with host_trace(HOST):
        await app.parts.services.notifications.handle_message(received('{"to": "x", "text": "y"}'))
    process = exported.one(PROCESS)
    assert traces([process]) == {TRACE_ID}
    assert process.links == ()
    # Its lock is taken before its span begins, and is no turn's.
    assert "bot.conversation_lock" not in exported.names


async def test_a_notification_keeps_its_trace() -> None:
    """Its next run goes on with the same one; a message without one is as before."""
    without = Notification.parse('{"to": "x", "text": "y"}', "m1")
    assert without.trace_parent == ""
    assert "trace" not in without.message
    message = '{"v": 1, "to": "x", "text": "y", "trace": "%s"}' % HOST  # noqa: UP031  # JSON's braces
    parsed = Notification.parse(message, "m1")
    assert Notification.parse(parsed.message, "m2").trace_parent == HOST


async def test_a_notification_that_cannot_be_sent(
    app: ComposedApp, notifier: Notifier, exported: ExportedSpans, connector_faults: Any
) -> None:
    """The call and the message have failed; the run has not, because the report says why."""
    await notifier.add_users(1)
    connector_faults.set(status=403, remaining=1)
    await app.parts.services.notify("all", "sesame")
    assert app.parts.services.notifications
    await app.parts.services.notifications.handle_message(received('{"to": "all", "text": "y"}'))
    failed = {span.name for span in exported if span.status.status_code is StatusCode.ERROR}
    assert failed == {"agents.connector.send_to_conversation", SEND_ONE}
    assert exported.attributes(SEND_ONE)["error.type"] == "ConnectorError"
