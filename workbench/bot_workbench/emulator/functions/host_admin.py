"""HostAdmin: the requests that a host with worker processes answers itself."""

import asyncio
import json
import logging
from collections.abc import Sequence

from bot_workbench.emulator.functions.http_front import HttpRequest, HttpResponse, query_fields
from bot_workbench.emulator.functions.key_access import KeyAccess
from bot_workbench.emulator.functions.route import ADMIN
from bot_workbench.emulator.functions.triggers.triggers import Listening
from bot_workbench.emulator.functions.workers.pool import WorkerPool

LOG = logging.getLogger("bot_workbench.emulator.functions.host_admin")

DRAIN, DRAIN_STATUS = ("POST", "/admin/host/drain"), ("GET", "/admin/host/drain/status")


class HostAdmin:
    """Drains the host: triggers other than HTTP stop, and what runs finishes.

    All other requests are the workers'. Source: azure-functions-host, HostController; WebJobs SDK,
    DrainModeManager.

    Args:
        pool: the workers.
        access: whom the host obeys.
    """

    def __init__(self, pool: WorkerPool, access: KeyAccess) -> None:
        self.listening: Sequence[Listening] | None = None
        """The listeners, once the host is started."""
        self._pool = pool
        self._access = access
        self._draining: asyncio.Task[None] | None = None

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        path, _, query = request.target.partition("?")
        if (request.method, path) not in (DRAIN, DRAIN_STATUS):
            return await self._pool.forward(request)
        if refusal := self._access.refusal(ADMIN, request.headers, query_fields(query)):
            return refusal
        if self.listening is None:
            return HttpResponse(503)
        if (request.method, path) == DRAIN_STATUS:
            return self._status()
        if self._draining is None:
            LOG.info("DrainMode mode enabled")
            self._draining = asyncio.create_task(self._drain(self.listening))
        return HttpResponse(202)

    @staticmethod
    async def _drain(listening: Sequence[Listening]) -> None:
        await asyncio.gather(*(each.stop(None) for each in listening))
        LOG.info("Call to StopAsync complete, registered listeners are now stopped")

    def _status(self) -> HttpResponse:
        outstanding = self._pool.outstanding
        state = "InProgress" if outstanding else "Completed"
        content = {
            "state": "Disabled" if self._draining is None else state,
            "outstandingInvocations": outstanding,
            "outstandingRetries": 0,
        }
        return HttpResponse(200, {"Content-Type": "application/json"}, json.dumps(content).encode())
