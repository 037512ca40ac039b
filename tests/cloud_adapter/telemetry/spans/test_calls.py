"""The spans of calls to the channel, the token service and skills."""

import contextlib
import inspect
from typing import Any

import pytest
from botbuilder.schema import Activity
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from cloud_adapter.codec import read_model
from cloud_adapter.connector.client import (
    AttachmentsOperations,
    ConnectorError,
    ConversationsOperations,
    ServiceResponse,
    TeamsOperations,
    UserTokenClient,
)
from cloud_adapter.telemetry import spans
from cloud_adapter.telemetry.observer import call_name, host_of
from cloud_adapter.telemetry.spans import host_trace
from tests.support.bots.composed_app import ComposedApp
from tests.support.logic import MESSAGE
from tests.support.skills.replying_skill import ALLOWED, ReplyingSkill
from tests.support.telemetry.exported_spans import (
    HOST,
    TELEMETRY_ON,
    TRACE_ID,
    ExportedSpans,
    context_of,
)
from tests.support.wire.scripted_service import Reply, ScriptedService

SKILL = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
SAME = {"get_teams_conversation_paged_members": "get_conversation_paged_members"}

OPERATIONS = [
    (kind, name)
    for kind in (ConversationsOperations, AttachmentsOperations, TeamsOperations)
    for name, _ in inspect.getmembers(kind, inspect.iscoroutinefunction)
    if not name.startswith("_")
]


@pytest.mark.parametrize(("kind", "name"), OPERATIONS, ids=str)
async def test_names_of_operations(kind: Any, name: str) -> None:
    """A call to the connector is named after the method that makes it, as in the Agents SDK."""
    found: list[str] = []

    async def call(method: str, path: tuple[str, ...], *_: Any, **__: Any) -> ServiceResponse:
        found.append(call_name(method, path))
        return ServiceResponse(b"{}", "the call")

    method = getattr(kind(call), name)
    required = [
        "x"
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is parameter.empty
    ]
    await method(*required)
    assert found == [f"agents.connector.{SAME.get(name, name)}"]


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("get_user_token", "get_user_token"),
        ("get_sign_in_resource", "get_sign_in_resource"),
        ("sign_out_user", "sign_out"),
        ("get_token_status", "get_token_status"),
        ("get_aad_tokens", "get_aad_tokens"),
        ("exchange_token", "exchange_token"),
    ],
)
async def test_names_of_token_calls(
    method: str, name: str, app: ComposedApp, exported: ExportedSpans
) -> None:
    """A call to the token service is named as in the Agents SDK."""
    client = await app.authentication.create_user_token_client(None)
    assert isinstance(client, UserTokenClient)
    arguments = {
        "user_id": "u",
        "connection_name": "c",
        "channel_id": "webchat",
        "magic_code": None,
        "include_filter": None,
        "resource_urls": [],
        "exchange_request": {},
        "activity": read_model(Activity, app.activity(MESSAGE)),
        "final_redirect": None,
    }
    call = getattr(client, method)
    given = [arguments[each] for each in inspect.signature(call).parameters]
    with contextlib.suppress(ConnectorError):  # the local cloud does not know all of this
        await call(*given)
    assert f"agents.user_token_client.{name}" in exported.names


def test_a_path_that_is_not_known() -> None:
    """Nothing of it gets into the span's name."""
    assert call_name("GET", ("v3", "conversations", "x", "secret")) == "agents.connector.request"
    assert call_name("GET", ("api", "usertoken", "secret")) == "agents.user_token_client.request"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://smba.example:444/amer/TENANT/", "smba.example"),
        ("https://ada@smba.example/", "smba.example"),
        ("https://[x", ""),
        ("", ""),
    ],
)
def test_hosts(url: str, host: str) -> None:
    """Only the host of a URL is exported: a path may name a tenant, and a user is no host."""
    assert host_of(url) == host


async def test_a_call_to_a_skill(
    app: ComposedApp, exported: ExportedSpans, service: ScriptedService
) -> None:
    """It has a span, and the skill gets its trace context, to go on with the trace."""
    service.otherwise = Reply(200, {"word": "x"})
    activity = read_model(Activity, app.activity(MESSAGE))
    client = app.parts.services.skill_client
    with host_trace(HOST):
        await client.post_activity("", SKILL, service.url, "https://parent", "c1", activity)
    span = exported.one("bot.skill.call")
    assert span.kind is SpanKind.CLIENT
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "localhost",
    }
    [seen] = service.seen
    span_id = f"{context_of(span).span_id:016x}"
    assert seen.headers["traceparent"].startswith(f"00-{TRACE_ID}-{span_id}-")


async def test_a_skill_without_a_trace(
    app: ComposedApp, monkeypatch: pytest.MonkeyPatch, service: ScriptedService
) -> None:
    """As long as nobody makes spans, a skill gets no header rather than an empty one."""
    monkeypatch.setattr(spans, "tracer", trace.NoOpTracer())
    activity = read_model(Activity, app.activity(MESSAGE))
    client = app.parts.services.skill_client
    await client.post_activity("", SKILL, service.url, "https://parent", "c1", activity)
    [seen] = service.seen
    assert "traceparent" not in seen.headers


async def test_calls_to_others_carry_no_trace(
    app: ComposedApp, exported: ExportedSpans, service: ScriptedService
) -> None:
    """The channel's services get no trace context."""
    await app.parts.pool.request("GET", service.url)
    factory = app.authentication.create_connector_factory(None)
    client = await factory.create(f"{service.url}/")
    await client.conversations.delete_activity("c", "a")
    assert "agents.connector.delete_activity" in exported.names
    assert not [seen for seen in service.seen if "traceparent" in seen.headers]


class TestRepliesOfSkills:
    """A skill that calls its parent."""

    @pytest.fixture
    def app_settings(self) -> dict[str, str]:
        """The parent accepts the skill's calls."""
        return {**TELEMETRY_ON, **ALLOWED}

    async def test_a_reply(self, app: ComposedApp, exported: ExportedSpans) -> None:
        """The look for the conversation and the turn that passes the reply on are in one trace."""
        skill = ReplyingSkill(app)
        await skill.is_called()
        await app.parts.tokens.get(app.parts.settings.channel_audience)
        exported.clear()
        with host_trace(HOST):
            await skill.send(**MESSAGE)
        [(name, children)] = exported.trees
        assert name == "bot.skill.reply"
        names = [child for child, _ in children]
        assert names == ["agents.storage.read", "agents.app.run"]
        assert exported.traces == {TRACE_ID}
        assert exported.attributes(name)["http.response.status_code"] == 200
