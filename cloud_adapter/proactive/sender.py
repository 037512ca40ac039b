"""NotificationSender: sends one activity to one conversation that did not ask for it."""

import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ConversationParameters

from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.codec.channels import TEAMS
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.errors import OutOfTime
from cloud_adapter.proactive.conversation_record import ConversationRecord
from cloud_adapter.proactive.rate_limiter import RateLimiter
from cloud_adapter.proactive.references import ConversationReferences
from cloud_adapter.proactive.user_record import UserRecord
from http_client.connection import ConnectFailed

MOST_REFUSALS = 10
"""Attempts at a call that the service refuses for now; each is after a pause of all calls."""

MOST_CONNECTS = 3
"""Attempts to connect."""

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 15.0
"""Seconds before the next attempt when the service names none; doubled each time. All of them fit
into one run."""

_REFUSED_FOR_NOW = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_FAILED}


class NotificationSender:
    """Sends as the bot, at the pace, and again what the service has not taken.

    Args:
        adapter: runs the turn, with all of its middleware.
        references: keep the conversations that are begun.
        pace: of all calls.
        sleep: waits.
        end: on the pace's clock, after which nothing is begun.
    """

    def __init__(
        self,
        adapter: CloudAdapter,
        references: ConversationReferences,
        pace: RateLimiter,
        sleep: Callable[[float], Awaitable[None]],
        end: float,
    ) -> None:
        self._adapter = adapter
        self._references = references
        self._pace = pace
        self._sleep = sleep
        self._end = end

    async def begin(self, user: UserRecord) -> ConversationRecord:
        """Begin the personal conversation with a user, and keep it.

        Raises:
            OutOfTime: not in this run.
            ConnectorError: the service refuses.
            ServiceUrlRefused: the service URL is none that the bot may call.
            Unavailable: the bot cannot sign in, or the storage account does not answer.
        """
        parameters = ConversationParameters(
            is_group=False,
            bot=user.bot,
            members=[user.user],
            tenant_id=user.tenant or None,
            channel_data=_channel_data(user),
        )

        async def create() -> Any:
            sender = self._adapter.bot_framework_authentication.unretried_sender()
            client = await sender.connector_factory.create(user.service_url)
            return await client.conversations.create_conversation(parameters)

        created = await self._tried(user.tenant, f"new {user.ids[0]}", create)
        return await self._references.store_created(user, created.id)

    async def send(self, conversation: ConversationRecord, activity: Activity) -> None:
        """Send an activity.

        Raises:
            OutOfTime: not in this run.
            ConnectorError: the service refuses, or it is not known whether the activity arrived.
            ServiceUrlRefused: the service URL is none that the bot may call.
            Unavailable: the bot cannot sign in.
            Exception: whatever the bot's middleware raised; the log has the traceback.
        """

        async def send() -> None:
            await self._attempt(conversation, activity)

        await self._tried(conversation.tenant, conversation.id, send)

    async def _attempt(self, conversation: ConversationRecord, activity: Activity) -> None:
        refusals: list[ConnectorError] = []

        async def logic(context: TurnContext) -> None:
            # Or the SDK addresses a reply to the activity that stands for this turn.
            context.activity.id = None
            try:
                await context.send_activity(activity)
            except ConnectorError as error:
                refusals.append(error)  # past the adapter, which would tell the log of each

        await self._adapter.send_proactively(conversation.reference, logic)
        for refusal in refusals:
            raise refusal

    async def _tried[Answer](
        self, tenant: str, place: str, call: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        attempt = 1
        while True:
            if not await self._pace.acquire(tenant, place, self._end):
                raise OutOfTime("the run ends")
            try:
                return await call()
            except ConnectorError as error:
                pause = _pause(error, attempt)
                if error.response.status_code in _REFUSED_FOR_NOW and attempt < MOST_REFUSALS:
                    self._pace.pause(pause)
                elif was_not_sent(error) and attempt < MOST_CONNECTS:
                    await self._sleep(pause)  # the other service URLs may be well
                else:
                    raise
            attempt += 1


def was_not_sent(error: ConnectorError) -> bool:
    """There was no connection."""
    return isinstance(error.__cause__, ConnectFailed)


def _channel_data(user: UserRecord) -> Any:
    in_teams = user.channel_id == TEAMS and user.tenant
    return {"tenant": {"id": user.tenant}} if in_teams else None


def _pause(error: ConnectorError, attempt: int) -> float:
    if error.retry_after is not None:
        return error.retry_after
    spread: float = random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, guards nothing
    return min(FIRST_PAUSE * float(2 ** (attempt - 1)), LONGEST_PAUSE) * spread
