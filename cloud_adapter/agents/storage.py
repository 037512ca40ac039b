"""AgentStorage: the Agents SDK's Storage, over the base's state.

In a turn, the state of its conversation and of its user is the base's own state of that turn:
loaded under the conversation's lock, merged with what other turns have changed, and saved at the
turn's end together with the turn's id. Other items are read when the bot asks for them, and written
at the turn's end, with the ETags that the turn has read: if another turn has changed one of them,
this turn runs again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from microsoft_agents.hosting.core import Storage, StoreItem

from cloud_adapter.agents.turn import AgentTurn, noting_failure
from cloud_adapter.errors import BlobChanged, StateConflict
from cloud_adapter.home_loop import on_home_loop
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.stored_state import (
    LoadedState,
    from_text,
    stored_item,
    to_content,
    to_text,
)
from cloud_adapter.state.turn import ConversationState, UserState
from cloud_adapter.storage.blobs import ANY, name_part


class AgentStorage(Storage):  # type: ignore[misc]  # untyped SDK base
    """Stores the items of the SDK's states, of sign-ins, and of the bot itself.

    Args:
        storage: where items are stored.
        conversation: the conversations' state.
        user: the users' state.
    """

    def __init__(
        self, storage: BlobStorage, conversation: ConversationState, user: UserState
    ) -> None:
        self._storage = storage
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
            StateConflict: another turn has changed an item that this one has read.
            StorageUnavailable: an item cannot be written.
        """
        changes, turn.changes = turn.changes, {}
        for key, content in changes.items():
            await self._store(key, content, turn.etags.get(key, ANY))
            turn.etags.pop(key, None)

    async def _read(self, key: str) -> Any:
        turn = AgentTurn.current()
        if turn is None:
            return (await self._load(key))[0]
        if (state := await self._state_of(turn, key)) is not None:
            return _copied(state.state) or None
        if key in turn.changes:
            content = turn.changes[key]
            return None if content is None else stored_item(content)
        item, turn.etags[key] = await self._load(key)
        return item

    async def _write(self, key: str, item: Any) -> None:
        turn = AgentTurn.current()
        if turn is None:
            await self._store(key, None if item is None else to_content(item), ANY)
        elif (state := await self._state_of(turn, key)) is not None:
            copied = {} if item is None else _copied(item)
            state.state.clear()
            state.state.update(copied)
            state.is_requested = True
        else:
            turn.changes[key] = None if item is None else to_content(item)

    async def _state_of(self, turn: AgentTurn, key: str) -> LoadedState | None:
        """The state that a key names in a turn; None if it names another item."""
        own = {turn.conversation_key: self._conversation, turn.user_key: self._user}
        if (state := own.get(key)) is None:
            return None
        await state.load(turn.core)
        return state.loaded(turn.core)

    @on_home_loop
    async def _load(self, key: str) -> tuple[Any, str | None]:
        blob = await self._storage.blobs.read(name_part(key))
        return (stored_item(blob.content), blob.etag) if blob else (None, None)

    @on_home_loop
    async def _store(self, key: str, content: bytes | None, etag: str | None) -> None:
        name = name_part(key)
        if content is None:
            await self._storage.blobs.delete(name)
        elif etag is not None:
            await self._storage.write_version(key, content, etag)
        else:
            try:
                await self._storage.blobs.write(name, content, None)
            except BlobChanged as error:
                raise StateConflict("an item has been created in the meantime") from error


def _copied(item: Any) -> Any:
    """A copy in the form in which it is stored."""
    return from_text(to_text(item))
