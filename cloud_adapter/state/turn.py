"""ConversationTurn: what state needs to know about the turn that loads it."""

import asyncio
import functools
import hashlib
from collections.abc import Callable, Container, Sequence
from contextlib import AsyncExitStack

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ActivityTypes

from cloud_adapter.codec.activity_key import activity_key
from cloud_adapter.deadlines import arrival, seconds_for_first_state, storage_in_time
from cloud_adapter.state.loaded_state import InboxPosition, LoadedState
from cloud_adapter.state.lock import ConversationLocks, Locked, conversation_name, owned_locks
from cloud_adapter.storage.blobs import Blob

SKILL_REPLY_KEY = "botbuilder.core.skills.SkillConversationReference"
"""SkillHandler's `SKILL_CONVERSATION_REFERENCE_KEY`, which is in the turn state of a skill's reply.
It is repeated here so that bots that call no skill do not import the SDK's module."""

_KEY = "ConversationTurn"


class ConversationTurn:
    """A turn, which locks its conversation when it first uses state.

    Args:
        locks: run one turn of a conversation at a time.
        context: the context of the turn; `of` finds the ConversationTurn in it.
        names_in: returns the names of the blobs of the states that the bot uses in a turn. All of
            them are read when the first one is needed.

    Attributes:
        is_committed: the bot has saved with `force`, so the turn does not run again.
        has_failed: the bot has raised, so from now on state is saved without the turn's id.
        is_running: False once the turn has ended; tasks of the bot may still be running.
        runs_in_lock: the code that runs the turn has already locked its conversation.
    """

    def __init__(
        self,
        locks: ConversationLocks,
        context: TurnContext,
        names_in: Callable[[TurnContext], Sequence[str]] = lambda _: (),
    ) -> None:
        self.is_committed = self.has_failed = False
        self.is_running = True
        self._locks = locks
        self._activity = context.activity
        self._arrived_at = arrival(context)
        self._key = _key_of(context.activity)  # now, because the bot may change the activity
        self._names_in = names_in
        self._read: dict[str, Blob | None] = {}
        self._acquired = AsyncExitStack()
        self._acquiring = asyncio.Lock()
        self._is_prepared = False
        self._recorded_in: set[str] = set()  # names of blobs with which this run has saved its id
        self._position: InboxPosition | None = None  # of a queued turn, until it is saved
        owned = owned_locks()
        self._locked = owned.get(conversation_name(context.activity)) if owned else None
        self.runs_in_lock = self._locked is not None
        if self._locked is not None:
            # Taken away, because a turn within this one must not save it.
            self._position, self._locked.position = self._locked.position, None
        context.turn_state[_KEY] = self

    @staticmethod
    def of(context: TurnContext) -> "ConversationTurn | None":
        """The turn of a context; None where AutoSaveStateMiddleware is not used."""
        found: ConversationTurn | None = context.turn_state.get(_KEY)
        return found

    @functools.cached_property
    def id(self) -> str:
        """See `turn_id`."""
        return _digest(self._key)

    @property
    def recorded_id(self) -> str:
        """The id to save with a state; empty: state is saved without an id."""
        return self.id if self._is_recorded else ""

    @property
    def _is_recorded(self) -> bool:
        return self.is_running and not self.has_failed

    def ran_before(self, name: str, turn_ids: Container[str]) -> bool:
        """Whether an earlier run of the turn has saved a state.

        Args:
            name: the name of the state's blob.
            turn_ids: the ids that are stored with it.
        """
        return self.id in turn_ids and name not in self._recorded_in

    async def read(self, context: TurnContext, name: str, *, again: bool = False) -> Blob | None:
        """The blob of a state, read while the conversation is locked; see `lock`.

        Args:
            context: the context of the turn.
            name: the blob's name.
            again: read it now, even if it was read when the conversation was locked.

        Raises:
            ConversationBusy, StorageUnavailable: see `lock`.
        """
        deadline = self._deadline()
        await self.lock(context)
        if not again:
            if locked := self._lock_of(name):
                return locked.blob
            if name in self._read:
                return self._read.pop(name)
        return await storage_in_time(self._locks.read(name), deadline)

    def _deadline(self) -> float | None:
        """Until when this use of state may wait (event loop time, seconds).

        Only the first use has a deadline: before it, the bot has hardly begun, and the channel can
        be asked to deliver the activity again. None for others, and if the code that runs the turn
        has the lock: then each call to storage may take its own time.
        """
        if self._is_prepared or self.runs_in_lock:
            return None
        return asyncio.get_running_loop().time() + seconds_for_first_state(self._arrived_at)

    async def save(self, name: str, state: LoadedState) -> None:
        """Save a state together with the turn's id, unless an earlier run of the turn has saved it.

        It raises as `LoadedState.save` does.

        Args:
            name: the blob's name.
            state: the state.
        """
        turn_id = self.recorded_id
        if turn_id and self.ran_before(name, state.turn_ids):
            return
        if locked := self._lock_of(name):
            await self._save_locked(locked, state)
        else:
            await state.save(self._locks, name, turn_id)
        if turn_id:
            self._recorded_in.add(name)

    async def save_position(self) -> None:
        """Save the id and the position of a queued turn, unless a state was saved with them."""
        if self._locked and self._position:
            await self._save_locked(self._locked, LoadedState(self._locked.blob))

    async def _save_locked(self, locked: Locked, state: LoadedState) -> None:
        position = self._position if self._is_recorded else None
        await locked.save(state, self.recorded_id, position)
        if position:
            self._position = None

    def _lock_of(self, name: str) -> Locked | None:
        """The turn's lock, if a blob is its conversation's, until the turn has ended."""
        locked = self._locked
        return locked if locked and locked.name == name and not locked.ended else None

    async def lock(self, context: TurnContext) -> None:
        """Lock the conversation, because state is about to be used, and read all states.

        Invokes do not wait for other turns, because a user waits for the response to a button. Nor
        do replies of a skill, because the turn that called the skill waits for them. Their changes
        are merged.

        Args:
            context: the context of the turn.

        Raises:
            ConversationBusy, StorageUnavailable: see ConversationLocks. All that this waits for
                has one deadline, see cloud_adapter/deadlines.py.
        """
        deadline = self._deadline()
        async with self._acquiring:  # bots load several states concurrently
            if self._is_prepared:
                return
            names = set(self._names_in(context))
            if self._activity.type == ActivityTypes.invoke or SKILL_REPLY_KEY in context.turn_state:
                await storage_in_time(self._read_all(names), deadline)
            else:
                name = conversation_name(self._activity)
                names.discard(name)
                beside = functools.partial(self._read_all, names) if names else None
                wait = seconds_for_first_state(self._arrived_at)
                lock = self._locks.lock(name, wait, beside, deadline=deadline)
                self._locked = await self._acquired.enter_async_context(lock)
            self._is_prepared = True

    async def _read_all(self, names: set[str]) -> None:
        blobs = await asyncio.gather(*(self._locks.read(name) for name in names))
        self._read = dict(zip(names, blobs, strict=True))

    async def end(self) -> None:
        """Let the next turn of the conversation run."""
        self.is_running = False
        await self._acquired.aclose()


def turn_id(activity: Activity) -> str:
    """A hash that identifies an activity among those of all conversations.

    Empty if `activity_key` is.
    """
    return _digest(_key_of(activity))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16] if key else ""


def _key_of(activity: Activity) -> str:
    key = activity_key(activity)
    return f"{activity.channel_id}|{activity.conversation.id}|{key}" if key else ""
