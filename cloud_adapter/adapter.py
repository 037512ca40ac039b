"""CloudAdapter: runs one turn, from the channel's request to the response.

TurnRequest and TurnResponse are independent of the host.
"""

import asyncio
import contextlib
import functools
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from botbuilder.core import Bot, InvokeResponse, MiddlewareSet
from botbuilder.core.conversation_reference_extension import get_continuation_activity
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ConversationReference,
    DeliveryModes,
    ExpectedReplies,
)
from botframework.connector.auth import ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult

from auth.errors import (
    BadRequest,
    BodyTooLarge,
    BotError,
    SettingsError,
    Unavailable,
    UnsupportedBody,
)
from auth.inbound.bearer_token import BearerToken
from auth.settings import QUEUED, TURNS
from cloud_adapter.activities import TEAMS, name_channel_id
from cloud_adapter.authentication import BotAuthentication, BotConnectorFactory
from cloud_adapter.codec import check_cost, json_bytes, read_integer, read_model, write_value
from cloud_adapter.connector.adapter_calls import AdapterCalls
from cloud_adapter.connector.client import ConnectorClient, ConnectorError, UserTokenClient
from cloud_adapter.deadlines import HostTimeout, StartLimit, exits_are_failures, limited_bot_code
from cloud_adapter.errors import (
    MalformedModel,
    StartTimedOut,
    StateConflict,
    TurnKilled,
    TurnRepeated,
)
from cloud_adapter.home_loop import on_home_loop
from cloud_adapter.queued.drain import Attempt
from cloud_adapter.queued.inbox import AcceptedActivity
from cloud_adapter.queued.queued_turns import QueuedTurns
from cloud_adapter.redaction import redacted_traceback
from cloud_adapter.state.turn import AutoSaveStateMiddleware, ConversationTurn
from cloud_adapter.storage.queue import ReceivedMessage
from cloud_adapter.turn_context import TurnContext
from http_client.observer import moment

log = logging.getLogger(__name__)


class TurnRequest(NamedTuple):
    """A channel's POST.

    Attributes:
        content_type: the value of the Content-Type header; empty if there is none.
        authorization: the value of the Authorization header; empty if there is none.
        body: the body as received.
        arrived_at: when it arrived, in event loop time (seconds); None: no channel waits.
    """

    content_type: str
    authorization: str
    body: bytes
    arrived_at: float | None = None


@dataclass(frozen=True)
class TurnResponse:
    """The response to a channel's POST.

    Attributes:
        status: the HTTP status.
        body: the body: JSON, or empty.
    """

    status: int
    body: bytes = b""

    @classmethod
    def of(cls, result: InvokeResponse | None) -> "TurnResponse":
        """The response for a turn's result; for no result, status 200 and an empty body.

        Raises:
            TypeError, ValueError: the body has no JSON form, or the status is not a number.
        """
        if result is None:
            return cls(200)
        status = int(result.status)
        if result.body is None:
            return cls(status)
        return cls(status, json_bytes(write_value(result.body)))


MAX_BODY_BYTES = 1024 * 1024
"""The size limit of a body. Above 4 MB, the stream between the Functions host and its worker
breaks."""


def check_head(request: TurnRequest) -> None:
    """Check what can be checked without parsing the body.

    Raises:
        UnsupportedBody: the content type is not JSON.
        BodyTooLarge: the body has more than MAX_BODY_BYTES.
    """
    if not _is_json(request.content_type):
        raise UnsupportedBody("the content type is not JSON")
    if len(request.body) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"the body has {len(request.body)} bytes")


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.count("/") == 1 and kind.endswith("+json"))


@moment("activity.read")
def read_activity(body: bytes) -> Any:
    """The activity in a body, which has every property that the caller check and a turn require.

    Raises:
        BodyTooLarge: parsing the body would take too much memory.
        BadRequest: the body is not an activity.
    """
    activity = _read(body, _check_address)
    if activity.channel_id == TEAMS and activity.channel_data is None:
        # Teams always sends it, but its emulators do not; the SDK's handler for Teams needs it.
        activity.channel_data = {}
    return activity


def read_reply(body: bytes) -> Any:
    """The activity in a body that a skill sends to a conversation; it has no address yet.

    Raises:
        BodyTooLarge, BadRequest: as in `read_activity`, or the activity cannot be sent.
    """
    return _read(body, _check_sendable)


def _read(body: bytes, check: Callable[[Any], object]) -> Any:
    try:
        data = _parsed(body)
        name_channel_id(data)
        activity = read_model(Activity, data)
        check(activity)
    except (MalformedModel, ValueError, TypeError, RecursionError) as error:
        raise BadRequest(f"the body is not an activity ({type(error).__name__})") from error
    return activity


def _parsed(body: bytes) -> Any:
    if not _OBJECT.match(body):
        raise MalformedModel("it is not a JSON object")
    # Only UTF-8 (RFC 8259, 8.1): from bytes, the json module would guess other encodings.
    text = body.decode()
    check_cost(body, text)
    return _JSON.decode(text)


_OBJECT = re.compile(rb"[ \t\n\r]*+\{")


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_JSON = json.JSONDecoder(parse_int=read_integer, parse_constant=_refuse_constant)

MAX_NAME_LENGTH = 2048
"""The length limit of ids, names and locales, which become cache keys and parts of URLs and stored
items. Ids in Teams and Slack have at most about 200 characters, those of emails 998 (RFC 5322,
2.1.1)."""


def _check_address(activity: Any) -> None:
    conversation_id = activity.conversation.id if activity.conversation else None
    required: tuple[Any, ...] = (
        activity.type,
        activity.channel_id,
        activity.service_url,
        conversation_id,
    )
    if not all(required):
        raise MalformedModel("type, channelId, serviceUrl or conversation.id is missing")
    address = (*required, activity.id or "")
    # These become parts of URLs, so a lone surrogate is refused here, with UnicodeEncodeError.
    "".join(address).encode()
    address += (activity.locale or "",)  # conversation references keep it
    accounts = (activity.conversation, activity.from_property, activity.recipient)
    for account in filter(None, accounts):
        address += (account.id or "", account.name or "", account.aad_object_id or "")
    if max(map(len, address)) > MAX_NAME_LENGTH:
        raise MalformedModel("an id, a name or the locale is too long")


UNSENDABLE_TYPES = frozenset({"delay"})
"""Types that are instructions to the sender's own adapter, and are never sent: the SDK's adapter
would wait."""

_COMMANDS = frozenset({ActivityTypes.command.value, ActivityTypes.command_result.value})


def _check_sendable(activity: Any) -> None:
    if not activity.type or activity.type in UNSENDABLE_TYPES:
        raise MalformedModel("the type is missing, or cannot be sent")
    if activity.type in _COMMANDS and not activity.name:
        raise MalformedModel("a command has no name")
    json_bytes(write_value(activity))  # Python reads 1e999, but JSON has no infinity


APOLOGY = "Sorry, something went wrong on my side. Please try again."
"""The one thing that users learn about an error."""

NO_TIMEOUT = HostTimeout(None)
"""No host ends a turn: in a program that makes an adapter of its own."""

MAX_RUNS = 3
"""The maximum number of runs of a turn whose state other turns keep changing."""

Logic = Callable[[TurnContext], Awaitable[object]]

OnError = Callable[[TurnContext, Exception], Awaitable[None]]
"""A bot's own handler for errors: `on_turn_error`."""

ErrorPolicy = Callable[[TurnContext, Exception], Awaitable[bool]]
"""Decides what becomes of an error in a turn: `handle_error` or `handle_last_error` of
`CloudAdapter`. Returns whether the turn raises the error. It does not raise it itself: its own
frame would be part of the traceback, and refer to it, and only the garbage collector could free the
activity."""

NOT_FINAL = (Unavailable, TurnRepeated)
"""Errors that mean that a turn cannot run now, or has run before: its caller decides what to do."""

NOT_THE_BOTS = (Unavailable, TurnKilled)
"""Errors that are never passed to a bot's `on_turn_error`: the bot is not at fault, or running its
code ends the process."""


class _ObservedMiddleware(MiddlewareSet):  # type: ignore[misc]  # untyped SDK base
    """The SDK's, each of whose middlewares is a moment; the last one is the bot."""

    receive_activity_internal = moment("middleware")(MiddlewareSet.receive_activity_internal)


class CloudAdapter(AdapterCalls):
    """botbuilder's adapter, with this project's authentication, connector and queue.

    Args:
        authentication: the caller check and the bot's credentials.
        queued_turns: stores activities where possible, and runs their turns later; None: each turn
            runs while the channel waits.
        host_timeout: limits how long a turn may take.
        redact: whether to hide what users sent in logged tracebacks; False on a developer's
            machine.

    Attributes:
        on_turn_error: the bot's handler for errors in its own code; None: users get APOLOGY.
        redact: as in the arguments.
    """

    def __init__(
        self,
        authentication: BotAuthentication,
        queued_turns: QueuedTurns | None = None,
        host_timeout: HostTimeout = NO_TIMEOUT,
        *,
        redact: bool = True,
    ) -> None:
        super().__init__(authentication)
        self._middleware = _ObservedMiddleware()
        self.on_turn_error: OnError | None = None
        self._queued_turns = queued_turns
        self._host_timeout = host_timeout
        self.redact = redact

    @moment("request")
    async def process(self, request: TurnRequest, bot: Bot) -> TurnResponse:
        """Run or enqueue the turn for a channel's request.

        Raises:
            TokenRejected, CallerForbidden: the caller may not send the activity.
            BadRequest: the body is not an activity, or is too large.
            Unavailable: the caller cannot be checked, the bot cannot sign in, storage is
                unavailable, another turn of the conversation is running, or one of these takes too
                long.
        """
        check_head(request)
        with StartLimit(request.arrived_at, "the signing key that proves the caller") as start:
            token = await self.bot_framework_authentication.authenticate(request.authorization)
            for _ in range(MAX_RUNS - 1):
                # Another turn changed the state first: run this one again, from its body, because
                # the bot may have changed the activity. Replies of the first run have been sent.
                with contextlib.suppress(StateConflict):
                    return await self._process_body(token, request.body, bot, start)
            return await self._process_body(token, request.body, bot, start)

    async def _process_body(
        self, token: BearerToken | None, body: bytes, bot: Bot, start: StartLimit
    ) -> TurnResponse:
        """Run or enqueue the turn for the body of an authenticated request."""
        activity = read_activity(body)
        try:
            caller = self.bot_framework_authentication.authorize(token, activity)
            if self._queued_turns is not None and _can_be_queued(activity):
                start.waits_for = "storing the activity in the storage account"
                await self._queued_turns.enqueue(activity, body, caller.claims_identity.claims)
                return TurnResponse(HTTPStatus.ACCEPTED)
            context = await self.run(caller, activity, bot.on_turn, self.handle_error, start)
        except asyncio.CancelledError:
            if start.expired:  # StartLimit raises StartTimedOut in place of this, where it ends
                log.warning("%s: %s", turn_name(activity), StartTimedOut.__name__)
            raise
        except TurnRepeated:
            log.info("%s was received again", turn_name(activity))
            return TurnResponse(HTTPStatus.OK)
        except StateConflict as conflict:
            log.warning("%s: %s", turn_name(activity), str(conflict))
            raise
        except BotError as error:
            log.warning("%s: %s", turn_name(activity), type(error).__name__)
            raise
        return self._response(context)

    @property
    def queues(self) -> bool:
        """Whether turns are queued."""
        return self._queued_turns is not None

    async def enqueue(self, activity: Activity, claims: Mapping[str, Any]) -> None:
        """Store an activity of the bot's own, to be processed as if the channel had sent it.

        Args:
            activity: with an id; another one with the same id is not processed.
            claims: the claims of the caller, which have been checked.

        Raises:
            StorageUnavailable: it may not be stored.
            SettingsError: turns are not queued.
        """
        if self._queued_turns is None:
            raise SettingsError([f"{TURNS}: it is not {QUEUED}, so no activity can be stored"])
        body = json_bytes(write_value(activity))
        await self._queued_turns.enqueue(activity, body, claims)

    def _response(self, context: TurnContext) -> TurnResponse:
        try:
            return TurnResponse.of(self._process_turn_results(context))
        except Exception as error:  # noqa: BLE001  # a bad result must not fail a finished turn
            problem = "the bot's answer cannot be written as JSON"
            self._log_failure(context.activity, problem, error)
            return TurnResponse(HTTPStatus.OK)

    async def process_wake_up(self, message: ReceivedMessage, bot: Bot) -> None:
        """Run the turns of a conversation's stored activities.

        Args:
            message: the wake-up message.
            bot: the bot.

        Raises:
            Unavailable: the host must deliver the message again.
            SettingsError: turns are not queued.
        """
        if self._queued_turns is None:
            raise SettingsError([f"{TURNS}: it is not {QUEUED}, so no turn runs from the queue"])
        run_turn = functools.partial(self._run_stored, bot)
        await self._queued_turns.handle_message(message, run_turn)

    @moment("queued.turn")
    async def _run_stored(self, bot: Bot, accepted: AcceptedActivity, attempt: Attempt) -> None:
        caller = self.bot_framework_authentication.authorized_before(accepted.claims)
        logic = _fail_as_killed if attempt is Attempt.WITHOUT_BOT else bot.on_turn
        is_last = attempt is not Attempt.NOT_LAST
        on_error = self.handle_last_error if is_last else self.handle_error
        await self.run(caller, accepted.activity, logic, on_error, is_last_attempt=is_last)

    @moment("proactive.send")
    async def send_proactively(self, reference: ConversationReference, logic: Logic) -> None:
        """Run `logic` in a conversation, in a turn that no activity from the channel started.

        The turn's calls to the connector are not retried; its caller retries. So an error of such a
        call in `logic` is neither shown to the middleware nor logged.

        Raises:
            ConnectorError: a call in `logic` failed.
            ServiceUrlRefused: the bot must not call the conversation's service URL.
            Unavailable: the bot cannot sign in.
            Exception: any other error that `logic` or the middleware raises.
        """
        refusals: list[ConnectorError] = []

        async def noted(context: TurnContext) -> None:
            try:
                await logic(context)
            except ConnectorError as error:
                refusals.append(error)

        sender = self.bot_framework_authentication.unretried_sender()
        # Less than other turns have: one may begin at the end of a run of notifications.
        async with limited_bot_code(self._host_timeout.proactive_seconds):
            activity = get_continuation_activity(reference)
            await self.run(sender, activity, noted, self.handle_error, is_last_attempt=False)
        if refusals:
            raise refusals.pop()

    async def run(
        self,
        caller: AuthenticateRequestResult,
        activity: Activity,
        logic: Logic,
        on_error: ErrorPolicy,
        start: StartLimit | None = None,
        *,
        is_last_attempt: bool = True,
    ) -> TurnContext:
        """Run one turn: the middleware, and within it `logic`.

        Args:
            caller: who sent the activity, and how replies are sent.
            activity: the activity.
            logic: the bot's `on_turn`, or a function in its place.
            on_error: handles errors that `logic` or the middleware raises, and decides whether this
                method raises them.
            start: the limit of what comes before the middleware; None: no request waits.
            is_last_attempt: see TurnContext.

        Raises:
            ServiceUrlRefused, SignInError: the turn cannot start; `on_error` is not called.
            Exception: any error for which `on_error` returns True.
        """
        activity.caller_id = caller.caller_id
        identity, factory = caller.claims_identity, caller.connector_factory
        if start is not None:
            start.waits_for = "the bot's token"
        connector = await factory.create(activity.service_url, caller.audience)
        user_tokens = factory.create_user_token_client()
        context = self._create_turn_context(
            activity, identity, caller.audience, connector, user_tokens, logic, factory
        )
        context.is_last_attempt = is_last_attempt
        if start is not None:
            context.arrived_at = start.arrived_at
            start.lift()
        await self._run_middleware(context, logic, on_error)
        return context

    @on_home_loop
    @moment("proactive.turn")
    async def run_pipeline(self, context: TurnContext, callback: Logic | None = None) -> None:
        """Run a turn that the bot's code starts: the SDK's methods for this call this one.

        As in the SDK, an error is handled by `on_turn_error` if it is set, and is raised otherwise.

        Raises:
            Unavailable: the turn cannot run now.
            Exception: any other error, if there is no `on_turn_error`.
        """
        context.is_last_attempt = self.on_turn_error is not None
        await self._run_middleware(context, callback, self.handle_error)

    @moment("turn")
    async def _run_middleware(
        self, context: TurnContext, logic: Logic | None, on_error: ErrorPolicy
    ) -> None:
        # Twice, so that the bot's middleware sees an error in place of an exit of the bot.
        bot = logic and functools.partial(_without_exit, logic)
        try:
            async with limited_bot_code(self._host_timeout.turn_seconds):
                await self._middleware.receive_activity_with_status(context, bot)
        except Exception as error:
            if await on_error(context, error):
                raise
        finally:
            if turn := ConversationTurn.of(context):
                await turn.end()

    @moment("turn.error")
    async def handle_error(self, context: TurnContext, error: Exception) -> bool:
        """Log the error, and let the bot's `on_turn_error` or an apology tell the user.

        Returns whether the turn raises the error, because it may run again (see `runs_again`): then
        the user hears nothing of it.

        Raises:
            TurnRepeated: the bot's error handler has found that the activity has already been
                processed.
        """
        if not isinstance(error, NOT_FINAL) or _is_committed(context):
            self._log_failure(context.activity, "failed", error)
        if runs_again(context, error):
            return True
        # Status 200, because a channel would send an invoke again after an error.
        context.turn_state[self._INVOKE_RESPONSE_KEY] = Activity(
            type=ActivityTypes.invoke_response, value=InvokeResponse(status=HTTPStatus.OK)
        )
        if self.on_turn_error is None or isinstance(error, NOT_THE_BOTS):
            await self._apologize(context)
        else:
            await self._call_handler(self.on_turn_error, context, error)
        return False

    async def handle_last_error(self, context: TurnContext, error: Exception) -> bool:
        """Handle the error; the turn raises it, too: for the last attempt at a queued turn.

        It is not raised if the bot has committed the turn: no attempt can follow.
        """
        await self.handle_error(context, error)
        return not _is_committed(context)

    async def _call_handler(self, handler: OnError, context: TurnContext, error: Exception) -> None:
        """Call the bot's error handler; if that fails too, the user gets the apology.

        Raises:
            TurnRepeated: the handler has read the state, which says that the activity has already
                been processed.
        """
        state = AutoSaveStateMiddleware.of(context)
        logic = functools.partial(handler, context, error)
        try:
            async with limited_bot_code(self._host_timeout.handler_seconds):
                await (state.handle_error(context, logic) if state else logic())
        except TurnRepeated:
            raise
        except Exception as handler_error:  # noqa: BLE001  # storage may be unavailable, for one
            self._log_failure(context.activity, "on_turn_error failed", handler_error)
            await self._apologize(context)

    async def _apologize(self, context: TurnContext) -> None:
        if context.has_apologized:
            return
        try:  # the bot's own code, too, may look at what is sent
            async with limited_bot_code(self._host_timeout.apology_seconds):
                await context.send_activity(APOLOGY)
        except Exception as error:  # noqa: BLE001  # there is nothing else to try
            self._log_failure(context.activity, "the apology could not be sent", error)

    def _log_failure(self, activity: Activity, problem: str, error: Exception) -> None:
        # No `exc_info`: logging's own traceback would quote the user.
        trace = redacted_traceback(error, activity, redact=self.redact)
        log.error("%s: %s\n%s", turn_name(activity), problem, trace)

    def _create_turn_context(
        self,
        activity: Activity,
        claims_identity: ClaimsIdentity,
        oauth_scope: str,
        connector_client: ConnectorClient,
        user_token_client: UserTokenClient,
        logic: Logic,
        connector_factory: BotConnectorFactory,
    ) -> TurnContext:
        # Like the base class, but with our own TurnContext.
        context = TurnContext(self, activity)
        if task := asyncio.current_task():
            context.task_context = task.get_context()
        context.turn_state.update(
            {
                self.BOT_IDENTITY_KEY: claims_identity,
                self.BOT_CONNECTOR_CLIENT_KEY: connector_client,
                self.USER_TOKEN_CLIENT_KEY: user_token_client,
                self.BOT_CALLBACK_HANDLER_KEY: logic,
                self.CONNECTOR_FACTORY_KEY: connector_factory,
                self.BOT_OAUTH_SCOPE_KEY: oauth_scope,
            }
        )
        return context

    def _process_turn_results(self, context: TurnContext) -> InvokeResponse | None:
        # The base class writes replies with msrest, which drops most properties of entities.
        if context.activity.delivery_mode == DeliveryModes.expect_replies:
            replies = ExpectedReplies(activities=context.buffered_reply_activities)
            return InvokeResponse(status=HTTPStatus.OK, body=replies)
        return super()._process_turn_results(context)


async def _without_exit(logic: Logic, context: TurnContext) -> object:
    with exits_are_failures():
        return await logic(context)


async def _fail_as_killed(_: TurnContext) -> None:
    causes = "a crash, lack of memory, a blocked event loop, or functionTimeout"
    raise TurnKilled(f"the process died in the last attempt: {causes}")


def runs_again(context: TurnContext, error: BaseException) -> bool:
    """Whether a turn that fails with this error may run again.

    Not if the bot has saved state with `force`: then the activity counts as processed.
    """
    may_follow = isinstance(error, NOT_FINAL) or not context.is_last_attempt
    return may_follow and not _is_committed(context)


def _is_committed(context: TurnContext) -> bool:
    """Whether the bot has saved state with `force`, so that the turn cannot run again."""
    turn = ConversationTurn.of(context)
    return turn is not None and turn.is_committed


def _can_be_queued(activity: Activity) -> bool:
    """Whether the response to the channel does not depend on the turn."""
    return not (
        activity.type == ActivityTypes.invoke
        or activity.delivery_mode == DeliveryModes.expect_replies
    )


_TYPES = frozenset(each.value for each in ActivityTypes)


def turn_name(activity: Any) -> str:
    """A turn's name in the log, because the host mixes up its invocation ids under concurrency.

    The ids come from the channel. The type may come from the client, on Direct Line, so only known
    types are shown.
    """
    kind = activity.type if activity.type in _TYPES else "other"
    return f"Turn {kind!r} {activity.id!r:.80} in {activity.conversation.id!r:.120}"
