"""Which requests to a local Azure change something, and how a test gets between them."""

from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import GRAPH, RESOURCE_MANAGER, LocalAzure
from bot_workbench.emulator.server import Server

READS = ("/list", "/listkeys", "/listwithsecrets", "/checknameavailability", "/getbyids")
"""Endings of paths at which a POST only reads."""

Interference = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
"""The fault of a request that is not handled and answered."""


def writes(request: web.Request) -> bool:
    """Whether a request changes something."""
    return request.method not in {"GET", "HEAD"} and not request.path.lower().endswith(READS)


def management_servers(azure: LocalAzure) -> Iterator[Server]:
    """Where commands write: Graph, Resource Manager and the vaults that there are."""
    yield azure.servers[GRAPH]
    yield azure.servers[RESOURCE_MANAGER]
    for vault in azure.vaults.values():
        yield vault.server


def interfere_with_writes(azure: LocalAzure, interfere: Interference) -> None:
    """Let every write of the commands go through a function from now on.

    Args:
        azure: what they write to.
        interfere: gets each write.
    """

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await (interfere(request, handler) if writes(request) else handler(request))

    for server in management_servers(azure):
        server.around = around
