"""CloudAdapter: runs one turn, from the channel's request to the answer."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from botbuilder.core import Bot, CloudAdapterBase, InvokeResponse
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes, ExpectedReplies
from botframework.connector.auth import ClaimsIdentity

from auth.errors import BotError, Unavailable
from cloud_adapter.bot_authentication import BotAuthentication, BotConnectorFactory
from cloud_adapter.connector_client import ConnectorClient
from cloud_adapter.turn_context import TurnContext
from cloud_adapter.turn_failure import failure_story
from cloud_adapter.turn_request import TurnRequest, read_activity
from cloud_adapter.turn_response import TurnResponse
from cloud_adapter.user_token_client import UserTokenClient

APOLOGY = "Sorry, something went wrong on my side. Please try again."
"""The one thing that users hear of an error."""

log = logging.getLogger(__name__)


class CloudAdapter(CloudAdapterBase):  # type: ignore[misc]  # untyped SDK base
    """botbuilder's adapter on this project's seams.

    Args:
        authentication: the caller check and the bot's credentials.
    """

    def __init__(self, authentication: BotAuthentication) -> None:
        super().__init__(authentication)
        self.on_turn_error = self._apologise

    async def process(self, request: TurnRequest, bot: Bot) -> TurnResponse:
        """Run the turn that a channel's request asks for.

        Raises:
            BadRequest: the body is not an activity.
            TokenRejected, CallerForbidden: the caller may not deliver it.
            Unavailable: the caller cannot be checked, or the bot cannot sign in.
        """
        activity = read_activity(request)
        try:
            caller = await self.bot_framework_authentication.authenticate_request(
                activity, request.authorization
            )
            result = await self.process_activity(caller, activity, bot.on_turn)
        except BotError as error:
            log.warning("%s: %s", turn_name(activity), type(error).__name__)
            raise
        try:
            return TurnResponse.of(result)
        except Exception:  # whatever the bot left there, the turn is done
            log.exception("The bot's answer to %s has no JSON form", turn_name(activity))
            return TurnResponse(200)

    async def _apologise(self, context: TurnContext, error: Exception) -> None:
        if isinstance(error, Unavailable):
            raise error  # the edge answers 503: the channel delivers the activity again
        log.error(
            "%s failed\n%s", turn_name(context.activity), failure_story(error, context.activity)
        )
        # The channel must not hear of it: it would deliver the activity again.
        context.turn_state[self._INVOKE_RESPONSE_KEY] = Activity(
            type=ActivityTypes.invoke_response, value=InvokeResponse(status=HTTPStatus.OK)
        )
        try:
            await context.send_activity(APOLOGY)
        except Exception as second:  # noqa: BLE001  # nothing is left to try
            story = failure_story(second, context.activity)
            # No traceback of logging's own: it would quote the error's text.
            log.error("%s: no apology\n%s", turn_name(context.activity), story)  # noqa: TRY400

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


def turn_name(activity: Any) -> str:
    """What the log calls a turn: the host's own ids mix under concurrency."""
    return f"Turn {activity.type!r:.40} {activity.id!r:.80} in {activity.conversation.id!r:.120}"
