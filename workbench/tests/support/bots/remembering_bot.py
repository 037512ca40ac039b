"""RememberingBot: counts in a conversation and for a user, with what a test puts in between."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from cloud_adapter.state.stored_state import TURN_IDS_KEY, LoadedState
from composition import Parts
from tests.support.bots.composed_app import USER, ComposedApp

Step = Callable[[TurnContext], Awaitable[object]]


class RememberingBot:
    """Says the conversation's count, which it has raised, as it has the user's.

    Args:
        parts: the app's.
        between: what happens once the state is changed and before the reply.

    Attributes:
        runs: how often its turn was begun.
    """

    def __init__(self, parts: Parts, between: Step | None = None) -> None:
        self.runs = 0
        self.between = between
        self.count = parts.services.conversation_state.create_property("count")
        self.total = parts.services.user_state.create_property("total")

    async def __call__(self, turn: TurnContext) -> None:
        """A turn."""
        self.runs += 1
        count = await self.count.get(turn, lambda: 0) + 1
        await self.count.set(turn, count)
        await self.total.set(turn, await self.total.get(turn, lambda: 0) + 1)
        if self.between is not None:
            await self.between(turn)
        await turn.send_activity(f"{count}")


def conversation_key(app: ComposedApp) -> str:
    """The key under which the state of the app's conversation is stored."""
    return f"webchat/conversations/{app.conversation.id}"


USER_KEY = f"webchat/users/{USER['id']}"


async def stored(app: ComposedApp, key: str) -> dict[str, Any]:
    """A stored item without its ETag, read as another turn would; empty if there is none."""
    _, loaded = await _loaded(app, key)
    return loaded.state | ({TURN_IDS_KEY: loaded.turn_ids} if loaded.turn_ids else {})


async def counts(app: ComposedApp) -> tuple[Any, Any]:
    """The conversation's count and the user's; None where there is none."""
    conversation = await stored(app, conversation_key(app))
    return conversation.get("count"), (await stored(app, USER_KEY)).get("total")


async def changed(app: ComposedApp, key: str, name: str, value: object) -> None:
    """Change a stored property, as another process would."""
    save, loaded = await _loaded(app, key)
    loaded.state[name] = value
    await save()


async def _loaded(app: ComposedApp, key: str) -> tuple[Callable[[], Awaitable[None]], LoadedState]:
    """What is stored under a key, in a turn of its own, and how that turn saves."""
    channel, kind, name = key.split("/", 2)
    parts = app.parts
    state = parts.services.user_state if kind == "users" else parts.services.conversation_state
    activity = Activity(
        type="message",
        channel_id=channel,
        conversation=ConversationAccount(id=name),
        from_property=ChannelAccount(id=name),
    )
    context = TurnContext(TestAdapter(), activity)
    await state.load(context)
    loaded = state.loaded(context)
    assert loaded
    return functools.partial(state.save_changes, context), loaded
