"""BotServices: what a bot sets in create_bot, and the notifications that it sends."""

import base64
import json
from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from azure.storage.queue.aio import QueueClient
from botbuilder.core import Bot, Middleware, TurnContext

from auth.errors import SettingsError
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter import turn_context
from cloud_adapter.bot.services import BotServices
from cloud_adapter.errors import BadNotification
from cloud_adapter.proactive.notifications import QUEUE
from cloud_adapter.turn_context import ShowTypingMiddleware
from tests.support.bots.composed_app import ComposedApp
from tests.support.timing.condition import comes_true

MESSAGE = {"type": "message", "text": "hello"}
CARD = {"type": "AdaptiveCard", "version": "1.5", "body": []}


class NamedMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Sends its name before and after the turn."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """A turn."""
        await context.send_activity(f"{self._name} before")
        await logic()
        await context.send_activity(f"{self._name} after")


async def say_hello(turn: TurnContext) -> None:
    """A turn of a bot."""
    await turn.send_activity("hello")


async def test_the_order_of_middleware(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is the outermost, in one call of `use` or in several."""

    def create_bot(services: BotServices) -> Bot:
        services.use(NamedMiddleware("first"), NamedMiddleware("second"))
        services.use(NamedMiddleware("third"))
        return SimpleNamespace(on_turn=say_hello)

    async with ComposedApp(cloud, monkeypatch, create_bot=create_bot) as app:
        assert (await app.deliver(MESSAGE, app.parts.bot.on_turn)).status == 200
        names = ("first", "second", "third")
        before, after = [f"{name} before" for name in names], [f"{name} after" for name in names]
        assert app.texts() == [*before, "hello", *reversed(after)]


@pytest.mark.parametrize("enabled", [True, False])
async def test_the_typing_indicator(
    enabled: bool, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot may turn it off: then a long turn shows nothing."""

    monkeypatch.setattr(
        turn_context, "ShowTypingMiddleware", partial(ShowTypingMiddleware, delay=0.0)
    )

    async def work(turn: TurnContext) -> None:
        await turn.send_activity("a reply, which takes some time")
        if enabled:
            await comes_true(lambda: "typing" in kinds())
        await turn.send_activity("done")

    def kinds() -> set[str]:
        return {activity["type"] for activity in app.conversation.activities}

    def create_bot(services: BotServices) -> Bot:
        services.typing_indicator = enabled
        return SimpleNamespace(on_turn=work)

    async with ComposedApp(cloud, monkeypatch, create_bot=create_bot) as app:
        await app.deliver(MESSAGE, app.parts.bot.on_turn)
        assert kinds() == ({"typing", "message"} if enabled else {"message"})


async def test_settings_and_identity(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable of the environment is there, the bot's own among them, and the app id."""
    async with ComposedApp(cloud, monkeypatch, {"MyOwnSetting": "a value"}) as app:
        services = app.parts.services
        assert services.settings["MyOwnSetting"] == "a value"
        assert services.settings["MicrosoftAppId"] == services.app_id
        assert services.app_id == cloud.registration.app_id
        assert services.adapter is app.parts.adapter


async def queued(app: ComposedApp) -> list[dict[str, Any]]:
    """The notifications in the queue."""
    assert app.parts.account
    storage = app.parts.account.source.connection_string
    async with QueueClient.from_connection_string(storage, QUEUE) as client:
        messages = await client.peek_messages(max_messages=32)
    return [json.loads(base64.b64decode(message.content)) for message in messages]


async def test_notify(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str) -> None:
    """A notification is in the queue under the id that is returned: a new one, or the given one."""
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as app:
        notify = app.parts.services.notify
        new_id = await notify("all", "hello", channel="msteams")
        assert await notify(("29:1", "29:2"), card=CARD, notification_id="n1") == "n1"
        assert await queued(app) == [
            {"v": 1, "to": ["all"], "channel": "msteams", "text": "hello", "id": new_id},
            {"v": 1, "to": ["29:1", "29:2"], "card": CARD, "id": "n1"},
        ]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"to": "", "text": "x"}, "to names no recipient"),
        ({"to": [], "text": "x"}, "to names no recipient"),
        ({"to": ["29:1", None], "text": "x"}, "to names no recipient"),
        ({"to": ["all", "29:1"], "text": "x"}, 'combines "all"'),
        ({"to": "all"}, "it is empty"),
        ({"to": "all", "text": " "}, "it is empty"),
        ({"to": "all", "text": 5}, "text is not a string"),
        ({"to": "all", "card": {"type": "HeroCard"}}, "card is not an adaptive card"),
        ({"to": "all", "text": "x", "channel": "pigeon"}, "channel is not one of"),
        ({"to": "29:1", "text": "x", "channel": "msteams"}, 'works with "all" only'),
        ({"to": "all", "text": "x" * 50_000}, "49152 bytes"),
    ],
)
async def test_a_bad_notification(
    arguments: dict[str, Any],
    why: str,
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    storage: str,
) -> None:
    """The bot's code gets an error that says what is wrong; the queue gets nothing."""
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as app:
        async with QueueClient.from_connection_string(storage, QUEUE) as client:
            await client.create_queue()
        with pytest.raises((BadNotification, ValueError), match=why):
            await app.parts.services.notify(**arguments)
        assert await queued(app) == []


async def test_notify_without_storage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the setting that is missing."""
    async with ComposedApp(cloud, monkeypatch) as app:
        with pytest.raises(SettingsError, match="AzureWebJobsStorage: it is missing"):
            await app.parts.services.notify("all", "hello")
