"""The bot as a skill: turns that another bot, its parent, starts."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from aiohttp import web
from botbuilder.core import BotAdapter, InvokeResponse, TurnContext
from botbuilder.schema import Activity
from botframework.connector.auth import SkillValidation

from auth.errors import ServiceUrlRefused
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import TurnRequest, TurnResponse
from cloud_adapter.connector.client import BOT_TIMEOUTS
from cloud_adapter.proactive.references import CONTAINER
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.turn_context import ShowTypingMiddleware
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.credentials.bot_token_press import CALLER, BotTokenPress
from tests.support.credentials.forged_tokens import FOREIGN_TENANT
from tests.support.skills.replying_skill import ALLOWED, ReplyingSkill
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Reply, ScriptedService


@pytest.fixture
def app_settings(storage: str) -> Mapping[str, str]:
    """The skill accepts the parent's calls, and has storage."""
    return {**ALLOWED, "AzureWebJobsStorage": storage}


@pytest.fixture
async def parent() -> AsyncIterator[ScriptedService]:
    """The parent's endpoint for replies."""
    async with ScriptedService() as service:
        service.otherwise = Reply(200, {"id": "1"})
        yield service


async def call(
    app: ComposedApp, parent: ScriptedService, bot: Logic, **content: Any
) -> TurnResponse:
    """Call the skill as the parent does."""
    facts = {"type": "message", "serviceUrl": parent.url, "channelId": "msteams", "text": "x"}
    activity = app.activity({**facts, **content})
    header = f"Bearer {BotTokenPress(app.cloud).token()}"
    request = TurnRequest("application/json", header, json.dumps(activity).encode())
    return await app.parts.adapter.process(request, SimpleNamespace(on_turn=bot))


def audience(parent: ScriptedService) -> str:
    """The `aud` claim of the last token that the parent got."""
    token = parent.seen[-1].headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    return str(claims["aud"])


async def test_a_turn(app: ComposedApp, parent: ScriptedService) -> None:
    """The reply goes to the parent, with a token for the parent; the bot sees who called.

    Whatever the parent claims.
    """
    seen: list[Any] = []

    async def bot(context: TurnContext) -> None:
        state = context.turn_state
        seen.append(context.activity.caller_id)
        seen.append(state[BotAdapter.BOT_OAUTH_SCOPE_KEY])
        seen.append(SkillValidation.is_skill_claim(state[BotAdapter.BOT_IDENTITY_KEY].claims))
        await context.send_activity("Reply")

    claimed = "urn:botframework:azure"
    assert (await call(app, parent, bot, callerId=claimed)).status == 200
    assert seen == [f"urn:botframework:aadappid:{CALLER}", CALLER, True]
    [reply] = parent.seen
    assert reply.json["text"] == "Reply"
    assert reply.path.startswith(f"/v3/conversations/{app.conversation.id}/activities/")
    assert audience(parent) == CALLER


@pytest.mark.parametrize("channel", ["webchat", "directline", "msteams"])
async def test_the_route_of_a_reply(
    app: ComposedApp, parent: ScriptedService, channel: str
) -> None:
    """It names the activity, on every channel: an agents-hosting parent has no other route."""

    async def bot(context: TurnContext) -> None:
        await context.send_activity("Reply")

    await call(app, parent, bot, channelId=channel, id="a/1;x")
    [reply] = parent.seen
    assert reply.path == f"/v3/conversations/{app.conversation.id}/activities/a%2F1%3Bx"
    assert reply.json["replyToId"] == "a/1;x"


async def test_a_parent_with_agents_hosting(app: ComposedApp, parent: ScriptedService) -> None:
    """Its AgentClient (1.2.3 to 1.8.1) calls the channel `_channelId`."""
    seen: list[Any] = []

    async def bot(context: TurnContext) -> None:
        seen.append((context.activity.channel_id, context.activity.additional_properties))

    named = {"channelId": None, "_channelId": "msteams"}
    assert (await call(app, parent, bot, **named)).status == 200
    assert seen == [("msteams", {})]


async def test_a_claimed_caller(app: ComposedApp) -> None:
    """The channel's activities are the channel's, whatever caller id they claim."""
    seen: list[Any] = []

    async def bot(context: TurnContext) -> None:
        seen.append(context.activity.caller_id)

    claimed = {"type": "message", "text": "x", "callerId": f"urn:botframework:aadappid:{CALLER}"}
    await app.deliver(claimed, bot)
    assert seen == ["urn:botframework:azure"]


async def test_replies_in_the_response(app: ComposedApp, parent: ScriptedService) -> None:
    """A parent that expects replies gets them in the response, and the end of the conversation."""

    async def bot(context: TurnContext) -> None:
        await context.send_activity("Reply")
        await context.send_activity(Activity(type="endOfConversation", value={"n": 1}))

    response = await call(app, parent, bot, deliveryMode="expectReplies")
    first, last = json.loads(response.body)["activities"]
    assert (first["text"], last["type"], last["value"]) == ("Reply", "endOfConversation", {"n": 1})
    assert parent.seen == []


async def test_an_invoke(app: ComposedApp, parent: ScriptedService) -> None:
    """The parent gets its status and body."""

    async def bot(context: TurnContext) -> None:
        body = InvokeResponse(status=409, body={"a": 1})
        await context.send_activity(Activity(type="invokeResponse", value=body))

    response = await call(app, parent, bot, type="invoke", name="x")
    assert (response.status, json.loads(response.body)) == (409, {"a": 1})


async def test_a_queued_turn(app: ComposedApp, parent: ScriptedService) -> None:
    """The claims that are stored with an activity say who called, and whose token to use."""
    claims = BotTokenPress(app.cloud).second_version()
    caller = app.authentication.authorized_before(claims)
    assert caller.audience == CALLER
    client = await caller.connector_factory.create(parent.url, caller.audience)
    await client.conversations.send_to_conversation("c", Activity(type="message", text="later"))
    assert audience(parent) == CALLER


async def test_a_parent_that_takes_its_time(
    app: ComposedApp, parent: ScriptedService, stopped_clock: MovedClock
) -> None:
    """A parent may run a turn of its own before it answers, for example at the end."""

    async def answer(_: web.Request) -> web.StreamResponse:
        stopped_clock.move(BOT_TIMEOUTS.total - 1)
        await settled()
        return web.json_response({"id": "1"})

    async def bot(context: TurnContext) -> None:
        await context.send_activity(Activity(type="endOfConversation"))

    parent.otherwise = answer
    assert (await call(app, parent, bot)).status == 200
    assert [seen.json["type"] for seen in parent.seen] == ["endOfConversation"]


async def test_the_service_url_of_another_audience(app: ComposedApp) -> None:
    """The channel's token is never sent to a parent's service URL, nor another bot's."""
    factory = app.authentication.create_connector_factory(None)
    await factory.create("https://parent.example/", CALLER)
    for other in (None, app.parts.settings.channel_audience, FOREIGN_TENANT):
        with pytest.raises(ServiceUrlRefused):
            await factory.create("https://parent.example/", other)


async def test_without_authentication(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, parent: ScriptedService
) -> None:
    """For local tools that send no token, the bot is a skill if it is addressed as one."""
    seen: list[bool] = []

    async def bot(context: TurnContext) -> None:
        claims = context.turn_state[BotAdapter.BOT_IDENTITY_KEY].claims
        seen.append(SkillValidation.is_skill_claim(claims))

    settings = ALLOWED | {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true"}
    async with ComposedApp(cloud, monkeypatch, settings) as app:
        await call(app, parent, bot, recipient={"id": "bot", "role": "skill"})
        await call(app, parent, bot)
        assert seen == [True, False]
        monkeypatch.setattr(cloud.connector, "require_token", False)
        skill = ReplyingSkill(app, "")
        await skill.is_called()
        assert (await skill.send(type="message", text="x")).status == 200


async def test_no_typing_indicator(app: ComposedApp, parent: ScriptedService) -> None:
    """The parent decides what its users see while they wait."""
    app.parts.adapter.use(ShowTypingMiddleware(0, 60))
    found: list[int] = []

    async def bot(_: TurnContext) -> None:
        await settled()
        found.append(sum("_show" in repr(task.get_coro()) for task in asyncio.all_tasks()))

    await call(app, parent, bot)
    await app.deliver({"type": "message", "text": "x"}, bot)
    assert found == [0, 1]


async def test_no_conversation_references(app: ComposedApp, parent: ScriptedService) -> None:
    """A parent may name any user, whose notifications would then go to the parent."""

    async def bot(_: TurnContext) -> None:
        pass

    account = app.parts.account
    assert account
    blobs = BlobContainer(account, CONTAINER)
    for kind in ("message", "conversationUpdate"):
        await call(app, parent, bot, type=kind)
        assert [entry async for entry in blobs.list()] == []
    await app.deliver({"type": "message", "text": "x", "channelId": "msteams"}, bot)
    assert [entry async for entry in blobs.list()] != []
