"""NotificationSender: sends one activity to one conversation, within Teams' limits.

Source: Microsoft reference "Optimize your bot with rate limiting in Teams": 50 requests a second
for an app in a tenant; in one conversation 7 in 1 s, 8 in 2 s, 60 in 30 s and 1,800 in 3,600 s. The
limits may change, says the page; the service's 429 decides.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ConversationParameters

from cloud_adapter.activities import TEAMS
from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.errors import OutOfTime
from cloud_adapter.proactive.records import ConversationRecord, UserRecord
from cloud_adapter.proactive.references import ConversationReferences
from http_client.pool import ConnectFailed
from http_client.retry import CONNECT_FAILED, Backoff, RetryPolicy

REQUESTS_PER_SECOND = 40.0
"""Requests to one tenant. The rest of the limit is for replies to users."""

WINDOWS = ((1.0, 7), (2.0, 8), (30.0, 60), (3600.0, 1800))
"""Seconds, and the requests to one conversation that are allowed in them."""

MAX_CONVERSATIONS = 10_000
"""Conversations whose latest requests are remembered."""

_INTERVAL = 1 / REQUESTS_PER_SECOND
_MAX_TIMES = max(limit for _, limit in WINDOWS)
_MIN_SLEEP = 0.001


class RateLimiter:
    """Spaces the requests of this process.

    Requests to a tenant are spaced evenly, without bursts. So processes that send one after the
    other keep to the limit together.

    Args:
        clock: seconds, monotonic.
        sleep: waits; tests pass one that moves the clock.
        max_conversations: whose latest requests are remembered.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        max_conversations: int = MAX_CONVERSATIONS,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._max_conversations = max_conversations
        self._next: dict[str, float] = {}
        self._times: dict[str, deque[float]] = {}
        self._paused_until = 0.0

    async def acquire(self, tenant: str, conversation: str, end: float) -> bool:
        """Wait until the next request may be sent.

        Args:
            tenant: GUID; empty when there is none.
            conversation: any text that identifies it.
            end: on the clock; returns False at once when the request would be later.
        """
        while (ready := self._ready(tenant, conversation)) > (now := self._clock()):
            if ready > end:
                return False
            await self._sleep(max(ready - now, _MIN_SLEEP))
        self._record(tenant, conversation)
        return True

    def pause(self, seconds: float) -> None:
        """Send nothing for this long: the service has asked the bot to wait."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    @property
    def remaining_pause(self) -> float:
        """Seconds until the pause ends; 0 when there is none."""
        return max(0.0, self._paused_until - self._clock())

    def _ready(self, tenant: str, conversation: str) -> float:
        times = self._times.get(conversation, ())
        full = (times[-limit] + seconds for seconds, limit in WINDOWS if len(times) >= limit)
        return max(self._paused_until, self._next.get(tenant, 0.0), *full)

    def _record(self, tenant: str, conversation: str) -> None:
        now = self._clock()
        # A request that was late may be followed by one that is early.
        self._next[tenant] = max(self._next.get(tenant, 0.0), now - _INTERVAL) + _INTERVAL
        times = self._times.pop(conversation, None) or deque(maxlen=_MAX_TIMES)
        times.append(now)
        self._times[conversation] = times  # moved to the end, as the latest
        if len(self._times) > self._max_conversations:
            del self._times[next(iter(self._times))]


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
