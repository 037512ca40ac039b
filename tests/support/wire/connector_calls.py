"""Calls of a connector session, as a turn makes them."""

import asyncio

import pytest
from aiohttp import web

from cloud_adapter.connector.credentials import BotCredentials
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.connector.session import TURN_SECONDS, ConnectorSession, Service, ServiceResponse

TOKEN = "the-bearer-token"
BODY = {"type": "message", "text": "what the user said"}
PATH = ("v3", "x")


def service_at(url: str, seconds: float | None, token: str = TOKEN) -> Service:
    """A service, as a turn with so many seconds left calls it."""
    now = asyncio.get_running_loop().time()
    deadline = None if seconds is None else now + seconds
    return Service(url, KnownToken(token), deadline)


class KnownToken(BotCredentials):
    """Credentials whose token is given."""

    def __init__(self, token: str) -> None:
        super().__init__("", None, "x")
        self._token = token

    async def get_token(self) -> str:
        return self._token


async def called(session: ConnectorSession, method: str, url: str) -> ServiceResponse:
    """One call of a turn that has just started."""
    body = BODY if method in ("POST", "PUT") else None
    return await session.call(service_at(url, TURN_SECONDS), method, PATH, body)


async def refused(session: ConnectorSession, method: str, url: str) -> ConnectorError:
    """The error of such a call."""
    with pytest.raises(ConnectorError) as caught:
        await called(session, method, url)
    return caught.value


async def hang_up(request: web.Request) -> web.Response:
    """Read the request, then close the connection."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()
