"""A stand-in under a public name, and the proxy that leads to it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.network.connect_proxy import ConnectProxy
from bot_workbench.emulator.network.public_names import PublicNames
from bot_workbench.emulator.server import Server

NAME = "graph.microsoft.com"


async def _greet(request: web.Request) -> web.Response:
    return web.Response(text=f"hello from {request.host}")


@pytest.fixture
async def service(authority: CertificateAuthority) -> AsyncIterator[Server]:
    """A stand-in whose certificate bears NAME and every vault's name."""
    tls = authority.server_context([NAME, "*.vault.azure.net"])
    async with Server("service", [web.get("/greeting", _greet)], tls) as server:
        yield server


@pytest.fixture
def names(service: Server) -> PublicNames:
    """The stand-in's names."""
    names = PublicNames()
    names.add(NAME, service.port)
    names.add("*.vault.azure.net", service.port)
    return names


@pytest.fixture
async def proxy(names: PublicNames) -> AsyncIterator[ConnectProxy]:
    """The proxy in front of it."""
    proxy = ConnectProxy(names)
    await proxy.start()
    yield proxy
    await proxy.stop()
