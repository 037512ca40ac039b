"""The spans of queued turns: each belongs to the trace of the request that brought its activity."""

import asyncio
import itertools
import json
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import TurnContext
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from cloud_adapter.queued.queued_turns import POISON_QUEUE
from cloud_adapter.queued.set_aside import CONTAINER
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from cloud_adapter.telemetry import observer
from cloud_adapter.telemetry.spans import host_trace
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.set_aside_turns import attempted, retry_of
from tests.support.logic import MESSAGE, echo, raising, woken
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, answered
from tests.support.telemetry.exported_spans import (
    HOST,
    TRACE_ID,
    ExportedSpans,
    context_of,
    id_of,
    parent_id,
)

OTHER_TRACE_ID = "1" * 32
OTHER_HOST = f"00-{OTHER_TRACE_ID}-00f067aa0ba902b7-00"
DRAIN_TRACE_ID = "2" * 32
DRAIN_HOST = f"00-{DRAIN_TRACE_ID}-00f067aa0ba902b7-00"
"""The trace contexts of the invocations: two of `messages`, and one of `turns`."""

CONVERSATIONS: list[Any] = [{"id": each} for each in ("c1", "c2", "c3")]

SEND, PROCESS, DRAIN = "send bot-turns", "process bot-turns", "bot.drain"
QUEUE = {"messaging.system": "azure_queue_storage", "messaging.destination.name": "bot-turns"}


async def accepted(app: ComposedApp, host: str = HOST, **content: Any) -> None:
    """A message is stored, in an invocation of the host's."""
    await app.parts.tokens.get(app.parts.settings.channel_audience)
    with host_trace(host):
        response = await app.deliver({**MESSAGE, **content}, echo)
    assert response.status == 202


async def drained(app: ComposedApp, wake_ups: QueueMessages, bot: Any = echo) -> list[str]:
    """The wake-up messages are handled, each in an invocation of its own; returns them."""
    messages = await wake_ups.taken()
    for message in messages:
        with host_trace(DRAIN_HOST):
            await woken(app, message, bot)
    return messages


async def silent(_: TurnContext) -> None:
    """A bot that does nothing."""


def trace_id(span: ReadableSpan) -> str:
    """The id of a span's trace."""
    return f"{context_of(span).trace_id:032x}"


def links(span: ReadableSpan) -> list[int]:
    """The ids of the spans that a span is linked to."""
    return [link.context.span_id for link in span.links]


async def test_one_trace(
    queued: ComposedApp, exported: ExportedSpans, wake_ups: QueueMessages
) -> None:
    """It leads from the host's request through the queue to the reply; the drain is linked."""
    await accepted(queued)
    await drained(queued, wake_ups)
    send, process, drain = (exported.one(name) for name in (SEND, PROCESS, DRAIN))
    assert [span.kind for span in (send, process)] == [SpanKind.PRODUCER, SpanKind.CONSUMER]
    names = ["agents.adapter.process", SEND, PROCESS, "agents.app.run"]
    path = [exported.one(name) for name in [*names, "agents.connector.reply_to_activity"]]
    assert [parent_id(each) for each in path[1:]] == [id_of(each) for each in path[:-1]]
    assert {trace_id(each) for each in path} == {TRACE_ID}
    assert (trace_id(drain), links(process)) == (DRAIN_TRACE_ID, [id_of(drain)])
    assert exported.orphans == [DRAIN]  # its parent is the host's own


async def test_attributes(
    queued: ComposedApp, exported: ExportedSpans, wake_ups: QueueMessages
) -> None:
    """They are those of docs/telemetry.md."""
    await accepted(queued)
    await drained(queued, wake_ups)
    names = {"messaging.operation.name", "messaging.operation.type"}
    assert exported.attributes(SEND) == {**QUEUE, **dict.fromkeys(names, "send")}
    processed = {**QUEUE, **dict.fromkeys(names, "process"), "bot.attempt": "NOT_LAST"}
    assert exported.attributes(PROCESS) == processed
    request = exported.attributes("agents.adapter.process")
    assert (request["bot.queued"], request["http.response.status_code"]) == (True, 202)
    assert exported.attributes(DRAIN) == {
        "messaging.destination.name": "bot-turns",
        "messaging.batch.message_count": 1,
    }


async def test_the_wait(
    queued: ComposedApp, exported: ExportedSpans, wake_ups: QueueMessages
) -> None:
    """It begins when the activity was accepted, and ends when its turn starts."""
    await accepted(queued)
    await drained(queued, wake_ups)
    wait, send, process = (exported.one(name) for name in ("bot.queue_wait", SEND, PROCESS))
    assert parent_id(wait) == id_of(process)
    assert wait.start_time
    assert wait.end_time
    assert process.start_time
    assert send.start_time
    assert wait.start_time - 1e9 < send.start_time <= wait.end_time
    assert wait.end_time >= process.start_time


async def test_two_activities_in_one_drain(
    queued: ComposedApp, exported: ExportedSpans, wake_ups: QueueMessages
) -> None:
    """Each turn belongs to its own trace."""
    await accepted(queued, HOST, id="a1")
    await accepted(queued, OTHER_HOST, id="a2")
    messages = await wake_ups.taken()
    with host_trace(DRAIN_HOST):
        await woken(queued, messages[0], echo)
    sends, processed, runs = (exported.named(name) for name in (SEND, PROCESS, "agents.app.run"))
    assert [trace_id(each) for each in processed] == [TRACE_ID, OTHER_TRACE_ID]
    assert [parent_id(each) for each in processed] == [id_of(each) for each in sends]
    assert [parent_id(each) for each in runs] == [id_of(each) for each in processed]
    drain = exported.one(DRAIN)
    assert [links(each) for each in processed] == [[id_of(drain)]] * 2
    assert exported.attributes(DRAIN)["messaging.batch.message_count"] == 2


async def test_activities_at_once(
    queued: ComposedApp, exported: ExportedSpans, wake_ups: QueueMessages
) -> None:
    """Those that are stored together, and run by several drains, stay in their own traces."""
    traces = [f"{number:032x}" for number in range(1, 25)]
    await queued.parts.tokens.get(queued.parts.settings.channel_audience)
    await asyncio.gather(
        *(
            accepted(queued, f"00-{trace}-00f067aa0ba902b7-00", id=trace, conversation=conversation)
            for trace, conversation in zip(traces, itertools.cycle(CONVERSATIONS), strict=False)
        )
    )
    messages = await wake_ups.taken()
    await asyncio.gather(*(woken(queued, message, silent) for message in messages))
    processed = exported.named(PROCESS)
    assert sorted(trace_id(each) for each in processed) == traces
    parents = {trace_id(each): id_of(each) for each in exported.named(SEND)}
    assert {trace_id(each): parent_id(each) for each in processed} == parents
    ids = {trace_id(each): id_of(each) for each in processed}
    runs = exported.named("agents.app.run")
    assert {trace_id(each): parent_id(each) for each in runs} == ids


async def test_a_turn_that_fails(
    queued: ComposedApp, exported: ExportedSpans, wake_ups: QueueMessages
) -> None:
    """Each attempt has a span of its own in the same trace; the drain itself has not failed."""
    await accepted(queued)
    [message] = await drained(queued, wake_ups, raising(LookupError("sesame")))
    with host_trace(DRAIN_HOST):
        await woken(queued, retry_of(message), echo)
    first, second = exported.named(PROCESS)
    assert parent_id(first) == parent_id(second) == id_of(exported.one(SEND))
    assert [each.status.status_code for each in (first, second)] == [
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    assert (first.attributes or {})["error.type"] == "LookupError"
    assert {each.status.status_code for each in exported.named(DRAIN)} == {StatusCode.UNSET}


async def test_a_dead_letter(
    queued: ComposedApp,
    exported: ExportedSpans,
    wake_ups: QueueMessages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is counted; the span of the last attempt says that it was the last."""
    counted: list[str] = []
    metrics = SimpleNamespace(dead_lettered=counted.append)
    monkeypatch.setattr(observer, "bot_metrics", lambda: metrics)
    await accepted(queued)
    [message] = await wake_ups.taken()
    last = await attempted(queued, message, MAX_ATTEMPTS - 1)
    await woken(queued, last, raising(LookupError("sesame")))
    assert counted == ["bot-turns-poison"]
    assert exported.attributes(PROCESS)["bot.attempt"] == "LAST"


async def test_a_dead_letter_that_cannot_be_put(
    queued: ComposedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not counted: the message is delivered again, and its dead letter is put then."""
    counted: list[str] = []
    metrics = SimpleNamespace(dead_lettered=counted.append)
    monkeypatch.setattr(observer, "bot_metrics", lambda: metrics)
    assert queued.parts.account
    poison = MessageQueue(queued.parts.account, POISON_QUEUE)
    with pytest.raises(ValueError, match="at most"):
        await poison.put("x" * 100_000)
    assert counted == []


async def test_an_activity_that_cannot_be_stored(
    queued: ComposedApp, exported: ExportedSpans, front: StorageFront
) -> None:
    """Storing it has failed, and so has the request."""
    front.spoil("POST queue", answered(503))
    with host_trace(HOST), pytest.raises(StorageUnavailable):
        await queued.deliver(MESSAGE, echo)
    for name in (SEND, "agents.adapter.process"):
        assert exported.attributes(name)["error.type"] == "StorageUnavailable"
        assert exported.one(name).status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("trace", [None, "", "00-x", f"00-{'0' * 32}-{'0' * 16}-00", 5, ["x"]])
async def test_records_of_others(
    trace: Any, queued: ComposedApp, exported: ExportedSpans, wake_ups: QueueMessages
) -> None:
    """A record without a trace, as without telemetry, or with a wrong one, is read."""
    await accepted(queued)
    [message] = await wake_ups.taken()
    account = queued.parts.account
    assert account
    blobs, name = BlobContainer(account, CONTAINER), f"inbox/{WakeUp.parse(message).conversation}"
    inbox = await blobs.read(name)
    assert inbox
    record = json.loads(inbox.content)
    assert record.pop("trace").startswith(f"00-{TRACE_ID}-")
    changed = record if trace is None else {**record, "trace": trace}
    await blobs.create_append(name, inbox.etag, inbox.metadata)
    await blobs.append(name, json.dumps(changed).encode() + b"\n")
    with host_trace(DRAIN_HOST):
        await woken(queued, message, echo)
    assert queued.texts() == ["You said: sesame"]
    process = exported.one(PROCESS)
    assert parent_id(process) == id_of(exported.one(DRAIN))
    assert links(process) == []
