"""AgentTurn: one turn of a bot of the Agents SDK, within one of ours."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Protocol

from microsoft_agents.activity import Activity as AgentActivity
from microsoft_agents.hosting.core import ClaimsIdentity
from microsoft_agents.hosting.core import TurnContext as AgentTurnContext

from auth.errors import Unavailable
from cloud_adapter.errors import TurnRepeated
from cloud_adapter.state.stored_state import LoadedState
from cloud_adapter.turn_context import TurnContext

_current: ContextVar["AgentTurn | None"] = ContextVar("agent_turn", default=None)


class Ending(Protocol):
    """A streamed reply, which the turn ends if the bot has not."""

    async def close(self, error: BaseException | None) -> None:
        """End it. With an error, what there is of it."""


class AgentTurn:
    """A turn, as the bridge sees it.

    Args:
        core: the context of our turn.
        adapter: the AgentAdapter that runs it.
        identity: who the caller is.
        activity: the activity that the bot gets.

    Attributes:
        core, adapter, identity: as in the arguments.
        conversation_key: the key under which the SDK stores the conversation's state.
        user_key: the same of the user's state; empty: the activity names no user.
        cached_states: what each of the SDK's state objects has loaded in this turn.
        items: the other items that the turn has read, by key.
        changes: the other items that the turn has written, by key; None: it is deleted.
        failure: an error that means that this turn must not go on, or has run before. The bot's
            code may have caught it.
        replay: the activity that is to be processed again, because its user has signed in.
        streamed: the streamed reply that is open.
    """

    def __init__(
        self, core: TurnContext, adapter: Any, identity: ClaimsIdentity, activity: AgentActivity
    ) -> None:
        self.core = core
        self.adapter = adapter
        self.identity = identity
        user = activity.from_property.id if activity.from_property else None
        self.conversation_key = f"{activity.channel_id}/conversations/{activity.conversation.id}"
        self.user_key = f"{activity.channel_id}/users/{user}" if user else ""
        self.cached_states: dict[object, Any] = {}
        self.items: dict[str, LoadedState] = {}
        self.changes: dict[str, dict[str, Any] | None] = {}
        self.failure: BaseException | None = None
        self.replay: AgentActivity | None = None
        self.streamed: Ending | None = None

    @staticmethod
    def current() -> "AgentTurn | None":
        """The turn that this code runs in; None outside of a turn."""
        return _current.get()

    @staticmethod
    def of(context: AgentTurnContext) -> "AgentTurn | None":
        """The turn of a context, or of a copy of it; None if the bot has made the context."""
        found: AgentTurn | None = context.services.get(AgentTurn)
        return found

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The context in which the bot's code runs."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Note an error of the base that the bot's code must not swallow; later calls raise it."""
        if self.failure is not None:
            raise self.failure
        try:
            yield
        except (Unavailable, TurnRepeated) as error:
            self.failure = error
            raise


def noting_failure() -> Any:
    """`AgentTurn.noting_failure` of the turn that this code runs in."""
    turn = AgentTurn.current()
    return turn.noting_failure() if turn is not None else nullcontext()
