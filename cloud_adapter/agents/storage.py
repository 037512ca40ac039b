"""AgentStorage: the Agents SDK's Storage, over the base's state.

In a turn, the state of its conversation and of its user is the base's own state of that turn:
loaded under the conversation's lock, merged with what other turns have changed, and saved at the
turn's end together with the turn's id. Other items are read when the bot asks for them, and written
at the turn's end, by their ETags: they are merged, too, and if another turn has changed the same
property, this turn runs again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from microsoft_agents.hosting.core import Storage, StoreItem

from cloud_adapter.agents.turn import AgentTurn, noting_failure
from cloud_adapter.home_loop import on_home_loop
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import LoadedState, from_text, to_text
from cloud_adapter.state.turn import ConversationState, UserState
from cloud_adapter.storage.blobs import name_part


class AgentStorage(Storage):  # type: ignore[misc]  # untyped SDK base
    """Stores the items of the SDK's states, of sign-ins, and of the bot itself.

    Args:
        blobs: where items are stored.
        conversation: the conversations' state.
        user: the users' state.
    """

    def __init__(
        self, blobs: ConversationLocks, conversation: ConversationState, user: UserState
    ) -> None:
        self._blobs = blobs
        self._conversation = conversation
        self._user = user

    async def read(
        self, keys: Iterable[str], *, target_cls: Any = None, **_: object
    ) -> dict[str, Any]:
        """The items that exist, by key.

        Args:
            keys: names of items; an empty one names nothing.
            target_cls: the class whose `from_json_to_store_item` makes an item of its JSON.

        Raises:
            Unavailable, TurnRepeated: as for every state.
        """
        names = [key for key in keys if key]
        with noting_failure():
            found = [await self._read(each) for each in names]
        return {
            key: target_cls.from_json_to_store_item(item) if target_cls else item
            for key, item in zip(names, found, strict=True)
            if item is not None
        }

    async def write(self, changes: Mapping[str, StoreItem]) -> None:
        """Write items, in a turn at its end.

        Raises:
            Unavailable, TurnRepeated: as for every state.
            TypeError, ValueError: an item holds what state cannot hold.
        """
        with noting_failure():
            for key, item in changes.items():
                if key:
                    await self._write(key, item.store_item_to_json())

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete items, in a turn at its end; those that do not exist are ignored.

        Raises:
            Unavailable, TurnRepeated: as for every state.
        """
        with noting_failure():
            for key in filter(None, keys):
                await self._write(key, None)

    async def flush(self, turn: AgentTurn) -> None:
        """Write what the turn has changed; its conversation's and user's state are not among it.

        Raises:
            StateConflict: another turn has changed the same property of an item.
            StorageUnavailable: an item cannot be written.
        """
        changes, turn.changes = turn.changes, {}
        for key, item in changes.items():
            await self._store(key, item, turn.items.pop(key, None))

    async def _read(self, key: str) -> dict[str, Any] | None:
        turn = AgentTurn.current()
        if turn is None:
            return _item(await self._load(key))
        if (state := await self._state_of(turn, key)) is not None:
            return _copied(state.state) or None
        if key in turn.changes:
            changed = turn.changes[key]
            return None if changed is None else _copied(changed)
        if key not in turn.items:
            turn.items[key] = await self._load(key)
        return _item(turn.items[key])

    async def _write(self, key: str, item: dict[str, Any] | None) -> None:
        copied = None if item is None else _copied(item)
        turn = AgentTurn.current()
        if turn is None:
            await self._store(key, copied, None)
        elif (state := await self._state_of(turn, key)) is not None:
            state.state.clear()
            state.state.update(copied or {})
            state.is_requested = True
        else:
            turn.changes[key] = copied

    async def _state_of(self, turn: AgentTurn, key: str) -> LoadedState | None:
        """The state that a key names in a turn; None if it names another item."""
        own = {turn.conversation_key: self._conversation, turn.user_key: self._user}
        if (state := own.get(key)) is None:
            return None
        await state.load(turn.core)
        return state.loaded(turn.core)

    @on_home_loop
    async def _load(self, key: str) -> LoadedState:
        return LoadedState(await self._blobs.read(name_part(key)))

    @on_home_loop
    async def _store(
        self, key: str, item: dict[str, Any] | None, loaded: LoadedState | None
    ) -> None:
        stored = loaded or await self._load(key)
        # The state of a conversation is kept if it is deleted: it knows what has been processed.
        if item is None and not stored.turn_ids:
            await self._blobs.delete(name_part(key))
            return
        stored.state.clear()
        stored.state.update(item or {})
        await stored.save(self._blobs, name_part(key))


def _item(stored: LoadedState) -> dict[str, Any] | None:
    """A copy of what is stored; None: nothing is."""
    return None if stored.etag is None else _copied(stored.state)


def _copied(item: dict[str, Any]) -> dict[str, Any]:
    """A copy, in the form in which it is stored.

    Raises:
        TypeError, ValueError: it holds what state cannot hold.
    """
    copied: dict[str, Any] = from_text(to_text(item)) if item else {}
    return copied
