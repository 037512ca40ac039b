"""ConnectorSession: sends calls to the channel's REST services, and retries where that is safe.

Creating an activity is not idempotent: a POST that the service may have carried out is not sent
again, because users could get the message twice. http_client/retry.py says which statuses can be
retried. A call whose response was lost fails with a ConnectorError.
"""

import asyncio
import datetime
import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from auth.bot_framework import BotCredentials
from auth.errors import BodyTooLarge
from cloud_adapter.codec.body_cost import check_cost, read_integer
from cloud_adapter.codec.reader import read_model
from cloud_adapter.codec.writer import json_bytes, write_value
from cloud_adapter.connector.errors import CallRefused, ConnectorError
from cloud_adapter.errors import MalformedModel
from cloud_adapter.home_loop import on_home_loop
from http_client.connection import (
    MAX_RESPONSE_BYTES,
    ConnectFailed,
    Response,
    ResponseLost,
    ResponseTooLarge,
)
from http_client.pool import DEFAULT_TIMEOUTS, HttpPool, Timeouts
from http_client.retry import CONNECT_FAILED, Backoff, RetryPolicy, retry_after

TURN_SECONDS = 12.0
"""How long after a turn's start its calls may be retried: some channels wait that long; see
cloud_adapter/deadlines.py."""

CALL_SECONDS = 60.0
"""How long after its own start a call may be retried in a queued turn, which has no deadline."""

RETRIES = RetryPolicy(max_attempts=5, max_connects=3, backoff=Backoff(first=0.5, longest=4.0))
"""The policy for calls that a bot makes in a turn."""

NO_RETRIES = RetryPolicy(max_attempts=1, max_connects=1, backoff=Backoff(first=0.0, longest=0.0))
"""The policy for calls that the caller itself retries, within its rate limit."""

BOT_TIMEOUTS = Timeouts(connect=3.0, response=100.0, total=100.0)
"""For calls of another bot, which runs a turn before it answers. .NET's HttpClient, with which the
SDK calls skills, has this limit."""

MAX_PARSED_BYTES = 80_000_000
"""The most memory that a parsed body and its models may take, by the estimate of
codec/body_cost.py. 10,000 members of Teams, with emojis in their names, take 65 MB."""

MAX_UNCHECKED_BYTES = 64 * 1024
"""The size of a body that is parsed without this check: no such body takes much memory."""

PARSED_TEXT_COPIES = 2
"""The copies of a body's text that are in memory while it is parsed: decoded, and as strings."""

TOO_LARGE = "got an answer that is too large"
"""The failure of a call whose response exceeds a limit: of its size, or of the memory it takes."""

USER_AGENT = "secretless-bot-functions"

_UNSAFE_SEGMENTS = {"", ".", ".."}
_NO_RESPONSE = Response(CONNECT_FAILED, {}, b"")


@dataclass(frozen=True)
class Service:
    """One of the channel's services, as one turn calls it.

    Attributes:
        base_url: the service's URL, with or without a trailing slash.
        credentials: the bot's credentials for this service's audience.
        deadline: event loop time (seconds) after which no call is retried; None gives each call its
            own CALL_SECONDS.
        retries: how often, and after which pauses, a call is retried.
        timeouts: time limits of one attempt.
    """

    base_url: str
    credentials: BotCredentials
    deadline: float | None
    retries: RetryPolicy = RETRIES
    timeouts: Timeouts = DEFAULT_TIMEOUTS


class ServiceResponse(NamedTuple):
    """A service's response to a successful call.

    Attributes:
        body: the body: JSON, an attachment's content, or empty.
        call: a name of the call, for the log.
    """

    body: bytes
    call: str

    def json(self) -> Any:
        """The parsed body; None if it is empty or not JSON.

        Raises:
            ConnectorError: parsing the body would take too much memory.
        """
        return parsed(self.body, self.call)

    def model(self, model: Any) -> Any:
        """An instance of a botbuilder model, read from the body.

        Args:
            model: the model's class.

        Raises:
            ConnectorError: the body does not have the model's shape, or is too large to be parsed.
        """
        return as_model(model, self.json())

    def models(self, model: Any) -> list[Any]:
        """Instances of a botbuilder model, read from a list; none if the body is empty.

        Args:
            model: the model's class.

        Raises:
            ConnectorError: see `model`.
        """
        items = self.json() or []
        if not isinstance(items, list):
            raise ConnectorError(self.call, HTTPStatus.OK)
        return [as_model(model, item) for item in items]


Call = Callable[..., Awaitable[ServiceResponse]]
"""`ConnectorSession.call`, bound to one service."""


class ConnectorSession:
    """Sends calls through the process's HTTP client.

    Args:
        pool: the HTTP client.
        sleep: waits for the given number of seconds; tests pass one that moves a clock.
    """

    def __init__(
        self, pool: HttpPool, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._pool = pool
        self._sleep = sleep
        self.last_success: datetime.datetime | None = None
        """When a call last succeeded, in UTC; None if none has succeeded yet."""

    @on_home_loop
    async def call(
        self,
        service: Service,
        method: str,
        path: tuple[str, ...],
        body: object = None,
        query: dict[str, Any] | None = None,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> ServiceResponse:
        """Call a service. A call is retried only if the pause ends before the deadline.

        Args:
            service: the service.
            method: GET, POST, PUT or DELETE.
            path: unencoded segments; none is empty, `.` or `..`.
            body: a model, or JSON-ready data; None sends no body.
            query: the query parameters; those with the value None are left out.
            max_bytes: the size limit of the response's body; see http_client/connection.py.

        Raises:
            CallRefused: a segment is empty, `.` or `..`, so the call would go to another URL.
            ConnectorError: the service refused, cannot be reached, or its response was lost or too
                large.
            SignInError: no token is available.
            TypeError, ValueError: the body contains a value that JSON cannot represent.
        """
        url = _url(service.base_url, path, query)
        name = _name(method, url)
        data = b"" if body is None else json_bytes(write_value(body))
        headers = request_headers(await service.credentials.get_token(), has_body=body is not None)
        now = asyncio.get_running_loop().time
        deadline = now() + CALL_SECONDS if service.deadline is None else service.deadline
        attempt = 1
        while True:
            cause: ConnectFailed | None = None
            try:
                response = await self._pool.request(
                    method, url, headers, data, timeouts=service.timeouts, max_bytes=max_bytes
                )
            except ConnectFailed as error:
                response, cause = _NO_RESPONSE, error
            except ResponseTooLarge as error:
                raise ConnectorError(name, failure=TOO_LARGE) from error
            except ResponseLost as error:
                raise ConnectorError(name) from error
            if 200 <= response.status < 300:
                self.last_success = datetime.datetime.now(datetime.UTC)
                return ServiceResponse(response.body, name)
            header = response.headers.get("retry-after")
            pause = service.retries.pause(method, response.status, attempt, retry_after(header))
            if pause is None or now() + pause > deadline:
                refusal = parsed_error(response.body)
                raise ConnectorError(name, response.status, refusal, header) from cause
            await self._sleep(pause)
            attempt += 1


def request_headers(token: str, *, has_body: bool) -> dict[str, str]:
    """The headers of a call.

    Args:
        token: the bearer token; if it is empty, there is no Authorization header.
        has_body: whether the call has a JSON body.
    """
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if has_body:
        headers["Content-Type"] = "application/json; charset=utf-8"
    return headers


def parsed(body: bytes, call: str) -> Any:
    """The parsed JSON of a body; None if the body is empty or not JSON.

    Args:
        body: as received.
        call: a name of the call, for the error's text.

    Raises:
        ConnectorError: parsing the body would take too much memory.
    """
    try:
        return _parsed(body)
    except BodyTooLarge as error:
        raise ConnectorError(call, failure=TOO_LARGE) from error


def parsed_error(body: bytes) -> Any:
    """The parsed JSON of an error's body; None if it is empty, not JSON or too large."""
    try:
        return _parsed(body) if len(body) <= MAX_RESPONSE_BYTES else None
    except BodyTooLarge:
        return None


def _parsed(body: bytes) -> Any:
    try:
        if len(body) <= MAX_UNCHECKED_BYTES:
            return json.loads(body) if body else None
        text = body.decode()  # only UTF-8 (RFC 8259, 8.1), which the check can read
        check_cost(body, text, MAX_PARSED_BYTES, PARSED_TEXT_COPIES)
        return json.loads(text, parse_int=read_integer)
    except (ValueError, RecursionError):  # not JSON, or nested too deeply
        return None


def as_model(model: Any, data: object) -> Any:
    """An instance of the botbuilder model `model` from a service's parsed JSON.

    Raises:
        ConnectorError: the JSON does not have the model's shape.
    """
    try:
        return read_model(model, data)
    except MalformedModel as error:
        raise ConnectorError(f"The call for {model.__name__}", HTTPStatus.OK) from error


def _url(base_url: str, path: tuple[str, ...], query: dict[str, Any] | None) -> str:
    url = "/".join((base_url.rstrip("/"), *map(_encoded, path)))
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{url}?{urlencode(given)}" if given else url


@functools.lru_cache(maxsize=256)  # the words in paths recur, and so do ids of conversations
def _encoded(segment: str) -> str:
    # Percent-encoding does not help: servers treat %2E%2E as `..` (RFC 3986, 6.2.2).
    if segment in _UNSAFE_SEGMENTS:
        raise CallRefused("an id in the URL is empty, '.' or '..': pass the real id")
    return quote(segment, safe="")


def _name(method: str, url: str) -> str:
    """A call's name for error texts, without the query, which may contain a user's id."""
    return f"{method} {url.partition('?')[0]}"
