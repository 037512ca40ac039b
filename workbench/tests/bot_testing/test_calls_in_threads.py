"""Chat: everything that a bot may call works in its threads, too."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.core.conversation_reference_extension import get_continuation_activity
from botbuilder.core.skills import BotFrameworkSkill, SkillConversationIdFactoryOptions
from botbuilder.schema import Activity
from botframework.connector.token_api.models import TokenExchangeRequest

from bot_testing import Chat
from cloud_adapter.bot.services import BotServices
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.errors import NoToken
from cloud_adapter.proactive.records import users_of

pytestmark = [
    pytest.mark.chat(bot="workbench/tests/bot_testing/bots/threads", channel="msteams"),
    pytest.mark.parametrize(
        "chat_mode",
        [
            pytest.param("memory", marks=pytest.mark.chat(storage="memory")),
            pytest.param("Inline", marks=pytest.mark.chat(storage="azurite")),
            pytest.param("Queued", marks=pytest.mark.chat(storage="azurite", turns="Queued")),
        ],
    ),
    pytest.mark.usefixtures("chat_mode"),
]

NOT_FOR_BOTS = {
    # The host's functions call these,
    "adapter.enqueue",
    "adapter.process",
    "adapter.process_wake_up",
    "adapter.run",
    "adapter.send_proactively",
    "notifications.handle_message",
    # the adapter and the middleware these,
    "adapter.handle_error",
    "adapter.handle_last_error",
    "state.save_at_end",
    # and the SDK these: they work on what is loaded.
    "state.delete_property_value",
    "state.get_property_value",
    "state.set_property_value",
    # The SDK itself uses `get_skill_conversation_reference` in its place.
    "skill_conversations.get_conversation_reference",
}

SKILL = BotFrameworkSkill(id="skill", app_id="skill-app", skill_endpoint="https://localhost:1/")
CONNECTION = "connection"


@pytest.fixture
def chat_mode(request: pytest.FixtureRequest) -> str:
    """The name of the mode, for the test's id; its mark does the rest."""
    name: str = request.param
    return name


async def count_of(items: AsyncIterator[Any]) -> int:
    """Their number."""
    return len([each async for each in items])


def message(turn: TurnContext, **more: Any) -> Activity:
    """A message to the turn's conversation."""
    reference = TurnContext.get_conversation_reference(turn.activity)
    message = Activity(type="message", text="x", **more)
    return TurnContext.apply_conversation_reference(message, reference)


def parts_of(services: BotServices, turn: TurnContext) -> dict[str, Any]:
    """The parts of a bot."""
    return {
        "adapter": services.adapter,
        "credentials": services.credentials,
        "references": services.references,
        "services": services,
        "skill_client": services.skill_client,
        "skill_conversations": services.skill_conversations,
        "state": services.conversation_state,
        "storage": services.storage,
        "transcripts": services.transcripts,
        "turn": turn,
        **({"notifications": services.notifications} if services.notifications else {}),
    }


def calls_of(
    s: BotServices, t: TurnContext, logic: Callable[[TurnContext], Awaitable[None]]
) -> dict[str, Callable[[], Awaitable[Any]]]:
    """A call of each of their methods; `logic` is what runs in new turns."""
    a, queue, state = s.adapter, s.notifications, s.conversation_state
    activity, url, conversation = t.activity, t.activity.service_url, t.activity.conversation.id
    reference = TurnContext.get_conversation_reference(activity)
    reference.activity_id = "x"
    claims, sender = a.create_claims_identity(s.app_id), a.bot_framework_authentication
    continuation = get_continuation_activity(reference)
    exchange = TokenExchangeRequest(token="x")
    user, tokens = activity.from_property.id, (t, CONNECTION)
    options = SkillConversationIdFactoryOptions("scope", "bot", activity, SKILL)
    return {
        "adapter.continue_conversation": lambda: a.continue_conversation(reference, logic),
        "adapter.continue_conversation_with_claims": lambda: a.continue_conversation_with_claims(
            claims, reference, None, logic
        ),
        "adapter.create_connector_client": lambda: a.create_connector_client(url),
        "adapter.create_conversation": lambda: a.create_conversation(reference, logic),
        "adapter.delete_activity": lambda: a.delete_activity(t, reference),
        "adapter.delete_conversation_member": lambda: a.delete_conversation_member(t, "x"),
        "adapter.exchange_token": lambda: a.exchange_token(*tokens, user, exchange),
        "adapter.exchange_token_from_credentials": lambda: a.exchange_token_from_credentials(
            t, None, CONNECTION, user, exchange
        ),
        "adapter.get_aad_tokens": lambda: a.get_aad_tokens(*tokens, ["https://x"]),
        "adapter.get_activity_members": lambda: a.get_activity_members(t),
        "adapter.get_conversation_member": lambda: a.get_conversation_member(t, user),
        "adapter.get_conversation_members": lambda: a.get_conversation_members(t),
        "adapter.get_conversations": lambda: a.get_conversations(url),
        "adapter.get_oauth_sign_in_link": lambda: a.get_oauth_sign_in_link(*tokens),
        "adapter.get_sign_in_resource": lambda: a.get_sign_in_resource(*tokens),
        "adapter.get_sign_in_resource_from_user": lambda: a.get_sign_in_resource_from_user(
            *tokens, user
        ),
        "adapter.get_sign_in_resource_from_user_and_credentials": lambda: (
            a.get_sign_in_resource_from_user_and_credentials(t, None, CONNECTION, user)
        ),
        "adapter.get_token_status": lambda: a.get_token_status(t),
        "adapter.get_user_token": lambda: a.get_user_token(*tokens),
        "adapter.process_activity": lambda: a.process_activity(
            sender.unretried_sender(), continuation, logic
        ),
        "adapter.process_proactive": lambda: a.process_proactive(claims, continuation, None, logic),
        "adapter.run_pipeline": lambda: a.run_pipeline(TurnContext(a, continuation), logic),
        "adapter.send_activities": lambda: a.send_activities(t, [message(t)]),
        "adapter.sign_out_user": lambda: a.sign_out_user(*tokens),
        "adapter.update_activity": lambda: a.update_activity(t, message(t, id="x")),
        "credentials.get_token": s.credentials.get_token,
        "references.conversation": lambda: s.references.conversation(conversation),
        "references.conversations": lambda: count_of(s.references.conversations()),
        "references.find": lambda: s.references.find(conversation),
        "references.names": lambda: count_of(s.references.names()),
        "references.read": lambda: s.references.read("conversations/x"),
        "references.remove": lambda: s.references.remove(activity),
        "references.store": lambda: s.references.store(activity),
        "references.store_created": lambda: s.references.store_created(
            users_of(activity)[0], conversation
        ),
        "services.token": lambda: s.token("https://graph.microsoft.com"),
        "services.token_on_behalf_of": lambda: s.token_on_behalf_of(
            ["https://graph.microsoft.com/User.Read"], "x"
        ),
        "skill_client.post_activity": lambda: s.skill_client.post_activity(
            "", SKILL.app_id, SKILL.skill_endpoint, "https://x/", "x", activity
        ),
        "skill_client.post_activity_to_skill": lambda: s.skill_client.post_activity_to_skill(
            "", SKILL, "https://x/", activity
        ),
        "skill_conversations.continue_skill_conversation": lambda: (
            s.skill_conversations.continue_skill_conversation(options)
        ),
        "skill_conversations.create_skill_conversation_id": lambda: (
            s.skill_conversations.create_skill_conversation_id(options)
        ),
        "skill_conversations.delete_conversation_reference": lambda: (
            s.skill_conversations.delete_conversation_reference("x")
        ),
        "skill_conversations.get_skill_conversation_reference": lambda: (
            s.skill_conversations.get_skill_conversation_reference("x")
        ),
        "state.clear_state": lambda: state.clear_state(t),
        "state.delete": lambda: state.delete(t),
        "state.load": lambda: state.load(t, True),
        "state.save_changes": lambda: state.save_changes(t, True),
        "storage.delete": lambda: s.storage.delete(["x"]),
        "storage.read": lambda: s.storage.read(["x"]),
        "storage.write": lambda: s.storage.write({"x": {"a": 1}}),
        "transcripts.delete_transcript": lambda: s.transcripts.delete_transcript("x", "y"),
        "transcripts.get_transcript_activities": lambda: s.transcripts.get_transcript_activities(
            activity.channel_id, conversation
        ),
        "transcripts.list_transcripts": lambda: s.transcripts.list_transcripts(activity.channel_id),
        "transcripts.log_activity": lambda: s.transcripts.log_activity(activity),
        "turn.delete_activity": lambda: t.delete_activity("x"),
        "turn.send_activities": lambda: t.send_activities([Activity(type="message", text="x")]),
        "turn.send_activity": lambda: t.send_activity("x"),
        "turn.send_trace_activity": lambda: t.send_trace_activity("x"),
        "turn.update_activity": lambda: t.update_activity(message(t, id="x")),
        **(
            {
                "notifications.enqueue": lambda: queue.enqueue("x", "x", None, "", ""),
                "services.notify": lambda: s.notify("x", "x"),
            }
            if queue
            else {}
        ),
    }


def methods_of(parts: dict[str, Any]) -> set[str]:
    """The names of all public methods that are awaited or iterated asynchronously."""
    return {
        f"{part}.{name}"
        for part, owner in parts.items()
        for name, method in inspect.getmembers(type(owner))
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
        if not name.startswith("_")
    }


async def outcome_of(call: Callable[[], Awaitable[Any]]) -> str:
    """What becomes of a call; the local services refuse some."""
    try:
        return type(await call()).__name__
    except (ConnectorError, KeyError, NoToken) as error:
        return type(error).__name__


async def test_every_call(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, it does what it does on the bot's loop; its requests and turns run there."""
    home, pool = asyncio.get_running_loop(), chat.bot.parts.pool
    request, loops = pool.request, set()
    outcomes: dict[str, dict[str, str]] = {}
    public: set[str] = set()
    contexts: list[Any] = []

    async def watched(*arguments: Any, **options: Any) -> Any:
        loops.add(asyncio.get_running_loop())
        return await request(*arguments, **options)

    async def logic(turn: TurnContext) -> None:
        loops.add(asyncio.get_running_loop())
        contexts.append(getattr(turn, "task_context", None))

    async def work(services: BotServices, turn: TurnContext) -> None:
        public.update(methods_of(parts_of(services, turn)))
        contexts.clear()
        calls = calls_of(services, turn, logic).items()
        outcomes[turn.activity.text] = {name: await outcome_of(call) for name, call in calls}
        task = asyncio.current_task()
        assert task is not None
        own = task.get_context()
        is_home = asyncio.get_running_loop() is home
        assert is_home or all(each is not own for each in contexts)

    monkeypatch.setattr(pool, "request", watched)
    bot: Any = chat.bot.parts.bot
    bot.works["everything"] = work
    await chat.say("here say")  # its reference is stored then
    await chat.say("here everything")
    await chat.say("to_thread everything")
    assert outcomes["to_thread everything"] == outcomes["here everything"]
    assert loops == {home}
    assert (await chat.new_conversation("Grace").say("here say")).texts == ["said", "done"]
    missing = {"services.notify"} if chat.bot.parts.account is None else set()
    assert public - NOT_FOR_BOTS == outcomes["here everything"].keys() | missing
