"""Calls of a connector session, as a turn makes them."""

import asyncio

import pytest
from aiohttp import web

from auth.bot_framework import BotCredentials
from cloud_adapter.connector.client import (
    TURN_SECONDS,
    ConnectorError,
    ConnectorSession,
    Service,
    ServiceResponse,
)
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import ScriptedService

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


class ConnectorCalls:
    """Calls of turns that have just started.

    Args:
        session: makes the calls.
        service: answers them.
        clock: the event loop's; the session's pauses move it.
    """

    def __init__(
        self, session: ConnectorSession, service: ScriptedService, clock: MovedClock
    ) -> None:
        self.session = session
        self.service = service
        self.clock = clock

    async def make(self, method: str, url: str = "") -> ServiceResponse:
        """Call the service, or another URL."""
        body = BODY if method in ("POST", "PUT") else None
        target = service_at(url or self.service.url, TURN_SECONDS)
        return await self.session.call(target, method, PATH, body)

    async def refuse(self, method: str, url: str = "") -> ConnectorError:
        """The error of such a call."""
        with pytest.raises(ConnectorError) as caught:
            await self.make(method, url)
        return caught.value


async def hang_up(request: web.Request) -> web.Response:
    """Read the request, then close the connection."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()
