"""ConnectorSession: calls to a channel's REST service, with the rules for trying again.

Creating an activity is not idempotent: a POST that may have arrived is never sent twice, or users
would get the message twice. Source: Microsoft reference "Optimize your bot with rate limiting in
Teams" for 412, 429, 502 and 504.
"""

import asyncio
import datetime
import json
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from cloud_adapter.codec.writer import json_bytes
from cloud_adapter.connector.errors import ConnectorError
from http_client.connection import ConnectFailed, ResponseLost
from http_client.pool import HttpPool
from http_client.retry import retry_after

TURN_BUDGET = 12.0
"""Seconds from a turn's start in which its calls may be tried again: the channel gives up at 15."""

CALL_BUDGET = 60.0
"""Seconds in which one call may be tried again when nobody waits for the turn."""

ONE_ATTEMPT = -math.inf
"""Seconds, for calls that are not tried again here: who makes them does that, at its own pace."""

FIRST_PAUSE = 0.5
"""Seconds before the second attempt when the service names none; doubled each time."""

MOST_ATTEMPTS = 5
"""Of calls that the service refuses for now."""

MOST_CONNECTS = 3
"""Attempts to connect: a host that is down must not use up the turn."""

USER_AGENT = "secretless-bot-functions"

# Not done by the service, whatever the method.
_REFUSED_FOR_NOW = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_FAILED}
# Perhaps done: to be sent again only where twice is the same as once (RFC 9110, 9.2.2).
_FAILED = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
_IDEMPOTENT = {"GET", "PUT", "DELETE"}

NOT_SENT = 0
"""In the place of a status: there was no connection, so nothing was sent."""


class Answer(NamedTuple):
    """A service's answer.

    Attributes:
        status: the HTTP status, or NOT_SENT.
        body: bytes.
        retry_after: the header of that name.
        cause: why nothing was sent.
    """

    status: int
    body: bytes
    retry_after: str | None = None
    cause: Exception | None = None

    @property
    def ok(self) -> bool:
        """The call was done."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The parsed body; None when it is empty or not JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


class ConnectorSession:
    """Sends calls over the process's pooled client.

    Args:
        pool: the pooled client.
        sleep: waits; tests pass one that moves a clock.
    """

    def __init__(
        self, pool: HttpPool, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._pool = pool
        self._sleep = sleep
        self.last_success: datetime.datetime | None = None
        """When the last call was done (UTC)."""

    async def call(
        self, method: str, url: str, token: str, body: object = None, *, deadline: float | None
    ) -> Answer:
        """Make one call, again where that is safe and there is time.

        Args:
            method: GET, POST, PUT or DELETE.
            url: encoded URL.
            token: the bearer token; empty sends none.
            body: JSON-ready data.
            deadline: event loop time after which no further attempt is begun; None: CALL_BUDGET
                from now.

        Raises:
            ConnectorError: the service refused, or cannot be reached.
            ValueError: the body holds a number that JSON has no form for (NaN, infinity).
        """
        data = None if body is None else json_bytes(body)
        now = asyncio.get_running_loop().time
        last = now() + CALL_BUDGET if deadline is None else deadline
        attempt = 1
        while True:
            answer = await self._attempt(method, url, token, data)
            if answer.ok:
                self.last_success = datetime.datetime.now(datetime.UTC)
                return answer
            pause = _pause(answer, attempt)
            in_time = now() + pause <= last
            if not in_time or not _may_repeat(method, answer.status, attempt):
                raise ConnectorError(
                    f"{method} {_place(url)}", answer.status, answer.json(), answer.retry_after
                ) from answer.cause
            await self._sleep(pause)
            attempt += 1

    async def _attempt(self, method: str, url: str, token: str, data: bytes | None) -> Answer:
        try:
            return await self.send(method, url, token, data)
        except ConnectFailed as error:
            return Answer(NOT_SENT, b"", cause=error)
        except ResponseLost as error:
            raise ConnectorError(f"{method} {_place(url)}") from error

    async def send(
        self,
        method: str,
        url: str,
        token: str,
        data: bytes | None,
        more_headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One attempt.

        Raises:
            ConnectFailed, ResponseLost: as HttpPool does.
        """
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT, **(more_headers or {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if data is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        answer = await self._pool.request(method, url, headers, data or b"")
        return Answer(answer.status, answer.body, answer.headers.get("retry-after"))


def _may_repeat(method: str, status: int, attempt: int) -> bool:
    if status == NOT_SENT:
        return attempt < MOST_CONNECTS
    refused = status in _REFUSED_FOR_NOW or (status in _FAILED and method in _IDEMPOTENT)
    return refused and attempt < MOST_ATTEMPTS


def _pause(answer: Answer, attempt: int) -> float:
    """Seconds to wait: what the service asks for, or longer each time."""
    asked = retry_after(answer.retry_after)
    if asked is not None:
        return asked
    spread: float = random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, guards nothing
    return FIRST_PAUSE * float(2 ** (attempt - 1)) * spread


def _place(url: str) -> str:
    return url.partition("?")[0]
