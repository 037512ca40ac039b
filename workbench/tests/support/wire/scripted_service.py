"""ScriptedService: an HTTP service on loopback with prepared answers, which records requests."""

import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot_workbench.emulator.server import Server
from tests.support.wire.running_service import RunningService

FORM = "application/x-www-form-urlencoded"

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    """One request, as it came in.

    Attributes:
        method: HTTP method.
        path: still encoded, without the query.
        query: decoded.
        headers: as sent.
        body: as sent.
        json: the parsed body; None when it is of another type, or there is none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    json: Any


@dataclass(frozen=True)
class Reply:
    """One answer: its status, its JSON (None: no body) and more headers."""

    status: int = 200
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer the request."""
        if self.json is None:
            return web.Response(status=self.status, headers=self.headers)
        return web.json_response(self.json, status=self.status, headers=self.headers)


class ScriptedService(RunningService):
    """Takes any request.

    Args:
        tls: the server side of TLS; None serves plain HTTP.

    Attributes:
        script: what the next requests get, in order; afterwards `otherwise` answers.
        otherwise: 200 without a body, until a test says something else.
        seen: every request so far, oldest first.
        server: its port and its count of connections.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.script: list[Behaviour] = []
        self.otherwise: Behaviour = Reply()
        self.seen: list[Seen] = []
        self.server = Server("scripted", [web.route("*", "/{tail:.*}", self._answer)], tls)

    async def start(self) -> None:
        """Listen on a port."""
        await self.server.start()

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self.server.stop()

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return self.server.url

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        is_form = request.content_type == FORM
        self.seen.append(
            Seen(
                method=request.method,
                path=request.rel_url.raw_path,
                query=dict(request.query),
                headers=dict(request.headers),
                body=body,
                json=None if is_form or not body else json.loads(body),
            )
        )
        answer = self.script.pop(0) if self.script else self.otherwise
        return await answer(request)
