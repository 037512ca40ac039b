"""The proxy passes requests on unchanged, delays each by itself, and records it."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from benchmarks.state.storage.call import BLOB, QUEUE, StorageCall
from benchmarks.state.storage.proxy import StorageProxy
from bot_testing.clocks.loop_clock import LoopClock
from tests.support.timing.condition import comes_true, found
from tests.support.timing.loop_turns import settled

LATENCY = 0.5
LONG, SOON = 200.0, 60.0
"""Seconds of the moved clock: a delay, and what does not pass by itself while a test looks."""
MESSAGE = "<QueueMessagesList><QueueMessage></QueueMessage></QueueMessagesList>"


class FakeAccount:
    """An account on the wire that keeps what it was sent.

    Attributes:
        bodies: of the requests.
        queue: what polls are answered.
        gate: polls wait until it is set.
        port: where it listens.
    """

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.queue = "<QueueMessagesList />"
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Handle a request: the response's body is chunked if its path says so."""
        self.bodies.append(await request.read())
        if request.path.endswith("/messages"):
            await self.gate.wait()
            return web.Response(text=self.queue)
        if "chunked" not in request.path:
            return web.Response(text="x" * 100_000, headers={"x-ms-error-code": "None"})
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for part in (b"a", b"b" * 100_000):
            await response.write(part)
        return response


@pytest.fixture
async def account() -> AsyncIterator[FakeAccount]:
    """A running one."""
    account = FakeAccount()
    app = web.Application(client_max_size=10**7)
    app.router.add_route("*", "/{path:.*}", account.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    account.port = runner.addresses[0][1]
    yield account
    await runner.cleanup()


@pytest.fixture
async def proxy(account: FakeAccount) -> AsyncIterator[StorageProxy]:
    """A running one in front of it."""
    proxy = StorageProxy({BLOB: account.port, QUEUE: account.port})
    await proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client with keep-alive."""
    async with aiohttp.ClientSession() as session:
        yield session


def url(proxy: StorageProxy, service: str) -> str:
    """The URL of something in the account, through the proxy."""
    return f"http://127.0.0.1:{proxy.ports[service]}/account/blob"


async def sent(
    session: aiohttp.ClientSession, method: str, url: str, body: bytes = b""
) -> tuple[int, bytes]:
    """Send a request, and return the response's status and body."""
    async with session.request(method, url, data=body) as response:
        return response.status, await response.read()


async def test_requests_pass_unchanged(
    account: FakeAccount, proxy: StorageProxy, session: aiohttp.ClientSession
) -> None:
    """Large bodies in both directions, chunked ones and none at all, over one connection."""
    blob = url(proxy, BLOB)
    body = bytes(range(256)) * 4000
    assert await sent(session, "PUT", blob, body) == (200, b"x" * 100_000)
    assert await sent(session, "HEAD", blob) == (200, b"")
    assert await sent(session, "GET", f"{blob}/chunked") == (200, b"a" + b"b" * 100_000)
    assert account.bodies == [body, b"", b""]
    calls = proxy.take_calls()
    assert [call.method for call in calls] == ["PUT", "HEAD", "GET"]
    assert [call.target for call in calls][-1] == "/account/blob/chunked"
    assert all(call.ended is not None and call.ended > call.started for call in calls)
    assert proxy.take_calls() == []


async def test_each_request_has_its_own_delay(
    proxy: StorageProxy, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty requests at once take as long as one."""
    clock = LoopClock(monkeypatch)
    proxy.latency = LONG
    sending = [sent(session, "GET", url(proxy, BLOB)) for _ in range(20)]
    requests = asyncio.gather(*sending)
    calls: list[StorageCall] = []

    def all_begun() -> bool:
        calls.extend(proxy.take_calls())
        return len(calls) == len(sending)

    await comes_true(all_begun)
    clock.move(LONG - SOON)
    await settled()
    assert [call for call in calls if call.ended is not None] == []
    clock.move(SOON)
    async with asyncio.timeout(SOON):
        await requests
    assert all(call.ended is not None for call in calls)


async def test_polls_with_and_without_a_message(
    account: FakeAccount, proxy: StorageProxy, session: aiohttp.ClientSession
) -> None:
    """The proxy sees in the response whether a poll has brought a message."""
    messages = f"{url(proxy, QUEUE)}/messages"
    await sent(session, "GET", messages)
    account.queue = MESSAGE
    await sent(session, "GET", messages)
    await sent(session, "DELETE", f"{messages}/1")
    assert [call.is_delivery for call in proxy.take_calls()] == [False, True, False]


async def test_idle_waits_for_requests_but_not_for_polls(
    account: FakeAccount, proxy: StorageProxy, session: aiohttp.ClientSession
) -> None:
    """A turn has ended when none of its requests is in progress; the host's poll belongs to the
    turn whose message it brings.
    """
    proxy.latency = LATENCY
    write = asyncio.create_task(sent(session, "PUT", url(proxy, BLOB)))
    begun = await begun_call(proxy)
    await proxy.idle(0.001)
    assert begun.ended is not None
    await write
    account.queue = MESSAGE
    account.gate.clear()
    poll = asyncio.create_task(sent(session, "GET", f"{url(proxy, QUEUE)}/messages"))
    await comes_true(lambda: len(account.bodies) == 2)
    await proxy.idle(0.001)
    assert proxy.take_calls() == []
    account.gate.set()
    await poll
    assert [call.is_delivery for call in proxy.take_calls()] == [True]


async def begun_call(proxy: StorageProxy) -> StorageCall:
    """The next call, as soon as the proxy has it."""

    async def taken() -> list[StorageCall]:
        return proxy.take_calls()

    return (await found(taken))[0]
