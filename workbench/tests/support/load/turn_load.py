"""TurnLoad: turns at a steady rate, delivered to a running bot, and what came of each."""

import asyncio
import uuid
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.token_issuer import IssuerKey
from tests.support.wire.running_service import RunningService

TIMEOUT = aiohttp.ClientTimeout(total=15)
"""Seconds that the channel gives a bot for one turn."""

NO_ANSWER = 0
"""In the place of a status."""

USER = {"id": "user-1", "name": "Ada", "role": "user"}


@dataclass(frozen=True)
class Turn:
    """One delivered message.

    Attributes:
        text: of the message, like no other's.
        status: the bot's answer, or NO_ANSWER.
        seconds: from when the turn was due until its answer, so that waiting for others counts.
    """

    text: str
    status: int
    seconds: float

    @property
    def ok(self) -> bool:
        """The bot took it."""
        return self.status == HTTPStatus.OK


def reply_to(text: str) -> str:
    """What the bot says to a message."""
    return f"You said: {text}"


def replies_at(connector: BotConnector) -> Counter[str]:
    """The messages that arrived there, by their text."""
    arrived = (call.activity for call in connector.calls if call.activity)
    return Counter(each["text"] for each in arrived if each["type"] == "message")


class TurnLoad(RunningService):
    """Delivers messages as the channel does, each when it is due, however slow the bot is.

    Args:
        cloud: the local cloud, whose channel signs.
        endpoint: the bot's messaging endpoint (URL).

    Attributes:
        turns: those that have ended, in the order of their ends.
    """

    def __init__(self, cloud: Cloud, endpoint: str) -> None:
        self._channel = cloud.channel
        self._endpoint = endpoint
        self.turns: list[Turn] = []
        bot = {"id": cloud.registration.app_id, "name": "Bot", "role": "bot"}
        self._address: Activity = {
            "type": "message",
            "channelId": "webchat",
            "serviceUrl": f"{cloud.connector.server.url}/",
            "from": USER,
            "recipient": bot,
            "conversation": {"id": cloud.conversations.create([USER, bot]).id},
        }
        self._token = self._new_token()
        self._under_way: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the channel's connections."""
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT)

    async def stop(self) -> None:
        """Close them."""
        assert self._session is not None
        await self._session.close()

    async def run(self, seconds: float, rate: float) -> float:
        """Deliver `rate` turns in a second for so long, and wait for their answers.

        Returns:
            Seconds from the beginning to the last answer.
        """
        now = asyncio.get_running_loop().time
        start = now()
        for number in range(int(seconds * rate)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - now()))
            await self._open.wait()
            turn = asyncio.create_task(self.deliver(f"turn {number}", due))
            self._under_way.add(turn)
            turn.add_done_callback(self._under_way.discard)
        await self._ended()
        return now() - start

    async def deliver(self, text: str, due: float | None = None) -> None:
        """Deliver one message, which was due at this time of the event loop, or is due now."""
        now = asyncio.get_running_loop().time
        due = now() if due is None else due
        try:
            status = await self._post(text, self._token)
        except (aiohttp.ClientError, TimeoutError):
            status = NO_ANSWER
        self.turns.append(Turn(text, status, now() - due))

    async def go_over_to_new_key(self) -> None:
        """Sign with the channel's newest key from now on; what is under way ends before that."""
        self._open.clear()
        await self._ended()
        self._token = self._new_token()
        self._open.set()

    async def status_for(self, key: IssuerKey) -> int:
        """The status of one message more, whose token this key signed, published or not."""
        issuer = self._channel.issuer
        published = issuer.keys
        issuer.keys = [key]
        token = self._new_token()
        issuer.keys = published
        return await self._post("from a stranger", token)

    async def _ended(self) -> None:
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def _post(self, text: str, token: str) -> int:
        assert self._session is not None
        activity = {**self._address, "id": uuid.uuid4().hex, "text": text}
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.post(self._endpoint, json=activity, headers=headers) as response:
            await response.read()
            return response.status

    def _new_token(self) -> str:
        return self._channel.token(self._address["serviceUrl"])
