"""AutoSaveStateMiddleware: saves a turn's state changes when the turn ends."""

from collections.abc import Awaitable, Callable

from botbuilder.core import Middleware, TurnContext

from cloud_adapter.state.bot_state import ConversationState, UserState
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.turn import ConversationTurn

_KEY = "cloud_adapter.AutoSaveStateMiddleware"


class AutoSaveStateMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Saves after the replies are sent. If the process dies in between, they are sent twice.

    A turn in which the bot raises saves nothing. The adapter ends it after handling the error.

    Args:
        locks: allow one turn at a time to use the state of a conversation.
        conversation: saved last, because it decides whether the activity has been processed.
        user: saved first.

    Attributes:
        auto_save: whether to save every state that has changed; if False, only those whose
            `save_changes` the bot has called.
    """

    def __init__(
        self, locks: ConversationLocks, conversation: ConversationState, user: UserState
    ) -> None:
        self._locks = locks
        self._conversation = conversation
        self._user = user
        self.auto_save = True

    @staticmethod
    def of(context: TurnContext) -> "AutoSaveStateMiddleware | None":
        """The middleware of a turn; None if the turn failed before it reached the middleware."""
        found: AutoSaveStateMiddleware | None = context.turn_state.get(_KEY)
        return found

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the turn, and save its state changes."""
        context.turn_state[_KEY] = self
        turn = ConversationTurn(self._locks, context, self._names_in)
        if turn.runs_in_lock:
            # A queued turn: before it sends anything, raise TurnRepeated if it ran before.
            await self._conversation.load(context)
        await logic()
        await self._save(context)
        await turn.save_position()
        await turn.end()

    async def handle_error(
        self, context: TurnContext, handler: Callable[[], Awaitable[None]]
    ) -> None:
        """Run the bot's error handler after a failed turn, and save what the handler has changed.

        The handler sees the stored state, without the failed turn's changes. The turn's id is not
        saved, because the turn may run again.
        """
        if turn := ConversationTurn.of(context):
            turn.has_failed = True
        for state in (self._user, self._conversation):
            state.unload(context)
        await handler()
        await self._save(context)

    def _names_in(self, context: TurnContext) -> list[str]:
        """The names of the blobs of the states of which the bot has created properties."""
        names = []
        if self._conversation.is_used:
            names.append(self._conversation.blob_name(context))
        sender = context.activity.from_property
        if self._user.is_used and sender is not None and sender.id:
            names.append(self._user.blob_name(context))
        return names

    async def _save(self, context: TurnContext) -> None:
        for state in (self._user, self._conversation):
            await state.save_at_end(context, requested=not self.auto_save)
