"""ShowTypingMiddleware: shown while a turn takes long, and stopped with it."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from botbuilder.core import TurnContext

from auth.errors import SignInError
from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.turn_context import ShowTypingMiddleware
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Reply, ScriptedService

DELAY, PERIOD = 0.5, 2.5


class Watch:
    """Watches a channel's service for typing activities.

    Attributes:
        service: the service.
        status: the answer to typing activities.
    """

    def __init__(self, service: ScriptedService) -> None:
        self.service = service
        self.status = 201
        self._typing = asyncio.Semaphore(0)
        service.otherwise = self._answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        is_typing = self.types()[-1] == "typing"
        if is_typing:
            self._typing.release()
        return await Reply(self.status if is_typing else 201)(request)

    async def typing(self) -> None:
        """Wait for the next typing activity."""
        async with asyncio.timeout(60):
            await self._typing.acquire()

    def types(self) -> list[str]:
        """The types of all activities so far."""
        return [seen.json["type"] for seen in self.service.seen]


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    async with ScriptedService() as service:
        yield Watch(service)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MovedClock]:
    """It is stopped: a request of a bot may take longer than a delay."""
    clock = MovedClock(monkeypatch)
    with clock.stopped():
        yield clock


@pytest.fixture(autouse=True)
def indicator(app: ComposedApp) -> ShowTypingMiddleware:
    """The only middleware of the app, with the default delays."""
    indicator = ShowTypingMiddleware(DELAY, PERIOD)
    adapter = CloudAdapter(app.parts.adapter.bot_framework_authentication)
    adapter.use(indicator)
    app.parts = replace(app.parts, adapter=adapter)
    return indicator


def typing_tasks() -> list[Any]:
    """The tasks that show typing."""
    return [each for each in asyncio.all_tasks() if "ShowTypingMiddleware" in repr(each)]


async def deliver(app: ComposedApp, watch: Watch, bot: Logic, **more: Any) -> Any:
    """Run a turn whose replies go to the watched service."""
    content = {"type": "message", "text": "x", "serviceUrl": watch.service.url, **more}
    return await app.deliver(content, bot)


async def test_a_quick_turn(app: ComposedApp, watch: Watch, clock: MovedClock) -> None:
    """A turn that ends before the delay starts no task, and shows no typing later."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity("one")
        await settled()
        clock.move(DELAY * 0.9)
        await turn.send_activity("two")
        assert not typing_tasks()

    await deliver(app, watch, bot)
    clock.move(60)
    await settled()
    assert not typing_tasks()
    assert watch.types() == ["message", "message"]


async def test_a_long_turn(app: ComposedApp, watch: Watch, clock: MovedClock) -> None:
    """Typing is shown after the delay, and again after each period."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity("one")
        await settled()
        clock.move(DELAY)
        await watch.typing()
        await turn.send_activity("two")
        await clock.until(lambda: bool(clock.sleeping()))  # the period has begun
        clock.move(PERIOD * 0.9)
        await turn.send_activity("three")
        await turn.send_activity("four")
        assert watch.types().count("typing") == 1
        clock.move(PERIOD * 0.2)
        await watch.typing()

    await deliver(app, watch, bot)
    assert watch.types() == ["message", "typing", "message", "message", "message", "typing"]


async def test_the_typing_activity(app: ComposedApp, watch: Watch, clock: MovedClock) -> None:
    """The typing activity is a reply to the message."""

    async def bot(_: TurnContext) -> None:
        await settled()
        clock.move(DELAY)
        await watch.typing()

    await deliver(app, watch, bot, id="a1", channelId="msteams")
    (seen,) = watch.service.seen
    assert seen.path.endswith(f"/{app.conversation.id}/activities/a1")
    assert seen.json["recipient"]["id"] == "user-1"
    assert seen.json["from"]["id"] == app.account["id"]
    assert "text" not in seen.json


@pytest.mark.parametrize("error", [None, LookupError("no table")])
async def test_the_end_of_a_turn(
    app: ComposedApp, watch: Watch, clock: MovedClock, error: Exception | None
) -> None:
    """After a turn, even one that raises, no task is left and no typing is shown."""

    async def bot(_: TurnContext) -> None:
        await settled()
        clock.move(DELAY)
        await watch.typing()
        assert typing_tasks()
        if error:
            raise error

    assert (await deliver(app, watch, bot)).status == 200
    clock.move(60)
    await settled()
    assert watch.types() == (["typing", "message"] if error else ["typing"])
    assert not typing_tasks()


async def test_an_error_of_the_turn(app: ComposedApp, watch: Watch) -> None:
    """The indicator does not catch an error of the turn."""

    async def bot(_: TurnContext) -> None:
        raise SignInError("no role")

    with pytest.raises(SignInError, match="no role"):
        await deliver(app, watch, bot)


@pytest.mark.parametrize("status", [403, 502])
async def test_a_refused_typing_activity(
    app: ComposedApp, watch: Watch, clock: MovedClock, status: int
) -> None:
    """A typing activity that cannot be sent does not fail the turn."""
    watch.status = status

    async def bot(turn: TurnContext) -> None:
        await settled()
        clock.move(DELAY)
        await watch.typing()
        await turn.send_activity("one")
        clock.move(PERIOD)
        await turn.send_activity("two")

    assert (await deliver(app, watch, bot)).status == 200
    assert watch.types() == ["typing", "message", "message"]


async def test_typing_is_not_a_response(app: ComposedApp, watch: Watch, clock: MovedClock) -> None:
    """Typing does not count as a response, and the bot's send handlers do not see it."""
    responded: list[bool] = []
    handled: list[str] = []

    async def handle(_: TurnContext, activities: list[Any], send: Any) -> None:
        handled.extend(activity.type for activity in activities)
        await send()

    async def bot(turn: TurnContext) -> None:
        turn.on_send_activities(handle)
        await settled()
        clock.move(DELAY)
        await watch.typing()
        responded.append(turn.responded)
        await turn.send_activity("one")
        responded.append(turn.responded)

    await deliver(app, watch, bot)
    assert (responded, handled) == ([False, True], ["message"])


@pytest.mark.parametrize(("delay", "period"), [(-0.1, 2.0), (0.5, 0.0), (0.5, -1.0)])
def test_wrong_times(delay: float, period: float) -> None:
    """They are refused, as in the SDK."""
    with pytest.raises(ValueError, match="delay"):
        ShowTypingMiddleware(delay, period)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "event", "name": "x"},
        {"type": "invoke", "name": "x"},
        {"type": "conversationUpdate"},
        {"deliveryMode": "expectReplies"},
    ],
)
async def test_turns_without_typing(
    app: ComposedApp, watch: Watch, clock: MovedClock, content: dict[str, Any]
) -> None:
    """No typing is shown for other activities, nor for replies in the HTTP response."""

    async def bot(turn: TurnContext) -> None:
        await settled()
        clock.move(60)
        await settled()
        assert not typing_tasks()
        connector = turn.turn_state[turn.adapter.BOT_CONNECTOR_CLIENT_KEY]
        await connector.conversations.send_to_conversation("c", turn.activity)

    response = await deliver(app, watch, bot, **content)
    assert watch.types() == [content.get("type", "message")]
    assert b"typing" not in response.body


async def test_nothing_is_left(app: ComposedApp, watch: Watch) -> None:
    """No reference cycle keeps a turn that has shown the indicator."""
    app.parts.adapter.use(ShowTypingMiddleware(0, PERIOD))
    turns: list[weakref.ref[TurnContext]] = []

    async def bot(turn: TurnContext) -> None:
        turns.append(weakref.ref(turn))
        await watch.typing()

    gc.collect()
    gc.disable()
    try:
        for _ in range(2):
            await app.deliver(
                app.activity({"type": "message", "serviceUrl": watch.service.url}), bot
            )
        await settled()
        assert turns[0]() is None
    finally:
        gc.enable()
