"""StorageFront: stands in front of Azurite, and spoils the answers that a test picks."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import aiohttp
from aiohttp import web
from yarl import URL

from bot_workbench.emulator.faults import until_disconnected
from bot_workbench.emulator.server import Server
from tests.support.wire.running_service import RunningService

_OWN_HEADERS = {"connection", "content-length", "host", "transfer-encoding"}
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp adds by itself."""


class StorageCall(NamedTuple):
    """One request.

    Attributes:
        service: blob or queue.
        method: HTTP method.
        path: below the account, still encoded, without a slash before it.
        comp: the part of the resource that is meant, as `metadata` or `lease`; empty: the whole.
    """

    service: str
    method: str
    path: str
    comp: str

    @property
    def name(self) -> str:
        """What a test calls it: `PUT blob bot-state`, `PUT blob lease bot-state`."""
        container = self.path.partition("/")[0]
        return " ".join(filter(None, (self.method, self.service, self.comp, container)))


class Passage:
    """A request that a fault has in hand.

    Attributes:
        call: what it is.
        headers: as sent.
        query: the parameters of its URL.
    """

    def __init__(
        self, call: StorageCall, request: web.Request, session: aiohttp.ClientSession, port: int
    ) -> None:
        self.call = call
        self.headers = request.headers
        self.query = request.query
        self._request = request
        self._session = session
        self._port = port

    async def text(self) -> str:
        """The request's body."""
        return await self._request.text()

    async def passed_on(self, more_query: str = "") -> web.StreamResponse:
        """Azurite's answer.

        Args:
            more_query: is added to the request's query, which no signature may cover.
        """
        request = self._request
        kept = {name: text for name, text in request.headers.items() if _is_content(name)}
        async with self._session.request(
            request.method,
            URL(f"http://127.0.0.1:{self._port}{request.raw_path}{more_query}", encoded=True),
            headers=kept,
            data=await request.read(),
            skip_auto_headers=_NOT_ADDED,
        ) as answer:
            headers = {name: text for name, text in answer.headers.items() if _is_content(name)}
            body = await answer.read()
            return web.Response(status=answer.status, headers=headers, body=body)

    async def begin(self, response: web.StreamResponse) -> None:
        """Send the head of a response, whose body follows."""
        await response.prepare(self._request)

    async def given_up(self) -> None:
        """Wait until the client has closed the connection."""
        await until_disconnected(self._request)

    def cut(self) -> web.StreamResponse:
        """Hang up."""
        if self._request.transport is not None:
            self._request.transport.abort()
        return web.Response()


Pass = Callable[[], Awaitable[web.StreamResponse]]
Fault = Callable[[Passage, Pass], Awaitable[web.StreamResponse]]


def answered(
    status: int,
    body: bytes = b"",
    kind: str = "text/plain",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Fault:
    """Answer like this, and pass nothing on."""

    async def fault(_: Passage, __: Pass) -> web.StreamResponse:
        return web.Response(status=status, body=body, content_type=kind, headers=headers)

    return fault


async def cut_before(passage: Passage, _: Pass) -> web.StreamResponse:
    """The connection breaks before the request has arrived."""
    return passage.cut()


async def cut_after(passage: Passage, passed: Pass) -> web.StreamResponse:
    """What was asked for is done, and nobody hears of it."""
    await passed()
    return passage.cut()


async def silent(passage: Passage, _: Pass) -> web.StreamResponse:
    """No answer, ever."""
    await passage.given_up()
    return passage.cut()


def after(step: Callable[[], Awaitable[object]]) -> Fault:
    """Before the request is passed on, something else happens."""

    async def fault(_: Passage, passed: Pass) -> web.StreamResponse:
        await step()
        return await passed()

    return fault


class StorageFront(RunningService):
    """Passes the requests for an account on, unless a fault is set for them.

    Args:
        connection_string: of the account in Azurite.

    Attributes:
        connection_string: of the same account, through here.
        calls: every request so far.
        handled: those of them whose answer is being sent, or will never come.
    """

    def __init__(self, connection_string: str) -> None:
        self.connection_string = connection_string
        self.calls: list[StorageCall] = []
        self.handled: list[StorageCall] = []
        self._faults: list[tuple[Callable[[StorageCall], bool], Fault]] = []
        self._servers: list[Server] = []
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def start(self) -> None:
        """Listen on a port for each service."""
        settings = dict(pair.split("=", 1) for pair in self.connection_string.split(";"))
        for service in ("blob", "queue"):
            name = f"{service.capitalize()}Endpoint"
            port = URL(settings[name]).port
            assert port
            server = Server(service, [web.route("*", "/{tail:.*}", self._handler(service, port))])
            await server.start()
            self._servers.append(server)
            settings[name] = settings[name].replace(f":{port}/", f":{server.port}/")
        self.connection_string = ";".join(f"{key}={text}" for key, text in settings.items())

    async def stop(self) -> None:
        """Close the ports."""
        for server in self._servers:
            await server.stop()
        await self._session.close()

    def spoil(self, name: str, fault: Fault, times: int = 1_000_000, skip: int = 0) -> None:
        """Spoil the answers to requests.

        Args:
            name: the beginning of the calls' names; see StorageCall.
            fault: what happens to them.
            times: how many of them.
            skip: how many go through before.
        """
        left = [skip, times]

        def meant(call: StorageCall) -> bool:
            if not call.name.startswith(name):
                return False
            if left[0]:
                left[0] -= 1
                return False
            left[1] -= 1
            return left[1] >= 0

        self._faults.append((meant, fault))

    def heal(self) -> None:
        """No faults any more."""
        self._faults.clear()

    def count(self, name: str) -> int:
        """The number of calls whose names begin like this."""
        return sum(call.name.startswith(name) for call in self.calls)

    def _handler(
        self, service: str, port: int
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            path = request.rel_url.raw_path.split("/", 2)[-1]
            call = StorageCall(service, request.method, path, request.query.get("comp", ""))
            self.calls.append(call)
            passage = Passage(call, request, self._session, port)
            try:
                for meant, fault in list(self._faults):
                    if meant(call):
                        return await fault(passage, passage.passed_on)
                return await passage.passed_on()
            finally:
                self.handled.append(call)

        return handle


def _is_content(name: str) -> bool:
    return name.lower() not in _OWN_HEADERS
