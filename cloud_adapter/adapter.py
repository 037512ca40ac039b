"""CloudAdapter: runs one turn, from the channel's request to the answer."""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from botbuilder.core import Bot, CloudAdapterBase, InvokeResponse
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes, ExpectedReplies
from botframework.connector.auth import ClaimsIdentity

from auth.errors import BotError, Unavailable
from auth.inbound.channel_token import ChannelToken
from cloud_adapter.authentication import BotAuthentication, BotConnectorFactory
from cloud_adapter.connector.client import ConnectorClient
from cloud_adapter.connector.user_tokens import UserTokenClient
from cloud_adapter.errors import StateConflict, TurnKilled, TurnRepeated
from cloud_adapter.queued.inbox import AcceptedActivity
from cloud_adapter.queued.queued_turns import QueuedTurns
from cloud_adapter.redacted_traceback import redacted_traceback
from cloud_adapter.request import TurnRequest, check_head, read_activity
from cloud_adapter.response import TurnResponse
from cloud_adapter.turn_context import TurnContext

APOLOGY = "Sorry, something went wrong on my side. Please try again."
"""The one thing that users hear of an error."""

Logic = Callable[[TurnContext], Awaitable[None]]

log = logging.getLogger(__name__)

_TYPES = frozenset(each.value for each in ActivityTypes)

MOST_RUNS = 3
"""Of a turn whose state another turn has changed meanwhile."""


class CloudAdapter(CloudAdapterBase):  # type: ignore[misc]  # untyped SDK base
    """botbuilder's adapter, with this project's authentication, connector and queue.

    Args:
        authentication: the caller check and the bot's credentials.
        queue: takes activities whose turns run later; None: every turn runs at once.
        redact: hide what users sent from logged tracebacks; False on a developer's machine.
    """

    def __init__(
        self,
        authentication: BotAuthentication,
        queue: QueuedTurns | None = None,
        *,
        redact: bool = True,
    ) -> None:
        super().__init__(authentication)
        self.on_turn_error = self._turn_failed
        self._queue = queue
        self._redact = redact

    async def process(self, request: TurnRequest, bot: Bot) -> TurnResponse:
        """Run or enqueue the turn for a channel's request.

        Raises:
            TokenRejected, CallerForbidden: the caller may not deliver the activity.
            BadRequest: the body is not an activity, or too large.
            Unavailable: the caller cannot be checked, the bot cannot sign in, storage is
                unavailable, or another turn of the conversation is running.
        """
        check_head(request)
        token = await self.bot_framework_authentication.authenticate(request.authorization)
        for _ in range(MOST_RUNS - 1):
            # Another turn changed the state first: run this one again, with the activity as
            # delivered, and after the objects of the first attempt are freed.
            with contextlib.suppress(StateConflict):
                return await self._process_body(token, request.body, bot)
        return await self._process_body(token, request.body, bot)

    async def _process_body(
        self, token: ChannelToken | None, body: bytes, bot: Bot
    ) -> TurnResponse:
        """Run or enqueue a turn for the activity in the body of an authenticated caller."""
        activity = read_activity(body)
        try:
            caller = self.bot_framework_authentication.authorize(token, activity)
            if self._queue is not None and _may_wait(activity):
                await self._queue.accept(activity, body, caller.claims_identity.claims)
                return TurnResponse(HTTPStatus.ACCEPTED)
            result = await self.process_activity(caller, activity, bot.on_turn)
        except TurnRepeated:
            log.info("%s was delivered again", turn_name(activity))
            return TurnResponse(HTTPStatus.OK)
        except StateConflict as conflict:
            log.warning("%s: %s", turn_name(activity), str(conflict))
            raise
        except BotError as error:
            log.warning("%s: %s", turn_name(activity), type(error).__name__)
            raise
        try:
            return TurnResponse.of(result)
        except Exception as error:  # noqa: BLE001  # whatever the bot left there, the turn is done
            self._log_failure(activity, "the bot's answer cannot be written as JSON", error)
            return TurnResponse(200)

    async def run_delivered(
        self, delivery: AcceptedActivity, bot: Bot, *, last: bool, killed: bool = False
    ) -> None:
        """Run the turn of an activity that was delivered before.

        Args:
            delivery: the activity and its caller.
            bot: the bot.
            last: if the turn fails, the user gets the apology: it is not tried again.
            killed: each of its tries has taken its process with it: it fails without the bot.

        Raises:
            TurnRepeated: the turn was made before.
            Unavailable: as `process`.
            Exception: whatever the bot's code raised.
        """
        caller = self.bot_framework_authentication.authenticated_before(delivery.claims)
        logic = RaisingLogic(_killed if killed else bot.on_turn, apologises=last)
        await self.process_activity(caller, delivery.activity, logic)

    async def _turn_failed(self, context: TurnContext, error: Exception) -> None:
        if isinstance(error, Unavailable | TurnRepeated):
            raise error  # no mistake of the bot's: the channel or the queue delivers again
        self._log_failure(context.activity, "failed", error)
        logic = context.turn_state[self.BOT_CALLBACK_HANDLER_KEY]
        raises = isinstance(logic, RaisingLogic)
        if not raises or logic.apologises:
            await self._apologise(context)
        if raises:
            raise error

    async def _apologise(self, context: TurnContext) -> None:
        # The channel must not hear of it: it would deliver the activity again.
        context.turn_state[self._INVOKE_RESPONSE_KEY] = Activity(
            type=ActivityTypes.invoke_response, value=InvokeResponse(status=HTTPStatus.OK)
        )
        try:
            await context.send_activity(APOLOGY)
        except Exception as second:  # noqa: BLE001  # nothing is left to try
            self._log_failure(context.activity, "the apology could not be sent", second)

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
        logic: Callable[[TurnContext], Awaitable[None]],
        connector_factory: BotConnectorFactory,
    ) -> TurnContext:
        # As the base does, which makes a context of its own class.
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


async def _killed(_: TurnContext) -> None:
    raise TurnKilled("the process ended over it, each time: a crash, memory, or functionTimeout")


class RaisingLogic:
    """A turn's logic whose errors are for whoever runs the turn.

    Args:
        logic: the turn.
        apologises: the user is told of an error, too.
    """

    def __init__(self, logic: Logic, *, apologises: bool) -> None:
        self._logic = logic
        self.apologises = apologises

    async def __call__(self, context: TurnContext) -> None:
        """The turn."""
        await self._logic(context)


def _may_wait(activity: Activity) -> bool:
    """Nothing in the answer to the channel depends on the turn."""
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
