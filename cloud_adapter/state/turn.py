"""ConversationTurn: what state has to know of the turn that it is loaded in."""

import asyncio
import functools
import hashlib
from contextlib import AbstractAsyncContextManager

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ActivityTypes

from cloud_adapter.codec.activity_key import activity_key
from cloud_adapter.state.lock import (
    ConversationLocks,
    conversation_name,
    within_a_hold,
)

PATIENCE = 8.0
"""Seconds that a turn waits for another one of its conversation: the channel gives up at 10."""

_KEY = "ConversationTurn"


class ConversationTurn:
    """One turn's place in its conversation.

    Args:
        locks: let one turn of a conversation run at a time.
        context: the turn's.
    """

    def __init__(self, locks: ConversationLocks, context: TurnContext) -> None:
        self._locks = locks
        self._activity = context.activity
        self._identity = _identity(context.activity)  # now: the bot may change it later
        self._hold: AbstractAsyncContextManager[None] | None = None
        self._beginning = asyncio.Lock()
        context.turn_state[_KEY] = self

    @staticmethod
    def of(context: TurnContext) -> "ConversationTurn | None":
        """The turn of a context; None where nobody keeps state."""
        found: ConversationTurn | None = context.turn_state.get(_KEY)
        return found

    @functools.cached_property
    def id(self) -> str:
        """A hash that identifies the activity in all conversations.

        Empty if `activity_key` is.
        """
        encoded = self._identity.encode(errors="surrogatepass")
        return hashlib.sha256(encoded).hexdigest()[:16] if encoded else ""

    @property
    def held(self) -> bool:
        """The conversation is held for this turn already."""
        return within_a_hold() and self._locks.held(conversation_name(self._activity))

    async def begin(self) -> None:
        """Wait until no other turn of the conversation goes on: state is going to be used.

        Invokes do not wait, as a user looks at a button meanwhile; what they change is merged.

        Raises:
            ConversationBusy, StorageUnavailable: see ConversationLocks.
        """
        if self._activity.type == ActivityTypes.invoke:
            return
        async with self._beginning:  # bots load several states at once
            if self._hold is None:
                hold = self._locks.hold(conversation_name(self._activity), PATIENCE)
                await hold.__aenter__()
                self._hold = hold

    async def end(self) -> None:
        """Let the conversation's next turn begin."""
        if self._hold is not None:
            await self._hold.__aexit__(None, None, None)


def _identity(activity: Activity) -> str:
    identity = activity_key(activity)
    return f"{activity.channel_id}|{activity.conversation.id}|{identity}" if identity else ""
