"""State within a turn: loaded on first use, under the conversation's lock, and saved at the end.

Bots use ConversationState and UserState like the SDK's classes, from which they derive. They are
for turns that run twice or concurrently: a turn's changes are saved together with the activity's
id. If the turn runs again, because its process died or its response to the channel was lost, it
finds the id and changes nothing twice.
"""

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from botbuilder.core import BotState, Middleware, StatePropertyAccessor, TurnContext
from botbuilder.core import ConversationState as SdkConversationState
from botbuilder.core import UserState as SdkUserState
from botbuilder.core.bot_state import BotStatePropertyAccessor
from botbuilder.schema import Activity, ActivityTypes

from cloud_adapter.activities import activity_key
from cloud_adapter.deadlines import arrival, seconds_for_first_state, storage_in_time
from cloud_adapter.errors import TurnRepeated
from cloud_adapter.home_loop import on_home_loop
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import ConversationLocks, HeldLock, conversation_name, held_locks
from cloud_adapter.state.stored_state import InboxPosition, LoadedState
from cloud_adapter.storage.blobs import Blob, name_part
from http_client.observer import moment

SKILL_REPLY_KEY = "botbuilder.core.skills.SkillConversationReference"
"""SkillHandler's `SKILL_CONVERSATION_REFERENCE_KEY`, which is in the turn state of a skill's reply.
It is repeated here so that bots that call no skill do not import the SDK's module."""


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

    _KEY = "cloud_adapter.ConversationTurn"

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
        self._replies = 0
        self._begun_before: Mapping[str, str] | None = None  # until the first Reply
        held = held_locks()
        self._held = held.get(conversation_name(context.activity)) if held else None
        self.runs_in_lock = self._held is not None
        if self._held is not None:
            # Taken away, because a turn within this one must not save it.
            self._position, self._held.position = self._held.position, None
        context.turn_state[self._KEY] = self

    @staticmethod
    def of(context: TurnContext) -> "ConversationTurn | None":
        """The turn of a context; None where AutoSaveStateMiddleware is not used."""
        found: ConversationTurn | None = context.turn_state.get(ConversationTurn._KEY)
        return found

    @functools.cached_property
    def id(self) -> str:
        """The id of the activity as it was received, as `turn_id` returns it."""
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
            if held := self._lock_of(name):
                return held.blob
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
        if held := self._lock_of(name):
            await self._save_with(held, state)
        else:
            await state.save(self._locks, name, turn_id)
        if turn_id:
            self._recorded_in.add(name)

    async def save_rest(self) -> None:
        """Save what no state was saved with: a queued turn's position, and the id.

        The id of a turn that uses no state matters only if the turn is queued or has a Reply.
        """
        if (held := self._held) is None:
            return
        if self._position or (self._replies and held.name not in self._recorded_in):
            await self._save_with(held, LoadedState(held.blob))

    @on_home_loop
    async def begin_reply(self, context: TurnContext) -> "BegunReply":
        """Number a Reply of the turn, and look up the message that an earlier run has begun for it.

        The conversation is locked, so that a second delivery of the activity does not stream, too.

        Args:
            context: the context of the turn.

        Raises:
            TurnRepeated: the activity has been processed already.
            ConversationBusy, StorageUnavailable: see `lock`.
        """
        if not self._key:
            return BegunReply()
        number, self._replies = self._replies, self._replies + 1
        await self.lock(context)
        if (held := self._held) is None:
            return BegunReply()
        stored = LoadedState(held.blob)
        if self.ran_before(held.name, stored.turn_ids):
            raise TurnRepeated("the activity has been processed already")
        if self._begun_before is None:
            self._begun_before = {
                key: each for key, each in stored.streams.items() if key.startswith(self.id)
            }
        key = f"{self.id}.{number}"
        return BegunReply(key, bool(self._begun_before), self._begun_before.get(key, ""))

    @on_home_loop
    async def note_message(self, context: TurnContext, key: str, message_id: str) -> None:
        """Store the id of a Reply's message, so that a rerun replaces it.

        It is stored at once, without the turn's other changes, and removed when the turn saves its
        id. From then on nothing is stored, because the turn never runs again.

        Args:
            context: the context of the turn.
            key: the BegunReply's; empty: nothing is stored.
            message_id: the id; empty: the message is about to be sent.

        Raises:
            ConversationBusy, StateConflict, StorageUnavailable: it cannot be stored.
        """
        del context  # `on_home_loop` finds the turn by it
        held = self._held
        if key and held is not None and held.name not in self._recorded_in:
            await held.write_stream(key, message_id)

    async def _save_with(self, held: HeldLock, state: LoadedState) -> None:
        position = self._position if self._is_recorded else None
        await held.save(state, self.recorded_id, position)
        if position:
            self._position = None

    def _lock_of(self, name: str) -> HeldLock | None:
        """The turn's lock, if a blob is its conversation's, until the turn has ended."""
        held = self._held
        return held if held and held.name == name and not held.ended else None

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
                meanwhile = functools.partial(self._read_all, names) if names else None
                wait = seconds_for_first_state(self._arrived_at)
                lock = self._locks.lock(name, wait, meanwhile, deadline=deadline)
                self._held = await self._acquired.enter_async_context(lock)
            self._is_prepared = True

    async def _read_all(self, names: set[str]) -> None:
        if len(names) == 1:  # mostly: the user's, and no task is needed for it
            self._read = {name: await self._locks.read(name) for name in names}
            return
        blobs = await asyncio.gather(*(self._locks.read(name) for name in names))
        self._read = dict(zip(names, blobs, strict=True))

    async def end(self) -> None:
        """Let the next turn of the conversation run."""
        self.is_running = False
        await self._acquired.aclose()


class BegunReply(NamedTuple):
    """A Reply, as a turn has numbered it.

    Attributes:
        key: the key of its message among the begun ones: the turn's id and the Reply's number;
            empty: nothing is stored, because the activity has no id or another turn has the lock.
        is_rerun: an earlier run of the turn has begun messages.
        message_id: of the message that the earlier run has begun for this Reply; empty: there is
            none, or its id is not known.
    """

    key: str = ""
    is_rerun: bool = False
    message_id: str = ""


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


class _Property(BotStatePropertyAccessor):  # type: ignore[misc]  # untyped SDK base
    # Two threads that found no value would each set a default, and one would change the other's.
    get = on_home_loop(BotStatePropertyAccessor.get)


class _TurnScopedState(BotState):  # type: ignore[misc]  # untyped SDK base
    """The base of both states.

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
    @moment("state.load")
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

    @moment("state.save")
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
    """A conversation's state: the bot's properties, stored under the conversation's lock."""

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
    """A user's state, in all conversations of a channel.

    Turns of two conversations may run concurrently: their changes are merged property by property.
    """


class AutoSaveStateMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Saves a turn's state after its replies are sent.

    If the process dies in between, the next run of the turn sends them again.

    A turn in which the bot raises saves nothing. The adapter ends it after handling the error.

    Args:
        locks: allow one turn at a time to use the state of a conversation.
        conversation: saved last, because it decides whether the activity has been processed.
        user: saved first.

    Attributes:
        auto_save: whether to save every state that has changed; if False, only those whose
            `save_changes` the bot has called.
    """

    _KEY = "cloud_adapter.AutoSaveStateMiddleware"

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
        found: AutoSaveStateMiddleware | None = context.turn_state.get(AutoSaveStateMiddleware._KEY)
        return found

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the turn, and save its state changes."""
        context.turn_state[self._KEY] = self
        turn = ConversationTurn(self._locks, context, self._names_in)
        if turn.runs_in_lock:
            # A queued turn: before it sends anything, raise TurnRepeated if it ran before.
            await self._conversation.load(context)
        await logic()
        await self._save(context)
        await turn.save_rest()
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
