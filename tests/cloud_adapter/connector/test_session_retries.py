"""ConnectorSession: which calls are sent again, when, and which never are."""

import asyncio
from itertools import product
from typing import Any

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import until_disconnected
from cloud_adapter.connector.client import RETRIES, ConnectorSession
from http_client.pool import DEFAULT_TIMEOUTS, HttpPool
from tests.support.wire.connector_calls import ConnectorCalls, hang_up
from tests.support.wire.scripted_service import Reply, ScriptedService

METHODS = ["GET", "POST", "PUT", "DELETE"]
IDEMPOTENT = ["GET", "PUT", "DELETE"]


# What is sent again

TOO_MANY, FAILED, FINAL = (429, 412), (502, 503, 504), (400, 401, 403, 404, 405, 408, 413, 500, 501)


RETRIED = [*product(METHODS, TOO_MANY), *product(IDEMPOTENT, FAILED)]


@pytest.mark.parametrize(("method", "status"), RETRIED)
async def test_a_call_that_is_sent_again(calls: ConnectorCalls, method: str, status: int) -> None:
    """What the service did not do is sent again; what it may have done only if idempotent."""
    calls.service.script = [Reply(status)]
    await calls.make(method)
    assert len(calls.service.seen) == 2
    assert calls.service.seen[0] == calls.service.seen[1]


@pytest.mark.parametrize("status", FAILED)
async def test_a_post_that_failed(calls: ConnectorCalls, status: int) -> None:
    """A POST that may have been done is not sent again, even if the service asks for it."""
    calls.service.otherwise = Reply(status, None, {"Retry-After": "1"})
    error = await calls.refuse("POST")
    assert error.response.status_code == status
    assert (len(calls.service.seen), calls.clock.pauses) == (1, [])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", FINAL)
async def test_refused_for_good(calls: ConnectorCalls, method: str, status: int) -> None:
    """Any other refusal is final."""
    calls.service.otherwise = Reply(status, {"error": {"code": "No", "message": "x"}})
    error = await calls.refuse(method)
    assert (error.response.status_code, error.error.error.code) == (status, "No")
    assert (len(calls.service.seen), calls.clock.pauses) == (1, [])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(calls: ConnectorCalls, method: str, status: int) -> None:
    """The token is sent only to the host that was checked."""
    async with ScriptedService() as target:
        calls.service.otherwise = Reply(status, None, {"Location": f"{target.url}/elsewhere"})
        error = await calls.refuse(method)
        assert error.response.status_code == status
        assert (len(calls.service.seen), len(target.seen)) == (1, 0)


@pytest.mark.parametrize("status", [429, 412, 503])
async def test_retry_after_in_seconds(calls: ConnectorCalls, status: int) -> None:
    """The pause is the one that the service asks for."""
    calls.service.script = [Reply(status, None, {"Retry-After": "7"})]
    await calls.make("GET")
    assert calls.clock.pauses == [7.0]


async def test_no_usable_retry_after(calls: ConnectorCalls) -> None:
    """Without a usable Retry-After each pause is up to twice the one before."""
    calls.service.script = [Reply(429, None, {"Retry-After": "soon"})] * 3
    await calls.make("POST")
    for attempt, pause in enumerate(calls.clock.pauses):
        longest = RETRIES.backoff.first * 2**attempt
        assert longest / 2 <= pause <= longest
    assert len(calls.clock.pauses) == 3


async def test_pauses_differ(calls: ConnectorCalls) -> None:
    """Two callers that are refused together do not try again together."""
    for _ in range(4):
        calls.service.script = [Reply(429)]
        await calls.make("GET")
    assert len(set(calls.clock.pauses)) > 1


async def test_the_last_attempt(calls: ConnectorCalls) -> None:
    """A service that keeps refusing is called five times."""
    calls.service.otherwise = Reply(429, None, {"Retry-After": "0"})
    error = await calls.refuse("POST")
    assert error.response.status_code == 429
    assert (len(calls.service.seen), len(calls.clock.pauses)) == (5, 4)


@pytest.mark.parametrize("wait", ["13", "3600", "9" * 400])
async def test_a_pause_beyond_the_turn(calls: ConnectorCalls, wait: str) -> None:
    """When the pause would exceed the turn's time, the call fails at once."""
    calls.service.otherwise = Reply(429, None, {"Retry-After": wait})
    await calls.refuse("POST")
    assert (len(calls.service.seen), calls.clock.pauses) == (1, [])


async def test_pauses_add_up(calls: ConnectorCalls) -> None:
    """The turn's time is for all the pauses of a call together."""
    calls.service.otherwise = Reply(429, None, {"Retry-After": "5"})
    await calls.refuse("POST")
    assert (len(calls.service.seen), calls.clock.pauses) == (3, [5, 5])


async def test_no_connection(calls: ConnectorCalls) -> None:
    """Where nothing listens, nothing was sent: even a POST is tried three times."""
    await calls.service.server.stop()
    error = await calls.refuse("POST")
    assert error.response.status_code == 0
    assert isinstance(error.__cause__, OSError)
    assert len(calls.clock.pauses) == 2


async def test_a_service_that_comes_back(calls: ConnectorCalls, pool: HttpPool) -> None:
    """A service that comes back within the turn gets the message, once."""
    await calls.service.server.stop()

    async def sleep(seconds: float) -> None:
        await calls.clock.sleep(seconds)
        if len(calls.clock.pauses) == 2:
            await calls.service.server.start()

    calls.session = ConnectorSession(pool, sleep)
    await calls.make("POST")
    assert (len(calls.service.seen), len(calls.clock.pauses)) == (1, 2)


async def test_a_connection_that_takes_too_long(calls: ConnectorCalls) -> None:
    """A handshake that does not end has sent nothing: it is started again while there is time."""
    accepted = 0

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        calls.clock.move(DEFAULT_TIMEOUTS.connect + 0.1)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(keep_silent, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        error = await calls.refuse("POST", f"https://localhost:{port}")
    assert error.response.status_code == 0
    assert isinstance(error.__cause__, ConnectionError)
    assert isinstance(error.__cause__.__cause__, TimeoutError)
    assert accepted == len(calls.clock.pauses) + 1
    assert len(calls.clock.pauses) >= 2


async def break_off(request: web.Request) -> web.StreamResponse:
    """Close the connection in the middle of the response."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"id":')
    assert request.transport is not None
    request.transport.close()
    return response


async def garble(request: web.Request) -> web.Response:
    """Answer in another protocol."""
    assert request.transport is not None
    request.transport.write(b"220 mail.example ESMTP\r\n\r\n")
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize("behavior", [hang_up, break_off, garble])
async def test_a_post_without_an_answer(calls: ConnectorCalls, behavior: Any) -> None:
    """A POST that was sent is never sent again, on a new connection or on a reused one."""
    calls.service.otherwise = behavior
    error = await calls.refuse("POST")
    assert (error.response.status_code, error.error) == (0, None)
    calls.service.script = [Reply()]
    await calls.make("GET")
    await calls.refuse("POST")
    assert [seen.method for seen in calls.service.seen] == ["POST", "GET", "POST"]
    assert calls.clock.pauses == []


async def test_an_answer_that_takes_too_long(calls: ConnectorCalls) -> None:
    """A POST that timed out is not sent again either."""

    async def sleep_in(request: web.Request) -> web.Response:
        calls.clock.move(DEFAULT_TIMEOUTS.total + 1)
        await until_disconnected(request)
        return web.Response()

    calls.service.otherwise = sleep_in
    error = await calls.refuse("POST")
    assert isinstance(error.__cause__, ConnectionError)
    assert isinstance(error.__cause__.__cause__, TimeoutError)
    assert (len(calls.service.seen), calls.clock.pauses) == (1, [])
