"""Chat: a bot that does its work in threads, on event loops of their own."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from bot_testing import Chat
from cloud_adapter import home_loop
from cloud_adapter.bot.services import BotServices
from cloud_adapter.errors import CallWithdrawn

pytestmark = [
    pytest.mark.chat(bot="workbench/tests/bot_testing/bots/threads"),
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

WAYS = ("to_thread", "callback", "executor", "thread")
"""The last two pass no context variables on."""


@pytest.fixture
def chat_mode(request: pytest.FixtureRequest) -> str:
    """The name of the mode, for the test's id; its mark does the rest."""
    name: str = request.param
    return name


@pytest.mark.parametrize("way", WAYS)
async def test_a_text(chat: Chat, way: str) -> None:
    """It is sent once, its turn goes on, and so does the next one."""
    assert (await chat.say(f"{way} say")).texts == ["said", "done"]
    assert (await chat.new_conversation("Grace").say("here say")).texts == ["said", "done"]


@pytest.mark.parametrize("way", WAYS)
async def test_state(chat: Chat, way: str) -> None:
    """It is the turn's: what a thread has locked, read and changed is saved when the turn ends."""
    assert (await chat.say(f"{way} count")).texts == ["count 1", "done"]
    assert await chat.state.conversation() == {"count": 1}
    assert (await chat.say("here count")).texts == ["count 2", "done"]
    assert (await chat.say(f"{way} commit")).texts == ["count 3", "done"]
    assert await chat.state.conversation() == {"count": 3}


@pytest.mark.parametrize("way", WAYS[:2])
async def test_another_turn_of_the_conversation(chat: Chat, way: str) -> None:
    """A thread starts it within its own turn, whose lock it shares."""
    assert (await chat.say(f"{way} proceed")).texts == ["count 1", "done"]
    assert (await chat.say("here count")).texts == ["count 2", "done"]


async def test_a_lock_that_a_thread_has_taken(chat: Chat) -> None:
    """It is the turn's, although the thread knew none of the turn's context variables."""
    works = bot(chat).works

    async def work(services: BotServices, turn: TurnContext) -> None:
        def commit() -> None:
            asyncio.run(works["commit"](services, turn))

        await asyncio.get_running_loop().run_in_executor(None, commit)
        await works["proceed"](services, turn)  # another turn of the conversation

    works["both"] = work
    assert (await chat.say("here both")).texts == ["count 1", "count 2", "done"]


@pytest.mark.chat(skip_waits=True)
@pytest.mark.parametrize("way", WAYS)
async def test_skipped_waits(chat: Chat, way: str) -> None:
    """No time is skipped while a turn waits for its thread."""

    async def work(_: BotServices, turn: TurnContext) -> None:
        for text in ("first", "second"):
            await turn.send_activity(text)

    bot(chat).works["two"] = work
    before = time.time()
    assert (await chat.say(f"{way} two")).texts == ["first", "second", "done"]
    assert time.time() - before < 60


async def test_a_turn_that_waits_for_its_thread(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread's call fails; the turn goes on; nothing is sent later."""
    monkeypatch.setattr(home_loop, "BEGIN_SECONDS", 0.0)
    raised: list[BaseException] = []

    async def work(_: BotServices, turn: TurnContext) -> None:
        try:
            await turn.send_activity("lost")
        except CallWithdrawn as error:
            raised.append(error)

    bot(chat).works["caught"] = work
    assert (await chat.say("join caught")).texts == ["done"]
    assert len(raised) == 1
    assert (await chat.say("here say")).texts == ["said", "done"]
    assert [each.text for each in chat.replies] == ["done", "said", "done"]


async def test_handlers_of_a_turn(chat: Chat) -> None:
    """The bot's handlers of what it sends, changes and deletes run on the bot's loop."""
    loops = []

    async def noted(_: TurnContext, __: object, proceed: Callable[[], Awaitable[object]]) -> None:
        loops.append(asyncio.get_running_loop())
        await proceed()

    async def work(_: BotServices, turn: TurnContext) -> None:
        turn.on_send_activities(noted).on_update_activity(noted).on_delete_activity(noted)
        sent = await turn.send_activity("first")
        await turn.update_activity(Activity(type="message", id=sent.id, text="second"))
        await turn.delete_activity(sent.id)

    bot(chat).works["all three"] = work
    await chat.say("to_thread all three")
    assert loops[:3] == [asyncio.get_running_loop()] * 3


async def test_a_default(chat: Chat) -> None:
    """Only one of two threads that find no value may make it: it is made on the bot's loop."""
    values = chat.bot.parts.services.conversation_state.create_property("values")
    loops = []

    def empty() -> list[str]:
        loops.append(asyncio.get_running_loop())
        return []

    async def work(_: BotServices, turn: TurnContext) -> None:
        (await values.get(turn, empty)).append("added")

    bot(chat).works["add"] = work
    await chat.say("to_thread add")
    assert loops == [asyncio.get_running_loop()]
    assert await chat.state.conversation() == {"values": ["added"]}


async def test_the_time_limit_of_a_client(chat: Chat) -> None:
    """It is counted on the bot's loop, whose time is not that of every thread."""

    async def work(services: BotServices, turn: TurnContext) -> None:
        client = await services.adapter.create_connector_client(turn.activity.service_url)
        chat.fail("connector", status=429, retry_after=0, times=1)
        await client.conversations.get_conversation_members(turn.activity.conversation.id)

    bot(chat).works["ask"] = work
    await chat.move_time(hours=1)
    assert (await chat.say("to_thread ask")).texts == ["done"]


async def test_storage(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the locks know of blobs is read and changed on the bot's loop, one call at a time."""
    locks, loops = chat.bot.parts.locks, set()

    def watched(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def noted(*arguments: Any) -> Any:
            loops.add(asyncio.get_running_loop())
            return await method(*arguments)

        return noted

    async def work(services: BotServices, _: TurnContext) -> None:
        await services.storage.write({"item": {"a": 1}})
        await services.storage.read(["item"])
        await services.storage.delete(["item"])

    for name in ("read", "write", "delete"):
        monkeypatch.setattr(locks, name, watched(getattr(locks, name)))
    bot(chat).works["store"] = work
    await chat.say("to_thread store")
    assert loops == {asyncio.get_running_loop()}


async def test_the_first_token(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that needs a token first has it requested on the bot's loop."""
    pool = chat.bot.parts.pool
    request, loops = pool.request, set()

    async def watched(*arguments: Any, **options: Any) -> Any:
        loops.add(asyncio.get_running_loop())
        return await request(*arguments, **options)

    monkeypatch.setattr(pool, "request", watched)
    credentials = chat.bot.parts.services.credentials
    assert await asyncio.to_thread(asyncio.run, credentials.get_token())
    assert loops == {asyncio.get_running_loop()}


def bot(chat: Chat) -> Any:
    """The running bot."""
    return chat.bot.parts.bot
