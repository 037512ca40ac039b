"""ConversationState and UserState: botbuilder's, made for turns that may come twice or at once.

Bots use them as the SDK's own, of whose classes they are. What a turn has changed is saved when the
turn has ended (turn_state.py), and the activity's id in the same write: a turn that is run again,
because its process died or the channel heard no answer, finds the id and changes nothing twice.
"""

from typing import Any

from botbuilder.core import BotState, TurnContext
from botbuilder.core import ConversationState as SdkConversationState
from botbuilder.core import UserState as SdkUserState

from cloud_adapter.errors import StateConflict, TurnRepeated
from cloud_adapter.state.stored_json import E_TAG, from_text, to_text
from cloud_adapter.state.turn import ConversationTurn

TURNS = "~turns"
"""The key under which the last turns' ids are stored: no bot calls a property like this."""

MOST_TURNS = 100
"""Ids that are kept."""

MOST_WRITES = 5
"""Attempts to save, each on what another turn has written meanwhile."""

_MISSING = object()


class LoadedState:
    """A state in its turn, and what is stored of it.

    Attributes:
        state: the bot's properties; the SDK's accessors work on it.
        turns: ids of the turns that made what is stored, oldest first.
        saved: something of this turn's is stored already.
    """

    def __init__(self, item: dict[str, Any] | None) -> None:
        self.saved = False
        self.state: dict[str, Any] = {}
        self._take(item)
        self.state.update(from_text(self._stored))

    def _take(self, item: dict[str, Any] | None) -> None:
        properties = dict(item or {})
        self._etag = properties.pop(E_TAG, None)
        self.turns: list[str] = properties.pop(TURNS, [])
        self._stored = to_text(properties)

    @property
    def is_changed(self) -> bool:
        """The bot has changed it since it was read or written."""
        return self._stored != to_text(self.state)

    def item(self, turn: str) -> dict[str, Any]:
        """What is to be written, with the id of the turn that made it, if it is to be known."""
        turns = [*self.turns, turn][-MOST_TURNS:] if turn else self.turns
        item = {**self.state, TURNS: turns} if turns else dict(self.state)
        return item if self._etag is None else {**item, E_TAG: self._etag}

    def written(self, item: dict[str, Any]) -> None:
        """Remember what was stored."""
        self.saved = True
        self._take(item)

    def merge(self, item: dict[str, Any] | None) -> None:
        """Put this turn's changes on what another turn has stored meanwhile.

        Raises:
            StateConflict: both have changed the same property.
        """
        before = from_text(self._stored)
        self._take(item)
        theirs = from_text(self._stored)
        for name in {*before, *theirs}:
            was, now = before.get(name, _MISSING), theirs.get(name, _MISSING)
            if was == now:
                continue
            if self.state.get(name, _MISSING) != was:
                raise StateConflict(f"two turns have changed the property {name!r:.80} of state")
            if now is _MISSING:
                del self.state[name]
            else:
                self.state[name] = now


class _TurnScopedState(BotState):  # type: ignore[misc]  # untyped SDK base
    """What both states have in common."""

    def loaded(self, context: TurnContext) -> LoadedState | None:
        """The state in this turn; None while nothing has asked for it."""
        found: LoadedState | None = context.turn_state.get(self._context_service_key)
        return found

    async def load(self, turn_context: TurnContext, force: bool = False) -> None:
        """Read the state, once in a turn; the conversation's other turns wait from then on.

        Raises:
            StorageUnavailable: it cannot be read, whatever the reason.
            ConversationBusy: another turn of the conversation goes on for long.
        """
        if self.loaded(turn_context) is not None and not force:
            return
        if turn := ConversationTurn.of(turn_context):
            await turn.begin()
        state = LoadedState(await self._read(self.get_storage_key(turn_context)))
        turn_context.turn_state[self._context_service_key] = state

    async def save_changes(self, turn_context: TurnContext, force: bool = False) -> None:
        """Save what has changed so far. Bots need not: it is saved when the turn has ended.

        A turn that saves, fails, and is run again finds what it has saved.

        Raises:
            StateConflict: another turn has changed the same property.
            StorageUnavailable: it cannot be saved.
            TypeError: a property holds what JSON has no form for.
        """
        state = self.loaded(turn_context)
        if state is not None and (force or state.is_changed):
            await self._write(turn_context, state, "")

    async def clear_state(self, turn_context: TurnContext) -> None:
        """Take all properties away."""
        await self.load(turn_context)
        self.get(turn_context).clear()

    async def delete(self, turn_context: TurnContext) -> None:
        """Delete what is stored, at once, and with it what is known of turns that were made."""
        await self.load(turn_context)  # the SDK's fails where nothing was loaded
        await super().delete(turn_context)

    async def finish(self, turn_context: TurnContext) -> None:
        """The turn has ended: save what has changed, as this turn's work.

        Raises:
            StateConflict, StorageUnavailable, TypeError: as `save_changes`.
        """
        state = self.loaded(turn_context)
        if state is None or not (state.saved or state.is_changed):
            return
        turn = ConversationTurn.of(turn_context)
        if turn is None or turn.id not in state.turns:
            await self._write(turn_context, state, turn.id if turn else "")

    async def _write(self, context: TurnContext, state: LoadedState, turn: str) -> None:
        key = self.get_storage_key(context)
        for _ in range(MOST_WRITES):
            item = state.item(turn)
            try:
                await self._storage.write({key: item})
            except StateConflict:
                other = await self._read(key)
                if turn and other and turn in other.get(TURNS, []):
                    return  # our own write, whose answer was lost
                state.merge(other)
            else:
                state.written(item)
                return
        raise StateConflict("other turns change the state all the time")

    async def _read(self, key: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await self._storage.read([key])).get(key)
        return found


class ConversationState(_TurnScopedState, SdkConversationState):  # type: ignore[misc]  # untyped
    """What a bot remembers of a conversation."""

    async def load(self, turn_context: TurnContext, force: bool = False) -> None:
        """Read the state; see botbuilder's.

        Raises:
            TurnRepeated: this activity has made its turn already.
            StorageUnavailable, ConversationBusy: as for every state.
        """
        await super().load(turn_context, force)
        state, turn = self.loaded(turn_context), ConversationTurn.of(turn_context)
        if state and turn and turn.id in state.turns:
            raise TurnRepeated("the activity was delivered again; its turn is made")


class UserState(_TurnScopedState, SdkUserState):  # type: ignore[misc]  # untyped SDK base
    """What a bot remembers of a user, in all conversations of a channel.

    Turns of two conversations may run at once: what they change is merged by property.
    """
