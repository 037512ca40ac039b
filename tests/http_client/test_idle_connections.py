"""HttpPool's idle connections: which of them are reused, and which are closed."""

import asyncio
import gc
from weakref import WeakSet

import pytest
from aiohttp import web

from http_client.pool import HttpConnection, HttpPool, ResponseLost, Timeouts
from tests.support.timing.condition import comes_true
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.fickle_service import FickleService


async def post(pool: HttpPool, service: FickleService) -> None:
    """Send a message."""
    assert (await pool.request("POST", f"{service.url}/v3/x", {}, b'{"text": 1}')).status == 200


async def test_a_connection_that_was_closed(pool: HttpPool, fickle: FickleService) -> None:
    """The pool notices in time: each message arrives once, over a new connection."""
    for number in range(1, 26):
        await post(pool, fickle)
        assert (len(fickle.seen), fickle.server.connections) == (number, number)
        fickle.close_idle()


async def test_all_connections_closed(pool: HttpPool, fickle: FickleService) -> None:
    """None of the connections that the server has closed is reused."""
    for number in range(1, 4):
        await asyncio.gather(*(post(pool, fickle) for _ in range(10)))
        assert (len(fickle.seen), fickle.server.connections) == (10 * number, 10 * number)
        fickle.close_idle()


async def test_unexpected_bytes(pool: HttpPool, fickle: FickleService) -> None:
    """An idle connection that receives bytes is not reused: they would pass for a response."""
    await post(pool, fickle)
    await fickle.send_unrequested()
    await post(pool, fickle)
    assert (len(fickle.seen), fickle.server.connections) == (2, 2)


async def hang_up(request: web.Request) -> web.Response:
    """Read the request and close the connection without a response."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    ("method", "arrives"), [("GET", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1)]
)
async def test_a_reused_connection_that_breaks(
    method: str, arrives: int, pool: HttpPool, fickle: FickleService
) -> None:
    """An idempotent request is sent once more, over a new connection; a POST is not."""
    await post(pool, fickle)
    fickle.script = [hang_up, hang_up]
    with pytest.raises(ResponseLost):
        await pool.request(method, f"{fickle.url}/v3/x")
    assert len(fickle.seen) == 1 + arrives


async def test_a_new_connection_that_breaks(pool: HttpPool, fickle: FickleService) -> None:
    """On a new connection nothing is sent twice: the server may have received it."""
    fickle.script = [hang_up]
    with pytest.raises(ResponseLost):
        await pool.request("GET", f"{fickle.url}/v3/x")
    assert len(fickle.seen) == 1


async def test_closed_connections_are_freed(pool: HttpPool, fickle: FickleService) -> None:
    """The pool holds no reference to a connection that the server has closed."""
    await asyncio.gather(*(post(pool, fickle) for _ in range(10)))
    idle = WeakSet(
        found for found in gc.get_objects() if type(found) is HttpConnection and found.reusable
    )
    assert len(idle) == 10
    fickle.close_idle()
    await comes_true(lambda: not idle)


async def test_a_reused_connection_that_is_silent(
    pool: HttpPool, fickle: FickleService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timeout on a reused connection is not retried: the server received the request."""
    clock = MovedClock(monkeypatch)
    await post(pool, fickle)
    fickle.server.faults.set(silent=True)
    before = fickle.server.requests.total()
    asking = asyncio.create_task(
        pool.request("GET", f"{fickle.url}/v3/x", timeouts=Timeouts(999, 60, 999))
    )
    await comes_true(lambda: fickle.server.requests.total() > before)
    clock.move(60)
    async with asyncio.timeout(30):
        with pytest.raises(ResponseLost, match="late"):
            await asking
    assert fickle.server.requests.total() == before + 1
