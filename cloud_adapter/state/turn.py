"""ConversationTurn: what state needs to know about the turn that loads it."""

import asyncio
import functools
import hashlib
from collections.abc import Container
from contextlib import AsyncExitStack

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ActivityTypes

from cloud_adapter.codec.activity_key import activity_key
from cloud_adapter.state.lock import (
    ConversationLocks,
    conversation_name,
    owned_conversations,
)

LOCK_TIMEOUT_SECONDS = 8.0
"""How long a turn waits for another turn of its conversation: the channel gives up after 10 s."""

SKILL_REPLY_KEY = "botbuilder.core.skills.SkillConversationReference"
"""SkillHandler's `SKILL_CONVERSATION_REFERENCE_KEY`, which is in the turn state of a skill's reply.
It is repeated here so that bots that call no skill do not import the SDK's module."""

_KEY = "ConversationTurn"


class ConversationTurn:
    """A turn, which locks its conversation when it first uses state.

    Args:
        locks: run one turn of a conversation at a time.
        context: the context of the turn; `of` finds the ConversationTurn in it.

    Attributes:
        recorded_in: the keys of the states in which this run of the turn has saved its id.
        is_committed: the bot has saved with `force`, so the turn does not run again.
        has_failed: the bot has raised, so from now on state is saved without the turn's id.
        is_running: False once the turn has ended; tasks of the bot may still be running.
    """

    def __init__(self, locks: ConversationLocks, context: TurnContext) -> None:
        self.recorded_in: set[str] = set()
        self.is_committed = self.has_failed = False
        self.is_running = True
        self._locks = locks
        self._activity = context.activity
        self._key = _key_of(context.activity)  # now, because the bot may change the activity
        self._acquired = AsyncExitStack()
        self._acquiring = asyncio.Lock()
        self._is_locked = False
        context.turn_state[_KEY] = self

    @staticmethod
    def of(context: TurnContext) -> "ConversationTurn | None":
        """The turn of a context; None where AutoSaveStateMiddleware is not used."""
        found: ConversationTurn | None = context.turn_state.get(_KEY)
        return found

    @functools.cached_property
    def id(self) -> str:
        """A hash that identifies the activity among those of all conversations.

        Empty if `activity_key` is.
        """
        encoded = self._key.encode(errors="surrogatepass")
        return hashlib.sha256(encoded).hexdigest()[:16] if encoded else ""

    @property
    def recorded_id(self) -> str:
        """The id to save with a state; empty: state is saved without an id."""
        return self.id if self.is_running and not self.has_failed else ""

    def ran_before(self, key: str, turn_ids: Container[str]) -> bool:
        """Whether an earlier run of the turn has saved a state.

        Args:
            key: the state's key.
            turn_ids: the ids that are stored with it.
        """
        return self.id in turn_ids and key not in self.recorded_in

    @property
    def runs_in_lock(self) -> bool:
        """Whether the code that runs the turn has already locked its conversation."""
        owned = owned_conversations()
        return bool(owned) and conversation_name(self._activity) in owned

    async def lock(self, context: TurnContext) -> None:
        """Lock the conversation, because state is about to be used.

        Invokes do not wait for other turns, because a user waits for the response to a button. Nor
        do replies of a skill, because the turn that called the skill waits for them. Their changes
        are merged.

        Args:
            context: the context of the turn.

        Raises:
            ConversationBusy, StorageUnavailable: see ConversationLocks.
        """
        if self._activity.type == ActivityTypes.invoke or SKILL_REPLY_KEY in context.turn_state:
            return
        async with self._acquiring:  # bots load several states concurrently
            if not self._is_locked:
                lock = self._locks.lock(conversation_name(self._activity), LOCK_TIMEOUT_SECONDS)
                await self._acquired.enter_async_context(lock)
                self._is_locked = True

    async def end(self) -> None:
        """Let the next turn of the conversation run."""
        self.is_running = False
        await self._acquired.aclose()


def _key_of(activity: Activity) -> str:
    key = activity_key(activity)
    return f"{activity.channel_id}|{activity.conversation.id}|{key}" if key else ""
