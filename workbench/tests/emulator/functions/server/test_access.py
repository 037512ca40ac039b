"""Who may call a function."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot_workbench.emulator.functions.server import FunctionsServer
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.protocol import TypedData
from bot_workbench.emulator.functions.workers.validation import valid_functions
from bot_workbench.emulator.functions.workers.worker import FunctionsWorker
from tests.support.wire.host_client import HostClient

KEYED = {"/api/keyed": (200, "open"), "/api/mastered": (401, ""), "/admin/host/status": (401, "")}
"""The answer to the function key, by path."""


@pytest.mark.parametrize("path", KEYED)
async def test_functions_above_anonymous_need_a_key(
    client: HostClient, function_key: str, master_key: str, path: str
) -> None:
    """The key is taken from the header, else from the query. The master key opens everything."""
    wrong = {"x-functions-key": "\u00fcnlike"}
    assert await client.answer(path) == (401, "")
    assert await client.answer(path + "?code=wrong") == (401, "")
    assert await client.answer(path, headers=wrong) == (401, "")
    for key, status in ((function_key, KEYED[path][0]), (master_key, 200)):
        assert await client.answer(f"{path}?code={key}", headers=wrong) == (401, "")
        assert (await client.answer(f"{path}?code={key}"))[0] == status
        assert (await client.answer(path, headers={"x-functions-key": key}))[0] == status


FOREIGN_PAGES = [
    {"Host": "rebound.example"},
    {"Host": "rebound.example", "Origin": "http://rebound.example"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN_PAGES[1:])
async def test_pages_of_other_sites(client: HostClient, headers: dict[str, str]) -> None:
    """A request from a page of another site is refused, without a CORS header."""
    for method in ("GET", "POST", "OPTIONS"):
        async with client.session.request(method, "/api/text", headers=headers) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_caller_by_another_name(client: HostClient, function_key: str) -> None:
    """A caller that sends no Origin may use a tunnel's host name, as the channel does."""
    tunnel = {"Host": "bot.devtunnels.example", "x-functions-key": function_key}
    assert (await client.answer("/api/text", headers=tunnel))[0] == 200
    assert await client.answer("/api/keyed", headers=tunnel) == (200, "open")


class NamingWorker(FunctionsWorker):
    """Answers with the function's name; the route prefix is empty."""

    def __init__(self) -> None:
        super().__init__(Path(), "")
        self.functions = valid_functions(
            [
                http_function("Later", "x/y", "anonymous"),
                http_function("earlier", "x/{id}", "anonymous"),
                http_function("keyed", "keyed", "function"),
                http_function("rest", "{*all}", "anonymous"),
            ]
        )
        self.is_loaded = True

    async def invoke(self, function: Function, *_: object) -> dict[str, TypedData]:
        """Run nothing."""
        return {"$return": TypedData(string=function.name)}


def http_function(name: str, route: str, level: str) -> Function:
    """A function as a worker indexes it."""
    trigger = {"type": "httpTrigger", "name": "req", "route": route, "authLevel": level}
    return Function(id=name, name=name, bindings=(trigger,))


@pytest.fixture
async def open_client() -> AsyncIterator[HostClient]:
    """A client of a server that has no key."""
    async with serving(FunctionsServer(NamingWorker())) as client:
        yield client


@asynccontextmanager
async def serving(server: FunctionsServer) -> AsyncIterator[HostClient]:
    """A client of a server that runs as long as the block."""
    await server.start()
    try:
        async with HostClient(server.url) as client:
            yield client
    finally:
        await server.stop(0)


@pytest.mark.parametrize("headers", FOREIGN_PAGES)
async def test_pages_of_other_sites_where_no_key_is_needed(
    open_client: HostClient, headers: dict[str, str]
) -> None:
    """A function that needs a key only in Azure still refuses pages of other sites here."""
    assert (await open_client.answer("/keyed", headers=headers))[0] == 403


async def test_without_a_key_every_function_is_open(open_client: HostClient) -> None:
    """As in Core Tools no key is needed, not even from a page of the host's own."""
    assert await open_client.answer("/keyed") == (200, "keyed")
    own = {"Host": "localhost:1", "Origin": "http://localhost:1"}
    assert await open_client.answer("/keyed", headers=own) == (200, "keyed")
    assert (await open_client.answer("/admin/host/status"))[0] == 200


@pytest.mark.parametrize("setting", ["AzureWebJobs.keyed.Disabled", "AzureWebJobs_keyed_Disabled"])
async def test_disabled_function(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Calls of a disabled function are answered 404, but for those with the master key."""
    monkeypatch.setenv(setting, "True")
    async with serving(FunctionsServer(NamingWorker(), "function", "master")) as client:
        assert await client.answer("/keyed") == (401, "")
        assert await client.answer("/keyed?code=function") == (404, "")
        assert await client.answer("/keyed?code=master") == (200, "keyed")
        assert await client.answer("/x/y") == (200, "earlier")
    async with serving(FunctionsServer(NamingWorker())) as client:
        assert await client.answer("/keyed") == (404, "")


async def test_app_whose_functions_are_all_in_error() -> None:
    """The host runs, and every call is answered 404."""
    worker = NamingWorker()
    worker.functions = ()
    async with serving(FunctionsServer(worker)) as client:
        assert await client.json("/admin/host/status") == {"state": "Running"}
        assert await client.answer("/keyed") == (404, "")


async def test_first_function_by_name_wins(open_client: HostClient) -> None:
    """Of two routes that match, the function whose name comes first in the alphabet is called."""
    assert await open_client.answer("/x/y") == (200, "earlier")
    assert await open_client.answer("/x/a%2Fb") == (200, "earlier")


async def test_route_that_takes_all(open_client: HostClient) -> None:
    """It takes what no function before it takes, the front page too, but not the host's own."""
    for path in ("/", "/x/y/z", "/admin/x"):
        assert await open_client.answer(path) == (200, "rest")
    assert (await open_client.answer("/admin/functions/x", "POST"))[0] == 415
