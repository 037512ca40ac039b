"""The spans of a turn that runs while the channel waits: one trace, from the host's span on."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import TurnContext
from opentelemetry.trace import SpanKind, StatusCode

from auth.errors import BadRequest, BotError, CallerForbidden, SignInError, TokenRejected
from cloud_adapter.adapter import TurnRequest
from cloud_adapter.reply import Reply
from cloud_adapter.telemetry.spans import host_trace
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.bots.remembering_bot import RememberingBot
from tests.support.logic import EXPECT_REPLIES, INVOKE, MESSAGE, answering, echo, raising
from tests.support.telemetry.exported_spans import (
    HOST,
    HOST_SPAN_ID,
    TRACE_ID,
    ExportedSpans,
    Tree,
    parent_id,
)

PROCESS, RUN = "agents.adapter.process", "agents.app.run"
TOKEN = "agents.authentication.get_access_token"
STREAM: Tree = ("bot.reply.stream", [("agents.storage.write", [])] * 2)
REPLY: Tree = ("agents.connector.reply_to_activity", [])


async def deliver(app: ComposedApp, content: dict[str, Any], bot: Logic) -> None:
    """A POST in an invocation of the host's; the bot has its token."""
    await app.parts.tokens.get(app.parts.settings.channel_audience)
    with host_trace(HOST):
        await app.deliver(content, bot)


def failures(exported: ExportedSpans) -> dict[str, Any]:
    """The errors that spans name, by the spans' names."""
    return {
        span.name: error
        for span in exported
        if (error := (span.attributes or {}).get("error.type")) is not None
    }


async def test_a_message(app: ComposedApp, exported: ExportedSpans) -> None:
    """Request, turn, and the call to the channel, in the host's trace."""
    await app.parts.tokens.get(app.parts.settings.channel_audience)
    exported.clear()
    await deliver(app, MESSAGE, echo)
    assert exported.trees == [(PROCESS, [(RUN, [REPLY])])]
    assert (exported.traces, exported.orphans) == ({TRACE_ID}, [])
    process = exported.one(PROCESS)
    assert parent_id(process) == int(HOST_SPAN_ID, 16)
    assert process.kind is SpanKind.INTERNAL
    assert {span.status.status_code for span in exported} == {StatusCode.UNSET}


async def test_a_streamed_answer(app: ComposedApp, exported: ExportedSpans) -> None:
    """All parts are one span, which has not failed; the end is a call to the channel."""

    async def chunks() -> AsyncIterator[str]:
        yield "Soup."
        # The cloud's thread sets no event.
        while not any("text" in each for each in app.conversation.activities):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def answer(context: TurnContext) -> None:
        async with Reply(context) as reply:
            await reply.stream(chunks())

    await deliver(app, MESSAGE, answer)
    [(_, [(_, children)])] = [tree for tree in exported.trees if tree[0] == PROCESS]
    sent = [tree for tree in children if tree[0] in (STREAM[0], REPLY[0])]
    assert sent == [STREAM, REPLY]
    assert failures(exported) == {}


async def test_its_attributes(app: ComposedApp, exported: ExportedSpans) -> None:
    """They are those of docs/telemetry.md; a conversation has the same hash in each span."""
    await deliver(app, EXPECT_REPLIES, echo)
    await deliver(app, MESSAGE, echo)
    known = {"activity.channel_id": "webchat", "activity.type": "message"}
    first, second = (dict(span.attributes or {}) for span in exported.named(PROCESS))
    hashed = first["activity.conversation.id"]
    expected = {**known, "activity.conversation.id": hashed}
    request = {"http.request.method": "POST", "http.route": "/api/messages"}
    answer = {"http.response.status_code": 200}
    assert first == {**expected, **request, **answer, "activity.delivery_mode": "expectReplies"}
    assert second == {**expected, **request, **answer}
    assert [dict(each.attributes or {}) for each in exported.named(RUN)][1] == expected
    assert exported.attributes(REPLY[0]) == {
        "http.request.method": "POST",
        "http.response.status_code": 201,
        "server.address": "localhost",
    }
    assert exported.one(REPLY[0]).kind is SpanKind.CLIENT


async def test_without_a_host(app: ComposedApp, exported: ExportedSpans) -> None:
    """On another host, which sends no trace context, the request's span is the trace's server."""
    await app.deliver(MESSAGE, echo)
    process = exported.one(PROCESS)
    assert (process.kind, process.parent) == (SpanKind.SERVER, None)
    assert len(exported.traces) == 1


async def test_a_first_token(app: ComposedApp, exported: ExportedSpans) -> None:
    """A token that is requested in a turn has a span there; the next turn uses the same one."""
    with host_trace(HOST):
        await app.deliver(MESSAGE, echo)
        await app.deliver(MESSAGE, echo)
    first, second = exported.trees
    assert first == (PROCESS, [(TOKEN, []), (RUN, [REPLY])])
    assert second == (PROCESS, [(RUN, [REPLY])])
    assert exported.attributes(TOKEN) == {
        "auth.method": "ManagedIdentityCredential",
        "auth.scopes": "https://api.botframework.com/.default",
    }


async def test_state(app: ComposedApp, exported: ExportedSpans) -> None:
    """The conversation is locked and read once; what changed is written after the reply."""
    bot = RememberingBot(app.parts)
    await deliver(app, MESSAGE, bot)
    read, write = "agents.storage.read", "agents.storage.write"
    lock: Tree = ("bot.conversation_lock", [(read, [])])
    run: Tree = (RUN, [lock, REPLY, (write, []), (write, [])])
    assert exported.trees[-1] == (PROCESS, [run])
    assert exported.attributes(read) == {"storage.operation": "read", "storage.keys.count": 1}


async def test_an_invoke(app: ComposedApp, exported: ExportedSpans) -> None:
    """The answer is in the response, so no call follows."""
    await deliver(app, INVOKE, answering(200, {"word": "sesame"}))
    assert exported.trees[-1] == (PROCESS, [(RUN, [])])
    assert exported.attributes(PROCESS)["activity.type"] == "invoke"


@pytest.mark.parametrize(
    ("kind", "error"),
    [("token", TokenRejected), ("audience", CallerForbidden), ("body", BadRequest)],
)
async def test_refusals(
    kind: str, error: type[BotError], app: ComposedApp, exported: ExportedSpans
) -> None:
    """A refused request has failed, and names the class of the error; no turn follows."""
    token = app.cloud.channel.token(app.service_url)
    content: dict[str, Any] = MESSAGE
    if kind == "audience":
        content = {**MESSAGE, "serviceUrl": "https://elsewhere.example/"}
    body = b"{}" if kind == "body" else json.dumps(app.activity(content)).encode()
    header = "Bearer x" if kind == "token" else f"Bearer {token}"
    request = TurnRequest("application/json", header, body)
    with host_trace(HOST), pytest.raises(error):
        await app.parts.adapter.process(request, SimpleNamespace(on_turn=echo))
    assert exported.trees == [(PROCESS, [])]
    process = exported.one(PROCESS)
    assert process.status.status_code is StatusCode.ERROR
    assert process.status.description is None
    assert exported.attributes(PROCESS)["error.type"] == error.__name__
    assert exported.attributes(PROCESS)["bot.error"] == error.__name__


async def test_a_bot_that_raises(app: ComposedApp, exported: ExportedSpans) -> None:
    """The turn has failed, although the channel gets 200; the apology is sent within it."""
    await deliver(app, MESSAGE, raising(LookupError("sesame")))
    assert exported.trees[-1] == (PROCESS, [(RUN, [REPLY])])
    assert failures(exported) == {RUN: "LookupError"}
    assert exported.one(RUN).status.status_code is StatusCode.ERROR
    assert [span.events for span in exported if span.events] == []


async def test_a_repeated_message(app: ComposedApp, exported: ExportedSpans) -> None:
    """A message that is received again is named so in its spans, and is no failure."""
    bot = RememberingBot(app.parts)
    await deliver(app, {**MESSAGE, "id": "a1"}, bot)
    exported.clear()
    await deliver(app, {**MESSAGE, "id": "a1"}, bot)
    assert failures(exported) == {RUN: "TurnRepeated"}
    assert {span.status.status_code for span in exported} == {StatusCode.UNSET}


async def test_no_sign_in(
    app: ComposedApp, exported: ExportedSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request for a token and the channel's request have failed, and no turn has a span."""
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with host_trace(HOST), pytest.raises(SignInError):
        await app.deliver(MESSAGE, echo)
    assert exported.trees == [(PROCESS, [(TOKEN, [])])]
    assert failures(exported).keys() == {PROCESS, TOKEN}


async def test_a_busy_connector(
    app: ComposedApp, exported: ExportedSpans, connector_faults: Any
) -> None:
    """A call has one span with all of its retries, and the last status."""
    connector_faults.set(status=429, retry_after=0, remaining=2)
    await deliver(app, MESSAGE, echo)
    found = exported.attributes(REPLY[0])
    assert (found["bot.retries"], found["http.request.resend_count"]) == (2, 2)
    assert found["http.response.status_code"] == 201
    assert failures(exported) == {}


async def test_a_refused_call(
    app: ComposedApp, exported: ExportedSpans, connector_faults: Any
) -> None:
    """It has failed with its status; so has the turn, because the bot did not catch the error."""
    connector_faults.set(status=403, remaining=1)
    await deliver(app, MESSAGE, echo)
    refused, apology = exported.named(REPLY[0])
    found = dict(refused.attributes or {})
    assert (found["http.response.status_code"], found["error.type"]) == (403, "ConnectorError")
    assert apology.status.status_code is StatusCode.UNSET
    assert failures(exported).keys() == {REPLY[0], RUN}


async def test_a_call_to_the_token_service(app: ComposedApp, exported: ExportedSpans) -> None:
    """Calls for users' tokens are called as the Agents SDK's."""

    async def bot(turn: TurnContext) -> None:
        client = turn.turn_state[turn.adapter.USER_TOKEN_CLIENT_KEY]
        await client.get_user_token("user-1", "bot-sign-in", "webchat", None)

    await deliver(app, MESSAGE, bot)
    assert "agents.user_token_client.get_user_token" in exported.names


async def test_a_span_of_the_bot(app: ComposedApp, exported: ExportedSpans) -> None:
    """A span that the bot makes in a turn is within the turn's, and the calls in it are within."""

    async def bot(turn: TurnContext) -> None:
        with exported.tracer.start_as_current_span("look up"):
            await echo(turn)

    await deliver(app, MESSAGE, bot)
    assert exported.trees[-1] == (PROCESS, [(RUN, [("look up", [REPLY])])])


async def test_a_turn_that_a_bot_starts(app: ComposedApp, exported: ExportedSpans) -> None:
    """continue_conversation runs a turn within the one that called it."""

    async def bot(turn: TurnContext) -> None:
        reference = TurnContext.get_conversation_reference(turn.activity)
        await turn.adapter.continue_conversation(reference, echo)

    await deliver(app, MESSAGE, bot)
    [(_, [(name, [(inner, _)])])] = exported.trees[-1:]
    assert (name, inner) == (RUN, RUN)
