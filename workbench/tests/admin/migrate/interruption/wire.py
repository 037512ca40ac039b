"""Wire: counts the writes that a command sends, and interferes with one of them."""

import datetime
from dataclasses import dataclass

from aiohttp import web

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.sites.site import site_of
from tests.admin.migrate.interruption.state import GUID
from tests.admin.migrate.migration import APP, Migration
from tests.support.azure.writes import Interference, management_servers, writes
from tests.support.light_sites.light_site import LightSite

EACH = -1


@dataclass(frozen=True)
class Write:
    """A write.

    Attributes:
        method: the HTTP method.
        host: the public name.
        path: in full.
    """

    method: str
    host: str
    path: str

    def __str__(self) -> str:
        """The write without what differs from run to run, or is the same for all."""
        start = self.path.rpartition("/providers/")[2] if "/providers/" in self.path else self.path
        return f"{self.method} {self.host} {GUID.sub('ID', start)}"


class Wire:
    """Listens at Graph, Resource Manager and the vault.

    Args:
        migration: what the commands work on.
        at: the number of the write to interfere with, from 1; 0: none; EACH: each one, when it
            comes for the first time.
        interfere: what happens to it.
        recycled: whether the app restarts before it answers who it is.
        reads: whether reads count as writes do, the app's `/api/identity` too.

    Attributes:
        writes: those so far.
    """

    def __init__(
        self,
        migration: Migration,
        at: int = 0,
        interfere: Interference | None = None,
        *,
        recycled: bool = False,
        reads: bool = False,
    ) -> None:
        self.writes: list[Write] = []
        self._migration = migration
        self._at = at
        self._interfere = interfere
        self._recycled = recycled
        self._reads = reads

    def listen(self) -> None:
        """Start to count."""
        azure = self._migration.thread.azure
        for server in management_servers(azure):
            server.around = self._around
        azure.servers["*.azurewebsites.net"].around = self._talk

    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._reads and not writes(request):
            return await handler(request)
        write = Write(request.method, request.host, request.path)
        new = write not in self.writes
        self.writes.append(write)
        hit = len(self.writes) == self._at or (self._at == EACH and new)
        if hit and self._interfere is not None:
            return await self._interfere(request, handler)
        return await handler(request)

    async def _talk(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Users keep talking to the new app: its last outbound call is always just now."""
        if self._reads and request.path == "/api/identity":
            return await self._around(request, self._answered(handler))
        return await self._answered(handler)(request)

    def _answered(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._identity(request, handler)

        return answer

    async def _identity(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        azure = self._migration.thread.azure
        code = azure.sites.code(APP)
        if isinstance(code, LightSite) and request.path == "/api/identity":
            if self._recycled:
                code.change(site_of(self._migration.new.site, azure.resource_manager))
            # The answer to the request itself may restart the site, which forgets the call.
            response = await handler(request)
            code.last_outbound_call = datetime.datetime.now(datetime.UTC)
            if response.status != 200:
                return response
        return await handler(request)
