"""AutoSaveStateMiddleware: the middleware that saves a turn's state when the turn has ended."""

from collections.abc import Awaitable, Callable

from botbuilder.core import Middleware, TurnContext

from cloud_adapter.state.bot_state import ConversationState, UserState
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.turn import ConversationTurn


class AutoSaveStateMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Saves after the replies, so that a turn that was cut off is run again and answered.

    A turn that raises saves nothing.

    Args:
        locks: let one turn of a conversation run at a time.
        conversation: saved last: it decides whether the turn was made.
        user: saved before.
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
            if turn.held:
                # Before anything is said: has this turn been made?
                await self._conversation.load(context)
            await logic()
            await self._user.finish(context)
            await self._conversation.finish(context)
        finally:
            await turn.end()
