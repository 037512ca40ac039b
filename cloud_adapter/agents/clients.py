"""The Agents SDK's own clients of the connector and the token service, over our HTTP client.

The SDK makes both for each turn, on top of aiohttp. Here they are made when the bot first uses one,
and their calls are ours: with the bot's token, retried where that is safe, and counted.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import SimpleNamespace, TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import aiohttp
from microsoft_agents.activity import TokenResponse
from microsoft_agents.hosting.core.connector.client import UserTokenClient
from microsoft_agents.hosting.core.connector.teams import TeamsConnectorClient

from cloud_adapter.connector.client import Call, ConnectorError
from http_client.pool import MAX_CONTENT_BYTES


class _Answer:
    """An aiohttp.ClientResponse, as far as the SDK's clients read it."""

    def __init__(self, method: str, url: str, status: int, body: bytes) -> None:
        self.method = method
        self.url = url
        self.status = status
        self.ok = status < HTTPStatus.BAD_REQUEST
        self.headers: dict[str, str] = {}
        self.history = ()
        # Its query may name the user, so errors get the URL without it.
        self.request_info = SimpleNamespace(real_url=url, url=url, method=method, headers={})
        self._body = body

    async def read(self) -> bytes:
        """The body."""
        return self._body

    async def text(self, encoding: str = "utf-8") -> str:
        """The body, decoded."""
        return self._body.decode(encoding, "replace")

    async def json(self, **_: object) -> Any:
        """The parsed body; None if it is empty."""
        return json.loads(self._body) if self._body else None

    def raise_for_status(self) -> None:
        """Raise aiohttp.ClientResponseError for a status of 400 or more."""
        if not self.ok:
            info: Any = self.request_info
            text = self._body.decode(errors="replace")
            raise aiohttp.ClientResponseError(info, (), status=self.status, message=text)


class _Sending:
    """A call that is sent when its block is entered, as aiohttp's are."""

    def __init__(
        self, call: Call, base_url: str, method: str, url: str, body: Any, query: dict[str, Any]
    ) -> None:
        parts = urlsplit(url)
        self._call = call
        self._method = method
        self._path = tuple(unquote(each) for each in parts.path.strip("/").split("/"))
        self._query = {**dict(parse_qsl(parts.query)), **query}
        self._url = f"{base_url.rstrip('/')}/{parts.path.lstrip('/')}"
        self._body = body

    async def __aenter__(self) -> _Answer:
        answer = (self._method, self._url)
        try:
            found = await self._call(
                self._method, self._path, self._body, self._query, max_bytes=MAX_CONTENT_BYTES
            )
        except ConnectorError as error:
            if not error.response.status_code:
                raise
            return _Answer(*answer, error.response.status_code, error_body(error))
        return _Answer(*answer, HTTPStatus.OK, found.body)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        pass


def error_body(error: ConnectorError) -> bytes:
    """The JSON of a service's error, for the SDKs' clients to read."""
    inner = getattr(error.error, "error", None)
    text = {"code": getattr(inner, "code", None), "message": getattr(inner, "message", None)}
    return json.dumps({"error": text}).encode()


class ServiceSession:
    """Stands in the SDK's clients for aiohttp's ClientSession.

    Args:
        call: sends a call to the service.
        base_url: the service's URL.
    """

    def __init__(self, call: Call, base_url: str) -> None:
        self.headers: dict[str, str] = {}
        self._call = call
        self._base_url = base_url if base_url.endswith("/") else f"{base_url}/"

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Sending:
        """A call. Headers of its own are not sent: the service needs ours only."""
        return _Sending(self._call, self._base_url, method, url, json, dict(params or {}))

    def get(self, url: str, **options: Any) -> _Sending:
        """A GET; see `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> _Sending:
        """A POST; see `request`."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> _Sending:
        """A PUT; see `request`."""
        return self.request("PUT", url, **options)

    def delete(self, url: str, **options: Any) -> _Sending:
        """A DELETE; see `request`."""
        return self.request("DELETE", url, **options)

    async def close(self) -> None:
        """Do nothing: the base owns the connections."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


class LazyConnectorClient(TeamsConnectorClient):  # type: ignore[misc]  # untyped SDK base
    """The SDK's client of the connector, made when the bot first uses it.

    Args:
        session: makes the session that it sends with.
    """

    def __init__(self, session: Callable[[], ServiceSession]) -> None:
        self._make_session = session

    def __getattr__(self, name: str) -> Any:
        # What the SDK's constructor sets; it reads the package's version from disk.
        if name in ("client", "_attachments", "_conversations"):
            super().__init__("", "", session=self._make_session())
            return self.__dict__[name]
        raise AttributeError(name)


class LazyUserTokenClient(UserTokenClient):  # type: ignore[misc]  # untyped SDK base
    """The SDK's client of the token service, made when the bot first uses it.

    Args:
        session: makes the session that it sends with.
        app_id: the bot's app id (GUID).
    """

    def __init__(self, session: Callable[[], ServiceSession], app_id: str) -> None:
        self._make_session = session
        self._own_app_id = app_id

    async def get_user_token(
        self, user_id: str, connection_name: str, channel_id: str, magic_code: str | None = None
    ) -> TokenResponse:
        """The user's token; without one if the user has not signed in.

        The service takes a code once. If the turn that has sent it runs again, the user has signed
        in, and no code is needed any more.
        """
        user = (user_id, connection_name, channel_id)
        found = await super().get_user_token(*user, magic_code)
        return await super().get_user_token(*user) if magic_code and not found else found

    def __getattr__(self, name: str) -> Any:
        if name in ("client", "_agent_sign_in", "_user_token", "_app_id"):
            super().__init__("", "", app_id=self._own_app_id, session=self._make_session())
            return self.__dict__[name]
        raise AttributeError(name)
