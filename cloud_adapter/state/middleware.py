"""AutoSaveStateMiddleware: saves what a turn has changed in its state when the turn ends."""

from collections.abc import Awaitable, Callable

from botbuilder.core import Middleware, TurnContext

from cloud_adapter.state.bot_state import ConversationState, UserState
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.turn import ConversationTurn


class AutoSaveStateMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Saves after the replies are sent: a turn whose process dies runs again, and sends them.

    A turn in which the bot raises saves nothing.

    Args:
        locks: let one turn at a time use the state of a conversation.
        conversation: saved last, because it decides whether the activity has been processed.
        user: saved first.
    """

    def __init__(
        self, locks: ConversationLocks, conversation: ConversationState, user: UserState
    ) -> None:
        self._locks = locks
        self._conversation = conversation
        self._user = user

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the turn, and save what it has changed."""
        turn = ConversationTurn(self._locks, context)
        try:
            if turn.runs_in_lock:
                # A queued turn: before it sends anything, raise TurnRepeated if it ran before.
                await self._conversation.load(context)
            await logic()
            await self._user.save_at_end(context)
            await self._conversation.save_at_end(context)
        finally:
            await turn.unlock()
