"""SkillTurns: a skill's reply runs beside the turn that waits for the skill."""

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest
from botbuilder.core import (
    ActivityHandler,
    AnonymousReceiveMiddleware,
    BotAdapter,
    TurnContext,
)
from botbuilder.core.skills import SkillHandler
from botframework.connector.auth import SkillValidation

from auth.errors import ServiceUrlRefused
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY, TurnResponse
from tests.support.bots.composed_app import ComposedApp
from tests.support.credentials.bot_token_press import CALLER
from tests.support.skills.replying_skill import ALLOWED, ReplyingSkill
from tests.support.wire.scripted_service import Reply, ScriptedService

END = {"type": "endOfConversation", "code": "completedSuccessfully", "value": {"n": 1}}


class Parent(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """A bot whose tests say what it does with each activity.

    Attributes:
        acts: what it does, by the activity's type.
        contexts: of each turn so far.
    """

    def __init__(self) -> None:
        self.acts: dict[str, Callable[[TurnContext], Awaitable[object]]] = {}
        self.contexts: list[TurnContext] = []

    async def on_turn(self, turn_context: TurnContext) -> None:
        self.contexts.append(turn_context)
        await self.acts[turn_context.activity.type](turn_context)


@pytest.fixture
def parent() -> Parent:
    """The parent."""
    return Parent()


@pytest.fixture
async def app(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, parent: Parent) -> Any:
    """The app with this parent."""
    async with ComposedApp(cloud, monkeypatch, ALLOWED, create_bot=lambda _: parent) as app:
        yield app


def elsewhere(call: Awaitable[TurnResponse]) -> "asyncio.Task[TurnResponse]":
    """Run a skill's call as a request of its own, which shares no lock with the turn around it."""

    async def run() -> TurnResponse:
        return await call

    return asyncio.create_task(run(), context=contextvars.Context())


async def test_what_the_parent_sees(app: ComposedApp, parent: Parent, skill: ReplyingSkill) -> None:
    """The end of a conversation comes as the skill's, in the user's conversation."""
    seen: list[Any] = []

    async def look(context: TurnContext) -> None:
        activity, state = context.activity, context.turn_state
        seen.extend((activity.code, activity.value, activity.caller_id, activity.conversation.id))
        reference = state[SkillHandler.SKILL_CONVERSATION_REFERENCE_KEY].conversation_reference
        seen.append(reference.conversation.id)
        seen.append(SkillValidation.is_skill_claim(state[BotAdapter.BOT_IDENTITY_KEY].claims))
        seen.append(state[BotAdapter.BOT_OAUTH_SCOPE_KEY])
        await context.send_activity("Back")

    parent.acts["endOfConversation"] = look
    assert (await skill.send(**END)).status == 200
    caller, own = f"urn:botframework:aadappid:{CALLER}", app.conversation.id
    audience = app.parts.settings.channel_audience
    assert seen == ["completedSuccessfully", {"n": 1}, caller, own, own, True, audience]
    assert app.texts() == ["Back"]


async def test_a_middleware_that_exits(app: ComposedApp, skill: ReplyingSkill) -> None:
    """The turn has failed as any other of the parent's: the user gets the apology."""

    async def leave(_: TurnContext, __: Callable[[], Awaitable[None]]) -> None:
        sys.exit(3)

    app.parts.services.use(AnonymousReceiveMiddleware(leave))
    assert (await skill.send(type="message", text="hello")).status == 200
    assert app.texts() == [APOLOGY]


async def test_a_reply_does_not_wait_for_the_turn_that_called_the_skill(
    app: ComposedApp, parent: Parent, skill: ReplyingSkill
) -> None:
    """Both change the state, and nothing is lost."""
    state = app.parts.services.conversation_state
    active, count = state.create_property("active"), state.create_property("count")

    async def call_skill(context: TurnContext) -> None:
        await active.set(context, True)
        await state.save_changes(context, force=True)
        assert (await elsewhere(skill.send(**END))).status == 200
        await count.set(context, 1)

    async def end(context: TurnContext) -> None:
        assert await active.get(context)
        await active.set(context, False)

    parent.acts |= {"message": call_skill, "endOfConversation": end}
    await app.deliver({"type": "message", "text": "x"}, parent.on_turn)
    found: list[Any] = []

    async def look(context: TurnContext) -> None:
        found.extend([await active.get(context), await count.get(context)])

    await app.deliver({"type": "message", "text": "x"}, look)
    assert found == [False, 1]


async def test_a_reply_that_meets_a_conflict_runs_again(
    app: ComposedApp, parent: Parent, skill: ReplyingSkill
) -> None:
    """Another turn has changed the same property: the reply's turn sees it, and runs again."""
    state = app.parts.services.conversation_state
    count = state.create_property("count")

    async def add(context: TurnContext, number: int) -> None:
        await count.set(context, await count.get(context, int) + number)

    async def end(context: TurnContext) -> None:
        await add(context, 1)
        if len(parent.contexts) == 1:
            other = {"type": "message", "text": "x"}
            task = asyncio.create_task(
                app.deliver(other, lambda inner: add(inner, 10)), context=contextvars.Context()
            )
            await task

    parent.acts["endOfConversation"] = end
    assert (await skill.send(**END)).status == 200
    assert len(parent.contexts) == 2
    found: list[int] = []

    async def look(context: TurnContext) -> None:
        found.append(await count.get(context))

    await app.deliver({"type": "message", "text": "x"}, look)
    assert found == [11]


@pytest.mark.parametrize("activity", [END, {"type": "event", "name": "ContinueConversation"}])
async def test_a_parent_that_fails(
    activity: dict[str, Any],
    app: ComposedApp,
    parent: Parent,
    skill: ReplyingSkill,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The user gets the apology, the log the traceback, and the skill 200: it is not its fault."""

    async def fail(context: TurnContext) -> None:
        raise LookupError(context.activity.type)

    parent.acts[activity["type"]] = fail
    assert (await skill.send(**activity)).status == 200
    assert app.texts() == [APOLOGY]
    assert "LookupError" in caplog.text


async def test_a_parent_whose_reply_is_refused(
    app: ComposedApp, parent: Parent, skill: ReplyingSkill
) -> None:
    """The channel refuses what the parent itself sends: that is no refusal of the skill's call."""

    async def reply(context: TurnContext) -> None:
        await context.send_activity("x")

    parent.acts["endOfConversation"] = reply
    app.cloud.connector.server.faults.set(status=403, remaining=1)
    assert (await skill.send(**END)).status == 200
    assert app.texts() == [APOLOGY]


async def test_a_middleware_that_fails(app: ComposedApp, skill: ReplyingSkill) -> None:
    """The parent's own code fails while it passes a message on: it is handled in the same way."""

    class Faulty:
        async def on_turn(self, _: TurnContext, __: Callable[[], Awaitable[None]]) -> None:
            raise KeyError("x")

    app.parts.services.use(Faulty())
    assert (await skill.send(type="message", text="x")).status == 200
    assert app.texts() == [APOLOGY]


async def test_a_parent_that_is_a_skill(app: ComposedApp, skill: ReplyingSkill) -> None:
    """What its own skill says goes to its parent, with a token for that bot."""
    async with ScriptedService() as grandparent:
        grandparent.otherwise = Reply(200, {"id": "1"})
        await skill.is_called(CALLER, grandparent.url)
        assert (await skill.send(type="message", text="hello")).status == 200
        grandparent.otherwise = Reply(200, [])
        assert (await skill.call("GET", "members")).body == b"[]"
    assert grandparent.seen[0].json["text"] == "hello"
    for seen in grandparent.seen:
        token = seen.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["aud"], claims["appid"]) == (CALLER, app.parts.settings.app_id)


async def test_a_parent_whose_own_parent_may_not_call_any_more(skill: ReplyingSkill) -> None:
    """No token is sent to a service URL that is neither a channel's nor an allowed caller's."""
    await skill.is_called("11111111-2222-3333-4444-555555555555", "https://grandparent.example/")
    with pytest.raises(ServiceUrlRefused):
        await skill.send(type="message", text="hello")
