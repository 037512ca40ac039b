"""AgentBot: a bot of the Agents SDK as the base runs it.

Samples of that SDK make their storage, adapter and connection manager when they are imported, and
keep them in handlers. So it is not enough to replace those of the application: the SDK's own
classes for them reach ours, in every object of this process.
"""

import importlib
import logging
import sys
from contextlib import nullcontext
from functools import partial
from importlib.metadata import version
from typing import Any

from botbuilder.core import CloudAdapterBase
from microsoft_agents.activity import ActivityTypes, DeliveryModes
from microsoft_agents.hosting.core import (
    AgentApplication,
    AgentState,
    ChannelServiceAdapter,
    MemoryStorage,
    TurnState,
    UserState,
)
from microsoft_agents.hosting.core import TurnContext as AgentTurnContext
from microsoft_agents.hosting.core.app import agent_application, streaming
from microsoft_agents.hosting.core.authorization.connection_manager import ConnectionManager
from microsoft_agents.hosting.core.state.agent_state import CachedAgentState
from microsoft_agents.hosting.core.telemetry.core import BaseSpanWrapper

from auth.settings import QUEUED, TURNS
from cloud_adapter.adapter import APOLOGY, CloudAdapter
from cloud_adapter.agents.activities import read_activity, write_activity
from cloud_adapter.agents.adapter import AgentAdapter
from cloud_adapter.agents.connections import AgentConnections, AgentTokens
from cloud_adapter.agents.storage import AgentStorage
from cloud_adapter.agents.streamed_reply import StreamedReply
from cloud_adapter.agents.turn import AgentTurn
from cloud_adapter.bot.agents_sdk import SDK
from cloud_adapter.bot.services import BotServices
from cloud_adapter.errors import ActivityUnread
from cloud_adapter.redaction import redacted
from cloud_adapter.state.stored_state import to_text
from cloud_adapter.turn_context import TurnContext

log = logging.getLogger(__name__)

PACKAGE, TESTED = "microsoft-agents-hosting-core", "1.9"
"""The SDK's package, and its version that the tests have. The bridge replaces some of its private
names."""

REPLAY = ";signed-in"
"""The end of the id of an activity that is processed again, because its user has signed in. It
must differ from the original's, which has been processed."""

_TEAMS = f"{SDK}.hosting.msteams"
"""The SDK's extension for Teams."""

_OURS = (MemoryStorage, AgentStorage)
"""The storages in whose place the base's stands; also its own, of an earlier app of the process."""


class AgentBot:
    """Runs the bot's turns.

    Args:
        bot: an AgentApplication, or an ActivityHandler of the SDK.
        services: the base's.
    """

    def __init__(self, bot: Any, services: BotServices) -> None:
        self._services = services
        self._core: CloudAdapter = services.adapter
        self._logic = bot.on_turn
        self._is_application = isinstance(bot, AgentApplication)
        self._adapter = AgentAdapter(
            self._core,
            services.app_id,
            AgentStorage(services.storage.blobs, services.conversation_state, services.user_state),
            AgentConnections(AgentTokens(services), services.settings),
        )
        reach(self._adapter)
        _take_over_loggers()
        if not (found := version(PACKAGE)).startswith(f"{TESTED}."):
            log.warning("%s is %s; the base is tested with %s", PACKAGE, found, TESTED)
        if _TEAMS in sys.modules:  # else the bot does not use it, and need not have it installed
            importlib.import_module("cloud_adapter.agents.teams_client")
        if self._is_application:
            self._take_over(bot)
        log.info(
            "The bot is an %s of the Agents SDK: its adapter, its connections and each"
            " MemoryStorage are the base's",
            type(bot).__name__,
        )

    async def on_turn(self, core: TurnContext) -> None:
        """Run a turn of the bot and, if its user has signed in, the turn that waited for it.

        Raises:
            ActivityUnread: the SDK's models refuse the activity.
            Exception: whatever the bot's code raises.
        """
        if (core.activity.id or "").endswith(REPLAY):
            core.activity.id = core.activity.id.removesuffix(REPLAY)  # replies name the original
        if self._is_application:
            # Now, because an application may catch what this raises.
            await self._services.conversation_state.load(core)
        activity = read_activity(core.activity)
        turn = await self._adapter.run(core, activity, self._logic, at_end=self._store_replay)
        if turn.replay is not None:
            for state in (self._services.user_state, self._services.conversation_state):
                await state.save_at_end(core)  # for the replay to find it
            await self._adapter.process_proactive(turn.identity, turn.replay, None, self._logic)

    def _take_over(self, app: Any) -> None:
        """Give an application, and what it has made, our parts in place of its own."""
        self._take_over_adapter(app)
        proactive = getattr(app._proactive, "_options", None)
        for holder in (app, app.options, app.auth, *app.auth._handlers.values(), proactive):
            for name in ("_storage", "storage"):
                if isinstance(getattr(holder, name, None), _OURS):
                    setattr(holder, name, self._adapter.storage)
            if hasattr(holder, "_connection_manager"):
                holder._connection_manager = self._adapter.connections
        if isinstance(factory := app._turn_state_factory, partial):
            kept = (
                self._adapter.storage if isinstance(each, _OURS) else each for each in factory.args
            )
            app._turn_state_factory = partial(factory.func, *kept, **factory.keywords)
        for state in (self._services.conversation_state, self._services.user_state):
            state.is_used = True  # each turn reads both
        self._services.typing_indicator &= app.options.start_typing_timer
        if app.options.long_running_messages:
            app.options.long_running_messages = False
            if not self._core.queues:
                log.warning("long_running_messages is ignored: set %s=%s", TURNS, QUEUED)
        app._on_error = _raise
        app._handle_turn_skip = self._replay

    def _take_over_adapter(self, app: Any) -> None:
        if (found := app._adapter) is not None:
            self._adapter.middleware_set = found.middleware_set
            self._adapter.on_turn_error = found.on_turn_error
        app._adapter = self._adapter
        if app.options.adapter is not None:
            app.options.adapter = self._adapter
        handlers, own = app._turn_error_handlers, self._adapter.on_turn_error
        # The SDK's own handler would send the error's text to the user.
        if not handlers and own is not None and not own.__module__.startswith(SDK):
            handlers = [own]
        if handlers and self._core.on_turn_error is None:
            self._services.on_error(partial(self._handle_error, handlers))

    async def _handle_error(self, handlers: list[Any], core: TurnContext, error: Exception) -> None:
        """Call the bot's own error handlers, in a context of their own."""
        try:
            activity = read_activity(core.activity)
        except ActivityUnread:
            await core.send_activity(APOLOGY)
            return

        async def handle(context: AgentTurnContext) -> None:
            for handler in handlers:
                await handler(context, error)

        await self._adapter.run(core, activity, handle, with_middleware=False)

    async def _replay(self, context: AgentTurnContext, turn_state: Any, result: Any) -> None:
        """Note the activity that waited for the user to sign in.

        In place of AgentApplication's, whose task outlives the invocation.
        """
        if not result.should_replay:
            return
        await turn_state.save(context)
        turn = AgentTurn.of(context)
        if turn is None:
            raise TypeError("the turn's context is not the base's")
        turn.replay = result.continuation_activity or context.activity.model_copy(deep=True)

    async def _store_replay(self, turn: AgentTurn) -> None:
        """If turns are queued, store the turn's replay: it runs once, like one that has arrived.

        It is stored before the sign-in's end is: if the turn fails in between, it stores both
        again, the replay under the same id.
        """
        if (activity := turn.replay) is None:
            return
        answered = (
            activity.type == ActivityTypes.invoke
            or activity.delivery_mode == DeliveryModes.expect_replies
        )
        if answered or not self._core.queues or not activity.id:
            return
        turn.replay = None
        copied = write_activity(activity)
        copied.id = f"{copied.id}{REPLAY}"
        claims = turn.core.turn_state[CloudAdapterBase.BOT_IDENTITY_KEY].claims
        await self._core.enqueue(copied, claims)


async def _raise(_: AgentTurnContext, error: Exception) -> None:
    """In place of AgentApplication's, which logs what users wrote: the base decides what follows.

    Raises:
        Exception: the error.
    """
    raise error


_latest: AgentAdapter | None = None


def _adapter() -> Any:
    """The adapter of the turn that this code runs in; outside of one, of this process's bot."""
    turn = AgentTurn.current()
    return turn.adapter if turn is not None else _latest


def reach(adapter: AgentAdapter | None) -> None:
    """Let the SDK's classes reach an adapter, and what belongs to it; None: their own again."""
    global _latest  # a process has one bot; that of the kit has one after the other
    _latest = adapter


def _delegate(kind: type, part: str, name: str) -> None:
    """Let a method of one of the SDK's classes call the one of ours, once there is an app.

    Args:
        kind: the SDK's class.
        part: the attribute of our adapter that has the method; empty: the adapter itself has it.
        name: the method's.
    """
    own = getattr(kind, name)

    def call(self: object, *args: Any, **kwargs: Any) -> Any:
        if (adapter := _adapter()) is None:
            return own(self, *args, **kwargs)
        return getattr(getattr(adapter, part) if part else adapter, name)(*args, **kwargs)

    setattr(kind, name, call)


class _CachedState:
    """The values that a state object has loaded, by turn.

    The SDK keeps it in the object. An object that turns share, such as that of an ActivityHandler,
    would have two turns at the same time change the state of one conversation with the other's.
    """

    def __get__(self, state: Any, owner: object) -> Any:
        turn = AgentTurn.current()
        return turn.cached_states.get(state) if turn else state.__dict__.get("_cached_state")

    def __set__(self, state: Any, value: Any) -> None:
        if (turn := AgentTurn.current()) is not None:
            turn.cached_states[state] = value
        else:
            state.__dict__["_cached_state"] = value


def _stored_form(cached: CachedAgentState) -> object:
    """A form of a state that is another one if the state has changed.

    The SDK compares texts that Python makes of the objects, which say nothing of their attributes.
    """
    return to_text(cached.store_item_to_json()) if cached.state else hash("{}")


async def _save_scopes(state: TurnState, context: AgentTurnContext, force: bool = False) -> None:
    """Save an application's states one after the other: none waits, so no tasks are needed."""
    for scope in state._scopes.values():
        if hasattr(scope, "save"):
            await scope.save(context, force)


def _user_key(_: UserState, context: AgentTurnContext) -> str:
    """The key of the user's state; empty if the activity names no user: nothing is stored then."""
    activity = context.activity
    user = activity.from_property.id if activity.from_property else None
    return f"{activity.channel_id}/users/{user}" if user else ""


class _AgentLog(logging.Handler):
    """Logs the SDK's lines as the base's, without what the user wrote.

    Lines below WARNING have users' ids and sign-in codes, and are not logged.
    """

    def emit(self, record: logging.LogRecord) -> None:
        text, turn = record.getMessage(), AgentTurn.current()
        if turn is not None and turn.core.adapter.redact:
            text = redacted([text], turn.core.activity)[0]
        log.log(record.levelno, "%s: %s", record.name, text)


_log = _AgentLog(logging.WARNING)


def _take_over_loggers() -> None:
    """Let only our handler get the SDK's lines, whatever handlers the bot's modules have added."""
    for name in [each for each in logging.root.manager.loggerDict if each.startswith(f"{SDK}.")]:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logger = logging.getLogger(SDK)
    logger.handlers[:] = [_log]
    logger.propagate = False


def _adapt_sdk() -> None:
    for name in ("read", "write", "delete"):
        _delegate(MemoryStorage, "storage", name)
    for name in (
        "get_connection",
        "get_default_connection",
        "get_token_provider",
        "get_token_provider_from_activity",
    ):
        _delegate(ConnectionManager, "connections", name)
    for name in ("process_proactive", "create_conversation"):
        _delegate(ChannelServiceAdapter, "", name)
    AgentState._cached_state = _CachedState()
    CachedAgentState.compute_hash = _stored_form
    UserState.get_storage_key = _user_key
    TurnState.save = _save_scopes
    streaming.StreamingResponse = StreamedReply
    # The base's indicator costs less: for the SDK's, each activity is copied once more.
    agent_application.TypingIndicator = lambda *_, **__: nullcontext()
    # Its spans have the ids of conversations and users; the base's say the same without them.
    BaseSpanWrapper.__enter__ = lambda span: span
    BaseSpanWrapper.__exit__ = lambda *_: None
    # Its one line quotes the activity; ActivityUnread says what was refused.
    logging.getLogger(f"{SDK}.activity.activity").setLevel(logging.CRITICAL)


_adapt_sdk()
