"""SkillTurns: the turns in which a skill replies in its parent's conversation.

Meanwhile, the parent's own turn waits for the skill, possibly in another process. So these turns do
not wait for the conversation's lock (cloud_adapter/state/turn.py): their changes are merged.
"""

import contextlib
from collections.abc import Awaitable, Callable

from botbuilder.core import Bot, BotAdapter, TurnContext
from botbuilder.core.conversation_reference_extension import get_continuation_activity
from botbuilder.schema import CallerIdConstants, ConversationReference
from botframework.connector.auth import ClaimsIdentity, JwtTokenValidation

from auth.errors import BotError
from cloud_adapter.adapter import MAX_RUNS, CloudAdapter
from cloud_adapter.errors import BotFailed, StateConflict

_BOT_RUNS_KEY = "SkillTurns.bot_runs"


class SkillTurns:
    """The adapter that the SDK's CloudSkillHandler gets: it calls this one method only.

    Args:
        adapter: runs the turns.
    """

    def __init__(self, adapter: CloudAdapter) -> None:
        self._adapter = adapter

    async def continue_conversation(
        self,
        reference: ConversationReference,
        callback: Callable[[TurnContext], Awaitable[object]],
        *,
        claims_identity: ClaimsIdentity,
        audience: str,
    ) -> None:
        """Run a turn, and run it again if another turn has changed the same property of the state.

        Args:
            reference: the parent's conversation.
            callback: passes the skill's activity on, or runs the bot.
            claims_identity: the skill's.
            audience: the resource of tokens for the conversation.

        Raises:
            ServiceUrlRefused: the bot must not call the conversation's service URL.
            ConnectorError: the channel refuses the activity, or cannot be reached.
            Unavailable: the bot cannot sign in, or storage is unavailable.
        """
        authentication = self._adapter.bot_framework_authentication
        skill = authentication.replying_skill(claims_identity, audience)

        async def run() -> None:
            activity = get_continuation_activity(reference)
            await self._adapter.run(skill, activity, callback, self._handle)

        for _ in range(MAX_RUNS - 1):
            with contextlib.suppress(StateConflict):
                return await run()
        return await run()

    async def _handle(self, context: TurnContext, error: Exception) -> bool:
        """Handle errors of the bot's own code; the skill gets those that stop its activity."""
        stops_activity = isinstance(error, BotError) and not isinstance(error, BotFailed)
        if stops_activity and _BOT_RUNS_KEY not in context.turn_state:
            return True
        return await self._adapter.handle_error(context, error)


class SkillAwareBot:
    """The bot, as it handles activities of a skill itself: events, and the end of a conversation.

    Args:
        bot: the parent.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def on_turn(self, context: TurnContext) -> None:
        """Run the bot. From here on, errors are handled as in any other turn."""
        context.turn_state[_BOT_RUNS_KEY] = True
        # The SDK's handler writes the name of this constant, not its value (Python 3.11 and later).
        prefix = CallerIdConstants.bot_to_bot_prefix.value
        claims = context.turn_state[BotAdapter.BOT_IDENTITY_KEY].claims
        app_id = JwtTokenValidation.get_app_id_from_claims(claims)
        context.activity.caller_id = f"{prefix}{app_id}"
        await self._bot.on_turn(context)
