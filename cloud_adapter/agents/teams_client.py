"""The Teams SDK's client, which the Agents SDK's extension for Teams makes, over our HTTP client.

The extension makes one for each turn, with connections of its own. Here its calls to the connector
are ours: with the bot's token, retried where that is safe, and counted.
"""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httpx
from botbuilder.core import CloudAdapterBase
from microsoft_agents.hosting.msteams import _teams_api_client
from microsoft_teams.common import Client, ClientOptions

from cloud_adapter.agents.clients import error_body
from cloud_adapter.agents.turn import AgentTurn
from cloud_adapter.connector.client import Call, ConnectorError
from http_client.pool import MAX_CONTENT_BYTES

_Token = Callable[[], Awaitable[str]]


class ConnectorTransport(httpx.AsyncBaseTransport):
    """Sends an httpx client's requests to the connector as our calls.

    Args:
        call: sends a call to the connector.
        base_url: the connector's URL. Requests to other services are sent as they are.
    """

    def __init__(self, call: Call, base_url: str) -> None:
        self._call = call
        self._base_url = httpx.URL(base_url if base_url.endswith("/") else f"{base_url}/")
        self._others: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response to a request. Its headers are not sent: the connector needs ours only.

        Raises:
            ConnectorError: the connector did not answer.
        """
        url, base = request.url, self._base_url
        path, root = url.raw_path.partition(b"?")[0], base.raw_path
        if (url.scheme, url.netloc) != (base.scheme, base.netloc) or not path.startswith(root):
            self._others = self._others or httpx.AsyncHTTPTransport()
            return await self._others.handle_async_request(request)
        segments = tuple(unquote(each) for each in path[len(root) :].decode().split("/"))
        content = await request.aread()
        body = json.loads(content) if content else None
        query = dict(url.params)
        try:
            found = await self._call(
                request.method, segments, body, query, max_bytes=MAX_CONTENT_BYTES
            )
        except ConnectorError as error:
            if not error.response.status_code:
                raise
            return _response(error.response.status_code, error_body(error))
        return _response(HTTPStatus.OK, found.body)

    async def aclose(self) -> None:
        """Close the connections to other services."""
        if self._others is not None:
            await self._others.aclose()


def _response(status: int, body: bytes) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": "application/json"}, content=body)


_separate_client = _teams_api_client._client


def _client(base_url: str, headers: dict[str, str], token_factory: _Token | None = None) -> Any:
    """The extension's function of this name, for a client that calls through the turn's own."""
    if (turn := AgentTurn.current()) is None:
        return _separate_client(base_url, headers, token_factory)
    ours = turn.core.turn_state[CloudAdapterBase.BOT_CONNECTOR_CLIENT_KEY]
    transport = ConnectorTransport(ours.call, ours.config.base_url)
    client = httpx.AsyncClient(base_url=base_url, headers=headers, transport=transport)
    return Client(ClientOptions(base_url, headers, token=token_factory), _http=client)


_teams_api_client._client = _client
