"""CloudAdapter: runs one turn, from the channel's request to the response."""

import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from botbuilder.core import Bot, CloudAdapterBase, InvokeResponse
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

from auth.errors import BotError, SettingsError, Unavailable
from auth.inbound.channel_token import ChannelToken
from auth.settings import STORAGE
from cloud_adapter.authentication import BotAuthentication, BotConnectorFactory
from cloud_adapter.connector.client import ConnectorClient
from cloud_adapter.connector.user_tokens import UserTokenClient
from cloud_adapter.errors import StateConflict, TurnKilled, TurnRepeated
from cloud_adapter.queued.drain import Attempt
from cloud_adapter.queued.queued_turns import QueuedTurns
from cloud_adapter.queued.stored_activity import AcceptedActivity
from cloud_adapter.redacted_traceback import redacted_traceback
from cloud_adapter.request import TurnRequest, check_head, read_activity
from cloud_adapter.response import TurnResponse
from cloud_adapter.turn_context import TurnContext

APOLOGY = "Sorry, something went wrong on my side. Please try again."
"""The one thing that users learn about an error."""

MAX_RUNS = 3
"""How often a turn runs, in all, when other turns keep changing its state."""

Logic = Callable[[TurnContext], Awaitable[object]]

OnError = Callable[[TurnContext, Exception], Awaitable[None]]
"""Handles an error in a turn: `apologize`, `log_and_raise` or `apologize_and_raise` of
`CloudAdapter`, or a bot's own `on_turn_error`."""

log = logging.getLogger(__name__)

_TYPES = frozenset(each.value for each in ActivityTypes)


class CloudAdapter(CloudAdapterBase):  # type: ignore[misc]  # untyped SDK base
    """botbuilder's adapter, with this project's authentication, connector and queue.

    Args:
        authentication: the caller check and the bot's credentials.
        queued_turns: stores activities and runs their turns later; None without storage.
        enqueues: activities are queued where possible; False: every turn runs immediately.
        redact: hide what users sent from logged tracebacks; False on a developer's machine.
    """

    def __init__(
        self,
        authentication: BotAuthentication,
        queued_turns: QueuedTurns | None = None,
        *,
        enqueues: bool = False,
        redact: bool = True,
    ) -> None:
        super().__init__(authentication)
        self.on_turn_error = self.apologize
        self._queued_turns = queued_turns
        self._enqueues = enqueues
        self._redact = redact

    async def process(self, request: TurnRequest, bot: Bot) -> TurnResponse:
        """Run or enqueue the turn for a channel's request.

        Raises:
            TokenRejected, CallerForbidden: the caller may not send the activity.
            BadRequest: the body is not an activity, or too large.
            Unavailable: the caller cannot be checked, the bot cannot sign in, storage is
                unavailable, or another turn of the conversation is running.
        """
        check_head(request)
        token = await self.bot_framework_authentication.authenticate(request.authorization)
        for _ in range(MAX_RUNS - 1):
            # Another turn changed the state first: run this one again, from its body, because the
            # bot may have changed the activity. Replies of the first run have been sent.
            with contextlib.suppress(StateConflict):
                return await self._process_body(token, request.body, bot)
        return await self._process_body(token, request.body, bot)

    async def _process_body(
        self, token: ChannelToken | None, body: bytes, bot: Bot
    ) -> TurnResponse:
        """Run or enqueue the turn for the body of an authenticated caller."""
        activity = read_activity(body)
        try:
            caller = self.bot_framework_authentication.authorize(token, activity)
            if self._queued_turns is not None and self._enqueues and _can_be_queued(activity):
                await self._queued_turns.enqueue(activity, body, caller.claims_identity.claims)
                return TurnResponse(HTTPStatus.ACCEPTED)
            context = await self.run(caller, activity, bot.on_turn, self.on_turn_error)
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

    def _response(self, context: TurnContext) -> TurnResponse:
        try:
            return TurnResponse.of(self._process_turn_results(context))
        except Exception as error:  # noqa: BLE001  # a bad result must not fail a finished turn
            what = "the bot's answer cannot be written as JSON"
            self._log_failure(context.activity, what, error)
            return TurnResponse(HTTPStatus.OK)

    async def process_wake_up(self, message: str, dequeue_count: int, bot: Bot) -> None:
        """Run the turns of the stored activities of a conversation.

        Args:
            message: the wake-up message.
            dequeue_count: how often the host has delivered it.
            bot: the bot.

        Raises:
            TurnFailed, Unavailable: the host must deliver the message again.
            ValueError: it is not a wake-up message.
            SettingsError: no storage account is configured.
        """
        if self._queued_turns is None:
            raise SettingsError([f"{STORAGE}: it is missing; turns wait in its queue"])
        run_turn = functools.partial(self._run_stored, bot)
        await self._queued_turns.drain(message, dequeue_count, run_turn)

    async def _run_stored(self, bot: Bot, accepted: AcceptedActivity, attempt: Attempt) -> None:
        caller = self.bot_framework_authentication.authorized_before(accepted.claims)
        logic = _fail_as_killed if attempt is Attempt.WITHOUT_BOT else bot.on_turn
        on_error = self.log_and_raise if attempt is Attempt.NOT_LAST else self.apologize_and_raise
        await self.run(caller, accepted.activity, logic, on_error)

    async def send_proactively(self, reference: ConversationReference, logic: Logic) -> None:
        """Run a turn that no activity started, in a conversation. Its calls are not retried.

        Raises:
            ServiceUrlRefused: the bot must not call the conversation's service URL.
            Unavailable: the bot cannot sign in.
            Exception: whatever `logic` or the bot's middleware raises.
        """
        sender = self.bot_framework_authentication.unretried_sender()
        await self.run(sender, get_continuation_activity(reference), logic, self.log_and_raise)

    async def run(
        self,
        caller: AuthenticateRequestResult,
        activity: Activity,
        logic: Logic,
        on_error: OnError,
    ) -> TurnContext:
        """Run one turn: the middleware, and `logic` within it.

        Args:
            caller: who sent the activity, and how replies are sent.
            activity: the activity.
            logic: the bot's `on_turn`.
            on_error: handles what `logic` or the middleware raises.

        Raises:
            ServiceUrlRefused, SignInError: before the turn starts; `on_error` is not called.
            Exception: whatever `on_error` raises.
        """
        activity.caller_id = caller.caller_id
        identity, factory = caller.claims_identity, caller.connector_factory
        connector = await factory.create(activity.service_url, caller.audience)
        authentication = self.bot_framework_authentication
        user_tokens = await authentication.create_user_token_client(identity)
        context = self._create_turn_context(
            activity, identity, caller.audience, connector, user_tokens, logic, factory
        )
        try:
            await self._middleware.receive_activity_with_status(context, logic)
        except Exception as error:  # noqa: BLE001  # the policy decides
            await on_error(context, error)
        return context

    async def apologize(self, context: TurnContext, error: Exception) -> None:
        """Log the error and apologize to the user: the turn is over.

        Raises:
            Unavailable: the channel must send the activity again.
            TurnRepeated: the activity has been processed.
        """
        self._log_or_raise(context, error)
        # Not an error for the channel, which would send an invoke again.
        context.turn_state[self._INVOKE_RESPONSE_KEY] = Activity(
            type=ActivityTypes.invoke_response, value=InvokeResponse(status=HTTPStatus.OK)
        )
        try:
            await context.send_activity(APOLOGY)
        except Exception as second:  # noqa: BLE001  # nothing is left to try
            self._log_failure(context.activity, "the apology could not be sent", second)

    async def log_and_raise(self, context: TurnContext, error: Exception) -> None:
        """Log the error, and raise it: whoever called `run` decides whether to try again."""
        self._log_or_raise(context, error)
        raise error

    async def apologize_and_raise(self, context: TurnContext, error: Exception) -> None:
        """Log the error, apologize, and raise it: this was the last attempt."""
        await self.apologize(context, error)
        raise error

    def _log_or_raise(self, context: TurnContext, error: Exception) -> None:
        """Log an error of the bot's code; raise one that is not its fault."""
        if isinstance(error, Unavailable | TurnRepeated):
            raise error
        self._log_failure(context.activity, "failed", error)

    def _log_failure(self, activity: Activity, what: str, error: Exception) -> None:
        # No `exc_info`: logging's own traceback would quote the user.
        found = redacted_traceback(error, activity, redact=self._redact)
        log.error("%s: %s\n%s", turn_name(activity), what, found)

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
        # Like the base, but with our TurnContext.
        context = TurnContext(self, activity)
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
        # The base writes replies with msrest, which drops what entities hold.
        if context.activity.delivery_mode == DeliveryModes.expect_replies:
            replies = ExpectedReplies(activities=context.buffered_reply_activities)
            return InvokeResponse(status=HTTPStatus.OK, body=replies)
        return super()._process_turn_results(context)


async def _fail_as_killed(_: TurnContext) -> None:
    raise TurnKilled("every attempt ended the process: a crash, lack of memory, or functionTimeout")


def _can_be_queued(activity: Activity) -> bool:
    """Nothing in the response to the channel depends on the turn."""
    return not (
        activity.type == ActivityTypes.invoke
        or activity.delivery_mode == DeliveryModes.expect_replies
    )


def turn_name(activity: Any) -> str:
    """A turn's name in the log: the host mixes up its own invocation ids under concurrency.

    Ids come from the channel, but on Direct Line the client sets the type: only known types are
    shown.
    """
    kind = activity.type if activity.type in _TYPES else "other"
    return f"Turn {kind!r} {activity.id!r:.80} in {activity.conversation.id!r:.120}"
