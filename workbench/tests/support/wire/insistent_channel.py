"""InsistentChannel: delivers activities again, under the same id, until the bot has taken them."""

import asyncio
import io
import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp

from bot_workbench.emulator.channel.conversations import Activity, Conversation
from bot_workbench.emulator.cloud import Cloud
from tests.support.timing.condition import comes_true
from tests.support.wire.running_service import RunningService

MAX_WAIT = 15.0
"""Seconds that the channel gives a bot."""

PAUSE = 0.5
"""Seconds until an activity that was not taken is delivered again."""

MAX_DELIVERIES = 60

NO_ANSWER = 0
"""In the place of a status."""

CHANNEL = "msteams"
"""Here replies name what they reply to."""

TAKEN = {HTTPStatus.OK, HTTPStatus.ACCEPTED}
USER = {"id": "user-1", "name": "Ada", "role": "user"}


@dataclass
class Delivered:
    """One activity, and what came of its deliveries.

    Attributes:
        activity: as delivered.
        statuses: of each delivery, in order; NO_ANSWER where there was none.
        retry_after: the headers of that name, of those that were refused.
        sent_at, ended_at: when each delivery was sent, and when it had its answer or was given up,
            in seconds since the epoch.
    """

    activity: Activity
    statuses: list[int] = field(default_factory=list)
    retry_after: list[str | None] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    ended_at: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The duration of the last delivery."""
        return self.ended_at[-1] - self.sent_at[-1]

    @property
    def under_way(self) -> bool:
        """A delivery has no answer yet."""
        return len(self.ended_at) < len(self.sent_at)

    @property
    def taken(self) -> bool:
        """The bot has answered that it took it."""
        return bool(self.statuses) and self.statuses[-1] in TAKEN


class InsistentChannel(RunningService):
    """The local cloud's channel, as far as it sends.

    Args:
        cloud: signs the tokens, and has the conversations.
        endpoint: the bot's messaging endpoint (URL).
        max_deliveries: how often it delivers an activity that is not taken.
        max_wait: seconds that it waits for an answer.

    Attributes:
        endpoint: the same; it may change when the bot starts again.
    """

    def __init__(
        self,
        cloud: Cloud,
        endpoint: str = "",
        max_deliveries: int = MAX_DELIVERIES,
        max_wait: float = MAX_WAIT,
    ) -> None:
        self.endpoint = endpoint
        self._max_deliveries = max_deliveries
        self._max_wait = max_wait
        self._cloud = cloud
        self._service_url = f"{cloud.connector.server.url}/"
        self._token = cloud.channel.token(self._service_url)
        self._bot = {"id": cloud.registration.app_id, "name": "Bot", "role": "bot"}
        self._session: aiohttp.ClientSession

    async def start(self) -> None:
        """Open the channel's connections."""
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=self._max_wait)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)

    async def stop(self) -> None:
        """Close them."""
        await self._session.close()

    def conversation(self) -> Conversation:
        """A new one."""
        return self._cloud.conversations.create([USER, self._bot])

    def message(self, conversation: Conversation, text: str, **more: Any) -> Delivered:
        """A message of the user's, not delivered yet."""
        activity = {
            "type": "message",
            "id": uuid.uuid4().hex,
            "channelId": CHANNEL,
            "serviceUrl": self._service_url,
            "from": USER,
            "recipient": self._bot,
            "conversation": {"id": conversation.id},
            "text": text,
            **more,
        }
        return Delivered(activity)

    async def deliver(self, delivered: Delivered) -> None:
        """Deliver an activity, until it is taken."""
        for _ in range(self._max_deliveries):
            await self.deliver_once(delivered)
            if delivered.taken:
                return
            await asyncio.sleep(PAUSE)

    async def deliver_once(self, delivered: Delivered) -> bytes:
        """Deliver an activity once; returns the answer's body."""
        delivered.sent_at.append(time.time())
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        body = io.BytesIO(json.dumps(delivered.activity).encode())
        try:
            async with self._session.post(self.endpoint, data=body, headers=headers) as answer:
                answered = await answer.read()
                delivered.statuses.append(answer.status)
                if answer.status not in TAKEN:
                    delivered.retry_after.append(answer.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError):
            delivered.statuses.append(NO_ANSWER)
            answered = b""
        delivered.ended_at.append(time.time())
        return answered

    async def deliver_all(self, all_of_them: list[Delivered], rate: float) -> float:
        """Deliver so many in a second, each when it is due; returns the seconds until all are."""
        now = asyncio.get_running_loop().time
        start = now()
        async with asyncio.TaskGroup() as group:
            for number, delivered in enumerate(all_of_them):
                await asyncio.sleep(max(0.0, start + number / rate - now()))
                group.create_task(self.deliver(delivered))
        return now() - start

    def replies(self) -> Counter[str]:
        """The number of the bot's messages that have arrived, by the id of what they reply to."""
        return Counter(
            call.path.rpartition("/")[2]
            for call in self._cloud.connector.calls
            if call.activity and call.activity["type"] == "message" and call.status < 300
        )

    async def answered(self, all_of_them: list[Delivered], seconds: float) -> None:
        """Wait until each has a reply.

        Raises:
            AssertionError: one has none in time.
        """
        wanted = {each.activity["id"] for each in all_of_them}
        await comes_true(lambda: not wanted - self.replies().keys(), seconds)
