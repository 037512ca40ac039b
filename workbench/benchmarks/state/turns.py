"""TurnSender: sends messages of many conversations to a bot, and times what comes back."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from benchmarks.traffic.http_stream import HttpStream
from benchmarks.traffic.load import BotTarget
from bot_workbench.emulator.loopback import LOOPBACK

TURN_TIMEOUT_SECONDS = 30.0
"""For the HTTP response, and again from an accepted message to its reply."""

ACCEPTED = (200, 201, 202)
"""The compared bots' statuses for an accepted message."""

_COUNT = re.compile(r"(\d+) (T-\d+)")


@dataclass
class Turn:
    """A message and what came back; times are on the clock of `time.perf_counter`.

    Attributes:
        id: of the activity, and its text.
        sent: when it was sent.
        status: of the HTTP response.
        answered: when the HTTP response arrived.
        replied: when the first reply arrived at the connector; 0.0: none did.
        reply: the first reply's text.
    """

    id: str
    sent: float
    status: int = 0
    answered: float = 0.0
    replied: float = 0.0
    reply: str = ""

    @property
    def count(self) -> int | None:
        """The count in the reply; None if the turn failed."""
        match = _COUNT.fullmatch(self.reply)
        return int(match[1]) if match is not None and match[2] == self.id else None


class TurnSender:
    """Calls a bot as the channel does, over connections that it keeps.

    Args:
        target: the bot, with its connector.
        ports: of the bot's instances, which get messages in turn.

    Attributes:
        apologies: messages without a count, so far.
    """

    _numbers = itertools.count(1)

    def __init__(self, target: BotTarget, ports: Sequence[int]) -> None:
        self._target = target
        self._tokens = itertools.cycle(target.tokens)
        self._ports = itertools.cycle(ports)
        self._idle: dict[int, list[_Connection]] = {port: [] for port in ports}
        self._waiting: dict[str, asyncio.Future[tuple[float, str]]] = {}
        self.apologies = 0
        target.connector.take_reply = self._take_reply

    async def send(self, conversation: str) -> Turn:
        """Send a message, and wait for its HTTP response and for its reply, if it was accepted.

        Raises:
            OSError: the bot cannot be reached, or closed the connection.
            TimeoutError: it does not respond.
        """
        port = next(self._ports)
        connection = await self._connection(port)
        turn = Turn(f"T-{next(self._numbers):08}", time.perf_counter())
        reply = asyncio.get_running_loop().create_future()
        self._waiting[turn.id] = reply
        try:
            async with asyncio.timeout(TURN_TIMEOUT_SECONDS):
                request = self._request(turn, conversation)
                turn.status, turn.answered = await connection.post(request)
            self._idle[port].append(connection)
            if turn.status in ACCEPTED:
                await asyncio.wait((reply,), timeout=TURN_TIMEOUT_SECONDS)
            if reply.done():
                turn.replied, turn.reply = reply.result()
        finally:
            del self._waiting[turn.id]
        return turn

    def close(self) -> None:
        """Close the connections."""
        for connection in itertools.chain.from_iterable(self._idle.values()):
            connection.close()

    async def _connection(self, port: int) -> "_Connection":
        if self._idle[port]:
            return self._idle[port].pop()
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, LOOPBACK, port)
        return connection

    def _request(self, turn: Turn, conversation: str) -> bytes:
        # Each conversation is another user's.
        activity = self._target.activity(turn.id, conversation, f"29:{conversation}")
        body = json.dumps(activity, separators=(",", ":"))
        return (
            f"POST /api/messages HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            f"Authorization: Bearer {next(self._tokens)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def _take_reply(self, turn: bytes, body: bytes) -> None:
        activity = json.loads(body)
        if activity.get("type") != "message":  # a typing indicator
            return
        text = activity.get("text") or ""
        self.apologies += _COUNT.fullmatch(text) is None
        reply = self._waiting.get(turn.decode())
        if reply is not None and not reply.done():
            reply.set_result((time.perf_counter(), text))


class _Connection(asyncio.Protocol):
    """One connection to the bot, with one request at a time."""

    def __init__(self) -> None:
        self._stream = HttpStream()
        self._transport: asyncio.Transport
        self._response: asyncio.Future[tuple[int, float]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have no base class.
        self._transport = cast("asyncio.Transport", transport)

    async def post(self, request: bytes) -> tuple[int, float]:
        """Send a request; returns the response's status and the time of its arrival."""
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._response

    def data_received(self, data: bytes) -> None:
        for head, _ in self._stream.messages(data):
            if self._response is not None and not self._response.done():
                self._response.set_result((int(head[9:12]), time.perf_counter()))

    def connection_lost(self, error: Exception | None) -> None:
        if self._response is not None and not self._response.done():
            self._response.set_exception(ConnectionResetError("the bot closed the connection"))

    def close(self) -> None:
        """Close it."""
        self._transport.close()
