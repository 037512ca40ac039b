"""ConnectorSession: what is sent again, when, and what never is."""

import asyncio
import datetime
import email.utils
import logging
from typing import Any

import pytest
from aiohttp import web

from cloud_adapter.connector.credentials import BotCredentials
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.connector.session import (
    CALL_SECONDS,
    RETRIES,
    TURN_SECONDS,
    USER_AGENT,
    ConnectorSession,
    Service,
    ServiceResponse,
)
from http_client.pool import DEFAULT_TIMEOUTS, HttpPool
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.fickle_service import FickleService
from tests.support.wire.scripted_service import Reply, ScriptedService

TOKEN = "the-bearer-token"
METHODS = ["GET", "POST", "PUT", "DELETE"]
IDEMPOTENT = ["GET", "PUT", "DELETE"]
BODY = {"type": "message", "text": "what the user said"}
PATH = ("v3", "x")


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    return MovedClock(monkeypatch)


@pytest.fixture
def session(pool: HttpPool, clock: MovedClock) -> ConnectorSession:
    return ConnectorSession(pool, clock.sleep)


def service_at(url: str, seconds: float | None, token: str = TOKEN) -> Service:
    """A service, as a turn with so many seconds left calls it."""
    now = asyncio.get_running_loop().time()
    deadline = None if seconds is None else now + seconds
    return Service(url, KnownToken(token), deadline)


class KnownToken(BotCredentials):
    """Credentials whose token is given."""

    def __init__(self, token: str) -> None:
        super().__init__("", None, "x")
        self._token = token

    async def get_token(self) -> str:
        return self._token


async def called(session: ConnectorSession, method: str, url: str) -> ServiceResponse:
    """One call of a turn that has just started."""
    body = BODY if method in ("POST", "PUT") else None
    return await session.call(service_at(url, TURN_SECONDS), method, PATH, body)


async def refused(session: ConnectorSession, method: str, url: str) -> ConnectorError:
    """The error of such a call."""
    with pytest.raises(ConnectorError) as caught:
        await called(session, method, url)
    return caught.value


def http_date(seconds: float) -> str:
    """The HTTP date of so many seconds from now."""
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return email.utils.format_datetime(moment, usegmt=True)


# One call


async def test_a_call_on_the_wire(session: ConnectorSession, service: ScriptedService) -> None:
    """It carries the token, JSON and the user agent; the answer has its JSON."""
    service.script = [Reply(201, {"id": "1"})]
    answer = await called(session, "POST", service.url)
    assert answer.json() == {"id": "1"}
    (seen,) = service.seen
    assert (seen.method, seen.path, seen.json) == ("POST", "/v3/x", BODY)
    assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen.headers["Content-Type"] == "application/json; charset=utf-8"
    assert seen.headers["Accept"] == "application/json"
    assert seen.headers["User-Agent"] == USER_AGENT


async def test_a_call_without_token_or_body(
    session: ConnectorSession, service: ScriptedService
) -> None:
    """An empty token sends no Authorization header; no body sends no content type."""
    await session.call(service_at(service.url, 0, token=""), "DELETE", PATH)
    (seen,) = service.seen
    assert not {"Authorization", "Content-Type", "Cookie"} & seen.headers.keys()


async def test_cookies_are_not_kept(session: ConnectorSession, service: ScriptedService) -> None:
    """One conversation's cookie never travels with another's call."""
    service.script = [Reply(200, None, {"Set-Cookie": "a=b"})]
    await called(session, "GET", service.url)
    await called(session, "GET", service.url)
    assert "Cookie" not in service.seen[1].headers


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"a":'])
async def test_an_answer_without_json(
    session: ConnectorSession, service: ScriptedService, body: bytes
) -> None:
    """It is an answer all the same, with nothing in it."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    service.otherwise = answer
    assert (await called(session, "GET", service.url)).json() is None


async def test_a_number_that_is_not_json_is_not_sent(
    session: ConnectorSession, service: ScriptedService
) -> None:
    """NaN and infinity, which Python's json would write, never leave."""
    with pytest.raises(ValueError, match="JSON"):
        await session.call(service_at(service.url, 0), "POST", PATH, {"x": float("nan")})
    assert service.seen == []


# What is sent again

TOO_MANY, FAILED, FINAL = (429, 412), (502, 503, 504), (400, 401, 403, 404, 405, 408, 413, 500, 501)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", TOO_MANY)
async def test_refused_for_now(
    session: ConnectorSession, service: ScriptedService, method: str, status: int
) -> None:
    """What the service did not do is sent again, whatever the method."""
    service.script = [Reply(status)]
    await called(session, method, service.url)
    assert len(service.seen) == 2
    assert service.seen[0] == service.seen[1]


@pytest.mark.parametrize("method", IDEMPOTENT)
@pytest.mark.parametrize("status", FAILED)
async def test_perhaps_done_and_harmless(
    session: ConnectorSession, service: ScriptedService, method: str, status: int
) -> None:
    """Where twice is the same as once, a failed call is sent again."""
    service.script = [Reply(status)]
    await called(session, method, service.url)
    assert len(service.seen) == 2


@pytest.mark.parametrize("status", FAILED)
async def test_perhaps_done_and_seen_by_the_user(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService, status: int
) -> None:
    """A POST that may have been done is not sent again, even if the service asks for it."""
    service.otherwise = Reply(status, None, {"Retry-After": "1"})
    error = await refused(session, "POST", service.url)
    assert error.response.status_code == status
    assert (len(service.seen), clock.pauses) == (1, [])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", FINAL)
async def test_refused_for_good(
    session: ConnectorSession,
    clock: MovedClock,
    service: ScriptedService,
    method: str,
    status: int,
) -> None:
    """Any other refusal is final."""
    service.otherwise = Reply(status, {"error": {"code": "No", "message": "x"}})
    error = await refused(session, method, service.url)
    assert (error.response.status_code, error.error.error.code) == (status, "No")
    assert (len(service.seen), clock.pauses) == (1, [])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(
    session: ConnectorSession, service: ScriptedService, method: str, status: int
) -> None:
    """The token goes nowhere but to the host that was checked."""
    async with ScriptedService() as target:
        service.otherwise = Reply(status, None, {"Location": f"{target.url}/elsewhere"})
        error = await refused(session, method, service.url)
        assert error.response.status_code == status
        assert (len(service.seen), len(target.seen)) == (1, 0)


# When


@pytest.mark.parametrize("status", [429, 412, 503])
async def test_retry_after_in_seconds(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService, status: int
) -> None:
    """The pause is the one that the service asks for."""
    service.script = [Reply(status, None, {"Retry-After": "7"})]
    await called(session, "GET", service.url)
    assert clock.pauses == [7.0]


async def test_retry_after_as_a_date(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService
) -> None:
    """A date (RFC 9110, 10.2.3) is the moment to wait for; one that is over waits for nothing."""
    service.script = [
        Reply(429, None, {"Retry-After": http_date(8)}),
        Reply(429, None, {"Retry-After": http_date(-100)}),
    ]
    await called(session, "POST", service.url)
    assert 5 < clock.pauses[0] <= 8
    assert clock.pauses[1] == 0


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Retry-After": ""},
        {"Retry-After": "soon"},
        {"Retry-After": "-1"},
        {"Retry-After": "1.5"},
        {"Retry-After": "\u0663"},
        {"Retry-After": "Mon, 99 Jan 2026 10:00:00 GMT"},
        {"Retry-After": "Mon, 01 Jan 99999999999 10:00:00 GMT"},
        {"Retry-After": "Mon, 01 Jan 2026 10:00:00 +99999999999999"},
    ],
)
async def test_no_word_of_when(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService, header: dict[str, str]
) -> None:
    """Without a usable Retry-After each pause is up to twice the one before."""
    service.script = [Reply(429, None, header)] * 3
    await called(session, "POST", service.url)
    for attempt, pause in enumerate(clock.pauses):
        longest = RETRIES.backoff.first * 2**attempt
        assert longest / 2 <= pause <= longest
    assert len(clock.pauses) == 3


async def test_pauses_differ(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService
) -> None:
    """Two callers that are refused together do not come back together."""
    for _ in range(4):
        service.script = [Reply(429)]
        await called(session, "GET", service.url)
    assert len(set(clock.pauses)) > 1


async def test_the_last_attempt(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService
) -> None:
    """A service that goes on refusing is asked five times."""
    service.otherwise = Reply(429, None, {"Retry-After": "0"})
    error = await refused(session, "POST", service.url)
    assert error.response.status_code == 429
    assert (len(service.seen), len(clock.pauses)) == (
        RETRIES.max_attempts,
        RETRIES.max_attempts - 1,
    )


@pytest.mark.parametrize("wait", ["13", "3600", "9" * 400])
async def test_a_pause_beyond_the_turn(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService, wait: str
) -> None:
    """When there is no time left to wait for, the call fails at once."""
    service.otherwise = Reply(429, None, {"Retry-After": wait})
    await refused(session, "POST", service.url)
    assert (len(service.seen), clock.pauses) == (1, [])


async def test_pauses_add_up(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService
) -> None:
    """The turn's budget is for all the pauses of a call together."""
    service.otherwise = Reply(429, None, {"Retry-After": "5"})
    await refused(session, "POST", service.url)
    assert (len(service.seen), clock.pauses) == (3, [5, 5])


# When nothing comes back


async def test_no_connection(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService
) -> None:
    """Where nothing listens nothing was sent: even a POST is tried five times, then given up."""
    await service.server.stop()
    error = await refused(session, "POST", service.url)
    assert error.response.status_code == 0
    assert isinstance(error.__cause__, OSError)
    assert len(clock.pauses) == RETRIES.max_connects - 1


async def test_a_connection_at_last(
    pool: HttpPool, clock: MovedClock, service: ScriptedService
) -> None:
    """A service that comes back within the turn gets the message, once."""
    await service.server.stop()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        if len(clock.pauses) == 2:
            await service.server.start()

    await called(ConnectorSession(pool, sleep), "POST", service.url)
    assert (len(service.seen), len(clock.pauses)) == (1, 2)


async def test_a_connection_that_takes_too_long(
    session: ConnectorSession, clock: MovedClock
) -> None:
    """A handshake that does not end has sent nothing: it is begun again while there is time."""
    accepted = 0

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        clock.move(DEFAULT_TIMEOUTS.connect + 0.1)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(keep_silent, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        error = await refused(session, "POST", f"https://localhost:{port}")
    assert error.response.status_code == 0
    assert isinstance(error.__cause__, ConnectionError)
    assert isinstance(error.__cause__.__cause__, TimeoutError)
    assert accepted == len(clock.pauses) + 1
    assert len(clock.pauses) >= 2


async def hang_up(request: web.Request) -> web.Response:
    """Read the request, then close the connection without a word."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    """Close the connection in the middle of the answer."""
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


@pytest.mark.parametrize("behaviour", [hang_up, break_off, garble])
async def test_a_post_without_an_answer(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService, behaviour: Any
) -> None:
    """A POST that went out is never sent again, on a fresh connection or on a used one."""
    service.otherwise = behaviour
    error = await refused(session, "POST", service.url)
    assert (error.response.status_code, error.error) == (0, None)
    service.script = [Reply()]
    await called(session, "GET", service.url)
    await refused(session, "POST", service.url)
    assert [seen.method for seen in service.seen] == ["POST", "GET", "POST"]
    assert clock.pauses == []


async def test_a_post_after_the_server_has_hung_up(session: ConnectorSession) -> None:
    """An idle connection that was closed a moment ago costs no message: each is sent, and once."""
    async with FickleService() as service:
        for number in range(1, 26):
            await called(session, "POST", service.url)
            assert (len(service.seen), service.server.connections) == (number, number)
            service.close_idle()


async def test_an_answer_that_takes_too_long(
    session: ConnectorSession, clock: MovedClock, service: ScriptedService
) -> None:
    """A POST that timed out is not sent again either."""

    async def sleep_in(_: web.Request) -> web.Response:
        clock.move(DEFAULT_TIMEOUTS.total + 1)
        await asyncio.Event().wait()
        raise AssertionError

    service.otherwise = sleep_in
    error = await refused(session, "POST", service.url)
    assert isinstance(error.__cause__, ConnectionError)
    assert isinstance(error.__cause__.__cause__, TimeoutError)
    assert (len(service.seen), clock.pauses) == (1, [])


# Connections


async def test_calls_share_a_connection(
    session: ConnectorSession, service: ScriptedService
) -> None:
    """Twenty calls one after the other need one connection."""
    for _ in range(20):
        await called(session, "POST", service.url)
    assert (len(service.seen), service.server.connections) == (20, 1)


async def test_parallel_calls_keep_their_connections(
    session: ConnectorSession, service: ScriptedService
) -> None:
    """Fifty calls at once need no more than fifty connections, and the next fifty no new one."""
    for _ in range(2):
        await asyncio.gather(*(called(session, "POST", service.url) for _ in range(50)))
        assert service.server.connections <= 50
    assert len(service.seen) == 100


# What is told


@pytest.mark.parametrize("status", [401, 429, 502, 0])
async def test_nothing_secret_is_told(
    session: ConnectorSession,
    service: ScriptedService,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    """Neither logs nor errors hold the token, the message, the query or the service's words."""
    caplog.set_level(logging.DEBUG)
    refusal = Reply(status, {"error": {"code": "C", "message": "you said"}})
    service.otherwise = refusal if status else hang_up
    query = {"state": "secret-state"}
    with pytest.raises(ConnectorError) as caught:
        await session.call(service_at(service.url, 0), "POST", PATH, BODY, query)
    error, cause = caught.value, caught.value.__cause__
    told = f"{caplog.text} {error} {error!r} {error.args} {cause} {cause!r}"
    for secret in (TOKEN, "user said", "you said", "secret-state"):
        assert secret not in told
    assert "POST" in str(error)
    assert "/v3/x" in str(error)


async def test_the_last_success(session: ConnectorSession, service: ScriptedService) -> None:
    """It is the time of the last call that was done; refusals leave it as it is."""
    service.script = [Reply(404), Reply(201), Reply(404)]
    await refused(session, "GET", service.url)
    assert session.last_success is None
    before = datetime.datetime.now(datetime.UTC)
    await called(session, "POST", service.url)
    last = session.last_success
    assert last is not None
    assert before <= last <= datetime.datetime.now(datetime.UTC)
    await refused(session, "GET", service.url)
    assert session.last_success == last


# Nobody waits


async def test_a_call_that_nobody_waits_for(
    session: ConnectorSession, service: ScriptedService, clock: MovedClock
) -> None:
    """Without a deadline pauses that no turn would wait for are waited for, a minute in all."""
    service.script = [Reply(429, None, {"Retry-After": "25"})] * 2
    await session.call(service_at(service.url, None), "POST", PATH, BODY)
    assert clock.pauses == [25, 25]


async def test_a_call_that_nobody_waits_for_that_long(
    session: ConnectorSession, service: ScriptedService, clock: MovedClock
) -> None:
    """The minute is each call's own; what goes beyond it is told, with what was asked for."""
    for _ in range(2):
        clock.pauses.clear()
        service.script = [Reply(429, None, {"Retry-After": "25"})] * 3
        with pytest.raises(ConnectorError) as caught:
            await session.call(service_at(service.url, None), "POST", PATH, BODY)
        assert clock.pauses == [25, 25]
        assert caught.value.retry_after == 25
    assert CALL_SECONDS == 60
