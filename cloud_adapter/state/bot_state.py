"""ConversationState and UserState: botbuilder's, for turns that run twice or concurrently.

Bots use them as they use the SDK's classes, from which they derive. What a turn changes is saved
when it ends (middleware.py), together with the activity's id: a turn that runs again, because its
process died or its answer to the channel was lost, finds the id and changes nothing twice.
"""

from typing import Any

from botbuilder.core import BotState, TurnContext
from botbuilder.core import ConversationState as SdkConversationState
from botbuilder.core import UserState as SdkUserState

from cloud_adapter.errors import StateConflict, TurnRepeated
from cloud_adapter.state.loaded_state import TURN_IDS_KEY, LoadedState
from cloud_adapter.state.turn import ConversationTurn

MAX_WRITES = 5
"""Attempts to save a state, each on top of what another turn has written in the meantime."""


class _TurnScopedState(BotState):  # type: ignore[misc]  # untyped SDK base
    """The part that both states share."""

    def loaded(self, context: TurnContext) -> LoadedState | None:
        """The state in this turn; None if it is not loaded."""
        found: LoadedState | None = context.turn_state.get(self._context_service_key)
        return found

    async def load(self, turn_context: TurnContext, force: bool = False) -> None:
        """Read the state, once in a turn; from then on other turns of the conversation wait.

        Raises:
            StorageUnavailable: the state cannot be read, for any reason.
            ConversationBusy: another turn of the conversation did not end in time.
        """
        if self.loaded(turn_context) is not None and not force:
            return
        if turn := ConversationTurn.of(turn_context):
            await turn.lock(turn_context)
        state = LoadedState(await self._read(self.get_storage_key(turn_context)))
        turn_context.turn_state[self._context_service_key] = state

    async def save_changes(self, turn_context: TurnContext, force: bool = False) -> None:
        """Save the changes so far. A bot need not: they are saved when the turn ends.

        A turn that calls this, fails and runs again finds what it has saved.

        Raises:
            StateConflict: another turn changed the same property.
            StorageUnavailable: the state cannot be saved.
            TypeError, ValueError: a property has no JSON form.
        """
        state = self.loaded(turn_context)
        if state is not None and (force or state.is_changed):
            await self._write(turn_context, state, "")

    async def save_at_end(self, turn_context: TurnContext) -> None:
        """Save the changes and the turn's id, because the turn has ended; raises `save_changes`'s.

        A turn that has changed nothing saves nothing.
        """
        state = self.loaded(turn_context)
        if state is None or not (state.is_saved or state.is_changed):
            return
        turn = ConversationTurn.of(turn_context)
        if turn is None or turn.id not in state.turn_ids:
            await self._write(turn_context, state, turn.id if turn else "")

    async def clear_state(self, turn_context: TurnContext) -> None:
        """Remove all properties."""
        await self.load(turn_context)
        self.get(turn_context).clear()

    async def delete(self, turn_context: TurnContext) -> None:
        """Delete what is stored at once, including the ids of processed activities."""
        await self.load(turn_context)  # the SDK's method fails if nothing was loaded
        await super().delete(turn_context)

    async def _write(self, context: TurnContext, state: LoadedState, turn_id: str) -> None:
        key = self.get_storage_key(context)
        for _ in range(MAX_WRITES):
            item = state.item(turn_id)
            try:
                await self._storage.write({key: item})
            except StateConflict:
                other = await self._read(key)
                if turn_id and other and turn_id in other.get(TURN_IDS_KEY, []):
                    return  # our own write, whose answer was lost
                state.merge(other)
            else:
                state.mark_saved(item)
                return
        raise StateConflict("other turns keep changing the state")

    async def _read(self, key: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await self._storage.read([key])).get(key)
        return found


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
        if state and turn and turn.id in state.turn_ids:
            raise TurnRepeated("the activity has been processed already")


class UserState(_TurnScopedState, SdkUserState):  # type: ignore[misc]  # untyped SDK base
    """What a bot remembers of a user, in all conversations of a channel.

    Turns of two conversations may run concurrently: their changes are merged property by property.
    """
