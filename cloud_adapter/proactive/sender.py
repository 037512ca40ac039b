"""NotificationSender: sends one activity to one conversation, within the limits."""

from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ConversationParameters

from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.codec.channels import TEAMS
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.errors import OutOfTime
from cloud_adapter.proactive.rate_limiter import RateLimiter
from cloud_adapter.proactive.records import ConversationRecord, UserRecord
from cloud_adapter.proactive.references import ConversationReferences
from http_client.connection import ConnectFailed
from http_client.retry import CONNECT_FAILED, Backoff, RetryPolicy

RETRIES = RetryPolicy(max_attempts=10, max_connects=3, backoff=Backoff(first=2.0, longest=15.0))
"""All pauses together fit into one run."""


class NotificationSender:
    """Sends as the bot, and repeats what the service refuses for now.

    Args:
        adapter: runs the turn, with all of its middleware.
        references: stores the conversations that are created.
        rate_limiter: for all calls.
        sleep: waits; tests pass one that moves the clock.
        end: on the rate limiter's clock; no call is made after it.
    """

    def __init__(
        self,
        adapter: CloudAdapter,
        references: ConversationReferences,
        rate_limiter: RateLimiter,
        sleep: Callable[[float], Awaitable[None]],
        end: float,
    ) -> None:
        self._adapter = adapter
        self._references = references
        self._rate_limiter = rate_limiter
        self._sleep = sleep
        self._end = end

    async def create_conversation(self, user: UserRecord) -> ConversationRecord:
        """Create the personal conversation with a user, and store it.

        Raises:
            OutOfTime: there is no time for it in this run.
            ConnectorError: the service refuses, or cannot be reached.
            ServiceUrlRefused: the bot must not call the service URL.
            Unavailable: the bot cannot sign in, or storage is unavailable.
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

        created = await self._repeat(user.tenant, f"new {user.ids[0]}", create)
        return await self._references.store_created(user, created.id)

    async def send(self, conversation: ConversationRecord, activity: Activity) -> None:
        """Send an activity.

        Raises:
            OutOfTime: there is no time for it in this run.
            ConnectorError: the service refuses, or the activity may or may not have arrived.
            ServiceUrlRefused: the bot must not call the service URL.
            Unavailable: the bot cannot sign in.
            Exception: whatever the bot's middleware raised; the log has the traceback.
        """

        async def send() -> None:
            await self._attempt(conversation, activity)

        await self._repeat(conversation.tenant, conversation.id, send)

    async def _attempt(self, conversation: ConversationRecord, activity: Activity) -> None:
        async def logic(context: TurnContext) -> None:
            # Else the SDK addresses a reply to the activity that stands for this turn.
            context.activity.id = None
            await context.send_activity(activity)

        await self._adapter.send_proactively(conversation.reference, logic)

    async def _repeat[Answer](
        self, tenant: str, conversation: str, call: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        attempt = 1
        while True:
            if not await self._rate_limiter.acquire(tenant, conversation, self._end):
                raise OutOfTime("the run ends before the next attempt")
            try:
                return await call()
            except ConnectorError as error:
                pause = _pause(error, attempt)
                if pause is None:
                    raise
                if connect_failed(error):
                    await self._sleep(pause)  # other service URLs may be reachable
                else:
                    self._rate_limiter.pause(pause)
            attempt += 1


def connect_failed(error: ConnectorError) -> bool:
    """Whether there was no connection, so that nothing was sent."""
    return isinstance(error.__cause__, ConnectFailed)


def _pause(error: ConnectorError, attempt: int) -> float | None:
    """Seconds until the next attempt; None when the call must not be sent again."""
    status = error.response.status_code
    if status == CONNECT_FAILED and not connect_failed(error):
        return None  # the response was lost
    return RETRIES.pause("POST", status, attempt, error.retry_after)


def _channel_data(user: UserRecord) -> Any:
    in_teams = user.channel_id == TEAMS and user.tenant
    return {"tenant": {"id": user.tenant}} if in_teams else None
