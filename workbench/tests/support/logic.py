"""Activities, and what a bot does with them: the turns of many tests."""

import asyncio
from types import SimpleNamespace
from typing import Any

from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from cloud_adapter.adapter import TurnRequest
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.storage.received_message import received

MESSAGE = {"type": "message", "text": "sesame"}
INVOKE = {"type": "invoke", "name": "task/fetch", "value": {"word": "sesame"}}
EXPECT_REPLIES = {**MESSAGE, "deliveryMode": "expectReplies"}


async def echo(turn: TurnContext) -> None:
    """Send the text back."""
    await turn.send_activity(f"You said: {turn.activity.text}")


def answering(status: Any, body: Any = None) -> Logic:
    """A bot that answers invokes with this status and body."""

    async def answer(turn: TurnContext) -> None:
        value = InvokeResponse(status=status, body=body)
        await turn.send_activity(Activity(type=ActivityTypes.invoke_response, value=value))

    return answer


def raising(error: Exception) -> Logic:
    """A bot that raises this error."""

    async def fail(_: TurnContext) -> None:
        raise error

    return fail


async def processed(app: ComposedApp, body: bytes, bot: Logic) -> Any:
    """The response to a request with this body."""
    token = app.cloud.channel.token(app.service_url)
    request = TurnRequest("application/json", f"Bearer {token}", body)
    return await app.parts.adapter.process(request, SimpleNamespace(on_turn=bot))


async def woken(app: ComposedApp, message: str, bot: Logic) -> None:
    """Handle a wake-up message, in a task of its own, as the host does."""
    bot_object = SimpleNamespace(on_turn=bot)
    wake_up = app.parts.adapter.process_wake_up(received(message), bot_object)
    await asyncio.create_task(wake_up)
