"""ChatState: what the bot has stored for a conversation and its user."""

from typing import Any

from botbuilder.core import BotState, TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity

from bot_testing.app.running_bot import RunningBot
from cloud_adapter.codec import read_model


class ChatState:
    """Reads state as the next turn will find it.

    Args:
        bot: the running app.
        activity: the JSON of an activity from the user in the conversation.
    """

    def __init__(self, bot: RunningBot, activity: dict[str, Any]) -> None:
        self._bot = bot
        self._activity = activity

    async def conversation(self) -> dict[str, Any]:
        """The conversation's properties by name. Objects are of the bot's own classes."""
        return await self._read(self._bot.parts.services.conversation_state)

    async def user(self) -> dict[str, Any]:
        """The user's properties, likewise."""
        return await self._read(self._bot.parts.services.user_state)

    async def _read(self, state: BotState) -> dict[str, Any]:
        context = TurnContext(TestAdapter(), read_model(Activity, self._activity))
        await state.load(context)
        return dict(state.get(context))
