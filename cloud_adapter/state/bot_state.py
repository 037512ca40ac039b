"""ConversationState and UserState: botbuilder's, for turns that run twice or concurrently.

Bots use them like the SDK's classes, from which they derive. A turn's changes are saved when it
ends (middleware.py), together with the activity's id. If the turn runs again, because its process
died or its response to the channel was lost, it finds the id and changes nothing twice.
"""

from botbuilder.core import BotState, StatePropertyAccessor, TurnContext
from botbuilder.core import ConversationState as SdkConversationState
from botbuilder.core import UserState as SdkUserState
from botbuilder.core.bot_state import BotStatePropertyAccessor

from cloud_adapter.errors import TurnRepeated
from cloud_adapter.home_loop import on_home_loop
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.loaded_state import LoadedState
from cloud_adapter.state.turn import ConversationTurn
from cloud_adapter.storage.blobs import name_part


class _Property(BotStatePropertyAccessor):  # type: ignore[misc]  # untyped SDK base
    # Two threads that found no value would each set a default, and one would change the other's.
    get = on_home_loop(BotStatePropertyAccessor.get)


class _TurnScopedState(BotState):  # type: ignore[misc]  # untyped SDK base
    """The part that both states share.

    Args:
        storage: where the state is stored.

    Attributes:
        is_used: whether a property has been created.
    """

    def __init__(self, storage: BlobStorage) -> None:
        super().__init__(storage)
        self.is_used = False
        self._blobs = storage.blobs
        # Not the SDK's key: a bot may use the SDK's class in the same turn.
        self._context_service_key = f"cloud_adapter.{type(self).__name__}"

    def create_property(self, name: str) -> StatePropertyAccessor:
        """A property of the state."""
        super().create_property(name)  # it refuses an empty name
        self.is_used = True
        return _Property(self, name)

    def blob_name(self, context: TurnContext) -> str:
        """The name of the state's blob in a turn."""
        return name_part(self.get_storage_key(context))

    def loaded(self, context: TurnContext) -> LoadedState | None:
        """The state in this turn; None if it is not loaded."""
        found: LoadedState | None = context.turn_state.get(self._context_service_key)
        return found

    def unload(self, context: TurnContext) -> None:
        """Discard unsaved changes. The next use of the state reads it again."""
        context.turn_state.pop(self._context_service_key, None)

    @on_home_loop
    async def load(self, turn_context: TurnContext, force: bool = False) -> None:
        """Read the state, once in a turn. From then on, other turns of the conversation wait.

        Raises:
            StorageUnavailable: the state cannot be read, for any reason.
            ConversationBusy: another turn of the conversation did not end in time.
        """
        if self.loaded(turn_context) is not None and not force:
            return
        name, turn = self.blob_name(turn_context), ConversationTurn.of(turn_context)
        blob = await (
            turn.read(turn_context, name, again=force) if turn else self._blobs.read(name)
        )
        if force or self.loaded(turn_context) is None:  # another task may have loaded it meanwhile
            turn_context.turn_state[self._context_service_key] = LoadedState(blob)

    @on_home_loop
    async def save_changes(self, turn_context: TurnContext, force: bool = False) -> None:
        """Request that the changes are saved when the turn ends; with `force`, save them now.

        Without `force`, this matters only if the bot has set `auto_save_state` to False. If no turn
        of this project's adapter is running, changes are saved now.

        Raises:
            StateConflict: another turn changed the same property.
            StorageUnavailable: the state cannot be saved.
            TypeError, ValueError: a property holds what state cannot hold.
        """
        turn = ConversationTurn.of(turn_context)
        if force:
            await self.load(turn_context)
        state = self.loaded(turn_context)
        if state is None:
            return
        if force:
            await self._write(turn_context, state)
        else:
            state.is_requested = True
            if turn is None or not turn.is_running:
                await self.save_at_end(turn_context)

    async def save_at_end(self, turn_context: TurnContext, *, requested: bool = False) -> None:
        """Save the changes and the turn's id at the end of the turn. Raises as `save_changes` does.

        Args:
            turn_context: the turn's context.
            requested: save them only if the bot has called `save_changes`.
        """
        state = self.loaded(turn_context)
        if state and (state.is_requested or not requested) and state.is_changed:
            await self._write(turn_context, state)

    async def clear_state(self, turn_context: TurnContext) -> None:
        """Remove all properties."""
        await self.load(turn_context)
        self.get(turn_context).clear()

    async def delete(self, turn_context: TurnContext) -> None:
        """Remove all properties now, also from storage; see `save_changes` with `force`.

        Unlike the SDK's method, it keeps the ids of processed activities.
        """
        await self.load(turn_context, force=True)
        self.get(turn_context).clear()
        await self.save_changes(turn_context, force=True)

    async def _write(self, context: TurnContext, state: LoadedState) -> None:
        name, turn = self.blob_name(context), ConversationTurn.of(context)
        await (turn.save(name, state) if turn else state.save(self._blobs, name))


class ConversationState(_TurnScopedState, SdkConversationState):  # type: ignore[misc]  # untyped
    """What a bot remembers of a conversation."""

    async def load(self, turn_context: TurnContext, force: bool = False) -> None:
        """Read the state; see `_TurnScopedState.load`.

        Raises:
            TurnRepeated: the activity has been processed already.
            StorageUnavailable, ConversationBusy: as for every state.
        """
        await super().load(turn_context, force)
        state, turn = self.loaded(turn_context), ConversationTurn.of(turn_context)
        if state and turn and turn.ran_before(self.blob_name(turn_context), state.turn_ids):
            raise TurnRepeated("the activity has been processed already")

    async def save_changes(self, turn_context: TurnContext, force: bool = False) -> None:
        """Save the changes; see `_TurnScopedState.save_changes`.

        After a write with `force`, the activity counts as processed: its turn never runs again.
        """
        await super().save_changes(turn_context, force)
        turn = ConversationTurn.of(turn_context)
        if force and turn and turn.recorded_id:
            turn.is_committed = True


class UserState(_TurnScopedState, SdkUserState):  # type: ignore[misc]  # untyped SDK base
    """What a bot remembers of a user, in all conversations of a channel.

    Turns of two conversations may run concurrently: their changes are merged property by property.
    """
