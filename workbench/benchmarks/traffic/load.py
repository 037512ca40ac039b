"""Load: a constant number of turns in flight; each starts when another has ended."""

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from benchmarks.traffic.bot_process import BotProcess
from benchmarks.traffic.connector import ReplyConnector
from benchmarks.traffic.http_stream import HttpStream
from bot_workbench.emulator.loopback import LOOPBACK

TURN_TIMEOUT = 60.0
"""Seconds after which a turn has failed; the channel itself waits for 15."""

_ID_PLACEHOLDER = b"T-00000000"
"""Replaced by the turn's id in a request's bytes; as long as one, so that Content-Length holds."""

_ACCEPTED = (b"200", b"201", b"202")
"""The compared bots' statuses for a successful turn."""


@dataclass(frozen=True)
class BotTarget:
    """The bot that turns are sent to, and what their requests contain.

    Attributes:
        port: of the bot's endpoint `/api/messages`, on loopback.
        app_id: GUID of the bot.
        tenant_id: GUID of the user's tenant.
        tokens: the channel's, used in turn.
        connector: receives the replies.
        conversations: of as many users, in turn with the tokens.
    """

    port: int
    app_id: str
    tenant_id: str
    tokens: tuple[str, ...]
    connector: ReplyConnector
    conversations: int = 1

    def requests(self) -> list[list[bytes]]:
        """For each token the request's bytes, split at the turn's id."""
        return [
            self._request(token, number % self.conversations)
            for number, token in enumerate(self.tokens)
        ]

    def _request(self, token: str, number: int) -> list[bytes]:
        turn, conversation, user = _ID_PLACEHOLDER.decode(), f"a:{number}", f"29:{number}"
        activity = self.activity(turn, conversation, user)
        body = json.dumps(activity, separators=(",", ":")).encode()
        head = (
            f"POST /api/messages HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return (head.encode() + body).split(_ID_PLACEHOLDER)

    def activity(self, turn: str, conversation: str, user: str) -> dict[str, Any]:
        """A message as Teams sends it, with these ids; its text is the turn's id."""
        object_id = str(uuid.uuid5(uuid.NAMESPACE_OID, user))
        return {
            "text": turn,
            "textFormat": "plain",
            "type": "message",
            "id": turn,
            "timestamp": "2026-11-24T10:00:00.1234567Z",
            "localTimestamp": "2026-11-24T11:00:00.1234567+01:00",
            "localTimezone": "Europe/Berlin",
            "serviceUrl": self.connector.url,
            "channelId": "msteams",
            "from": {"id": user, "name": "Ada", "aadObjectId": object_id},
            "conversation": {
                "id": conversation,
                "conversationType": "personal",
                "tenantId": self.tenant_id,
            },
            "recipient": {"id": f"28:{self.app_id}", "name": "Bot"},
            "entities": [
                {"locale": "en-US", "country": "US", "platform": "Web", "type": "clientInfo"}
            ],
            "channelData": {"tenant": {"id": self.tenant_id}},
            "locale": "en-US",
        }


@dataclass
class LoadOutcome:
    """The turns that ended within a period.

    Attributes:
        seconds: length of the period.
        latencies: seconds of each turn whose response and verified reply both arrived.
        failures: the reason of each other turn's failure.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Load:
    """Keeps a number of turns in flight, over persistent connections.

    Args:
        target: the bot.
        in_flight: turns at the same time.
    """

    def __init__(self, target: BotTarget, in_flight: int) -> None:
        self._target = target
        self._in_flight = in_flight
        self._requests = itertools.cycle(target.requests())
        self._ids = (b"T-%08d" % number for number in itertools.count(1))
        self._in_progress: dict[bytes, _Caller] = {}
        self._callers: list[_Caller] = []
        self._outcome = LoadOutcome()
        self._turn_ended = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        """Connect, and start the first turns.

        Raises:
            OSError: the bot cannot be reached.
        """
        loop = asyncio.get_running_loop()
        self._target.connector.take_reply = self._take_reply
        for _ in range(self._in_flight):
            _, caller = await loop.create_connection(
                lambda: _Caller(self), LOOPBACK, self._target.port
            )
            self._callers.append(caller)
        for caller in self._callers:
            caller.start_turn()

    async def measure(self, seconds: float, min_turns: int = 1) -> LoadOutcome:
        """The turns that end within so many seconds, or until `min_turns` have ended.

        Raises:
            TimeoutError: too few turns end.
        """
        started_at = time.perf_counter()
        self._outcome = LoadOutcome()
        await asyncio.sleep(seconds)
        await self._until(
            lambda: len(self._outcome.latencies) + len(self._outcome.failures) >= min_turns
        )
        found, self._outcome = self._outcome, LoadOutcome()
        found.seconds = time.perf_counter() - started_at
        return found

    async def first_turn(self) -> float:
        """Seconds of the first turn, which is not retried.

        Raises:
            RuntimeError: it failed.
        """
        outcome = await self.measure(0.0)
        if outcome.failures:
            raise RuntimeError(f"the first turn failed: {outcome.failures}")
        return outcome.latencies[0]

    async def stop(self) -> None:
        """Start no more turns, and wait for those in progress."""
        self._stopping = True
        try:
            await self._until(lambda: not self._in_progress)
        finally:
            for caller in self._callers:
                caller.close()

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(TURN_TIMEOUT):
            while not condition():
                self._turn_ended.clear()
                await self._turn_ended.wait()

    def next_turn(self, caller: "_Caller") -> tuple[bytes, bytes] | None:
        """The next turn's id and request; None: the load is stopping."""
        if self._stopping:
            return None
        turn = next(self._ids)
        self._in_progress[turn] = caller
        return turn, turn.join(next(self._requests))

    def _take_reply(self, turn: bytes, body: bytes) -> None:
        caller = self._in_progress.get(turn)
        if caller is not None and b"You said: " + turn in body:
            caller.take_reply()

    def end_turn(self, turn: bytes, seconds: float, failure: str = "") -> None:
        """Record a turn's end."""
        del self._in_progress[turn]
        self._turn_ended.set()
        if failure:
            self._outcome.failures.append(failure)
        else:
            self._outcome.latencies.append(seconds)


async def first_reply(bot: BotProcess, target: BotTarget) -> float:
    """Milliseconds from the start of a bot, which has just begun to listen, to its first reply.

    Raises:
        OSError: the bot cannot be reached.
        RuntimeError: the turn failed.
    """
    load = Load(target, 1)
    start_seconds = time.perf_counter() - bot.started
    await load.start()
    seconds = start_seconds + await load.first_turn()
    await load.stop()
    return 1000 * seconds


class _Caller(asyncio.Protocol):
    """One connection to the bot, with one turn at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._stream = HttpStream()
        self._transport: asyncio.Transport
        self._turn = b""
        self._started_at = 0.0
        self._replied = False
        self._status = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have no base class.
        self._transport = cast("asyncio.Transport", transport)

    def start_turn(self) -> None:
        following = self._load.next_turn(self)
        if following is not None:
            self._turn, request = following
            self._replied, self._status = False, b""
            self._started_at = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        for head, _ in self._stream.messages(data):
            self._status = head[9:12]
            if self._status not in _ACCEPTED:
                self._end_turn(f"status {self._status.decode()}")
            elif self._replied:
                self._end_turn()

    def take_reply(self) -> None:
        self._replied = True
        if self._status:
            self._end_turn()

    def connection_lost(self, error: Exception | None) -> None:
        if self._turn:
            self._load.end_turn(self._turn, 0.0, "the bot closed the connection")

    def close(self) -> None:
        self._transport.close()

    def _end_turn(self, failure: str = "") -> None:
        turn, self._turn = self._turn, b""
        self._load.end_turn(turn, time.perf_counter() - self._started_at, failure)
        self.start_turn()
