"""ServiceCalls: calls to one of the channel's services, as the bot, within one turn's budget."""

import functools
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from cloud_adapter.codec.reader import read_model
from cloud_adapter.codec.writer import write_value
from cloud_adapter.connector.credentials import BotCredentials
from cloud_adapter.connector.errors import CallRefused, ConnectorError
from cloud_adapter.connector.session import Answer, ConnectorSession
from cloud_adapter.errors import MalformedModel

_UNSAFE_SEGMENTS = {"", ".", ".."}


class ServiceCalls:
    """Adds the address, the token and the deadline to each call.

    Args:
        session: sends them.
        credentials: the bot's, for this service's audience.
        base_url: of the service, with or without a slash at the end.
        deadline: event loop time after which nothing is tried again; None: each call has a budget
            of its own.
    """

    def __init__(
        self,
        session: ConnectorSession,
        credentials: BotCredentials,
        base_url: str,
        deadline: float | None,
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._base_url = base_url.rstrip("/")
        self._deadline = deadline

    async def call(
        self,
        method: str,
        path: tuple[str, ...],
        body: object = None,
        query: dict[str, Any] | None = None,
    ) -> Any:
        """The parsed answer; None when it has none.

        Args:
            method: GET, POST, PUT or DELETE.
            path: unencoded segments; none is empty, `.` or `..`.
            body: a model, or JSON-ready data.
            query: parameters; those that are None are left out.

        Raises:
            CallRefused: a segment is empty, `.` or `..`: the call would go to another URL.
            ConnectorError: the service refused, or cannot be reached.
            SignInError: there is no token.
        """
        return (await self._answer(method, path, body, query)).json()

    async def download(self, path: tuple[str, ...]) -> bytes:
        """The bytes at a path.

        Raises:
            ConnectorError, SignInError: as `call`.
        """
        return (await self._answer("GET", path)).body

    async def _answer(
        self,
        method: str,
        path: tuple[str, ...],
        body: object = None,
        query: dict[str, Any] | None = None,
    ) -> Answer:
        url = "/".join((self._base_url, *map(_encoded, path)))
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if given:
            url += "?" + urlencode(given)
        token = await self._credentials.get_token()
        return await self._session.call(
            method, url, token, write_value(body), deadline=self._deadline
        )


@functools.lru_cache(maxsize=256)  # a path's words come again and again, conversations often
def _encoded(segment: str) -> str:
    # Encoding does not help: servers treat %2E%2E as `..` (RFC 3986, 6.2.2).
    if segment in _UNSAFE_SEGMENTS:
        raise CallRefused("an id in the URL is empty, '.' or '..': pass the real id")
    return quote(segment, safe="")


def answered(model: Any, answer: object) -> Any:
    """The model that a service's answer holds.

    Raises:
        ConnectorError: it holds none.
    """
    try:
        return read_model(model, answer)
    except MalformedModel as error:
        raise ConnectorError(f"The call for {model.__name__}", HTTPStatus.OK) from error
