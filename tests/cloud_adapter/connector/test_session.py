"""ConnectorSession: calls, connections, and what is logged of them."""

import datetime
import logging

import pytest
from aiohttp import web

from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.connector.session import CALL_SECONDS, USER_AGENT, ConnectorSession
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.connector_calls import (
    BODY,
    PATH,
    TOKEN,
    called,
    hang_up,
    refused,
    service_at,
)
from tests.support.wire.scripted_service import Reply, ScriptedService

# One call


async def test_a_call_on_the_wire(session: ConnectorSession, service: ScriptedService) -> None:
    """It has the token, JSON and the user agent; the response has its JSON."""
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


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"a":'])
async def test_an_answer_without_json(
    session: ConnectorSession, service: ScriptedService, body: bytes
) -> None:
    """The response is valid, and has no JSON."""

    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=body)

    service.otherwise = respond
    assert (await called(session, "GET", service.url)).json() is None


async def test_a_number_that_is_not_json_is_not_sent(
    session: ConnectorSession, service: ScriptedService
) -> None:
    """NaN and infinity, which Python's json would write, are never sent."""
    with pytest.raises(ValueError, match="JSON"):
        await session.call(service_at(service.url, 0), "POST", PATH, {"x": float("nan")})
    assert service.seen == []


@pytest.mark.parametrize("status", [401, 429, 502, 0])
async def test_nothing_secret_is_logged(
    session: ConnectorSession,
    service: ScriptedService,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    """Logs and errors hold neither token nor message, query or the service's text."""
    caplog.set_level(logging.DEBUG)
    refusal = Reply(status, {"error": {"code": "C", "message": "you said"}})
    service.otherwise = refusal if status else hang_up
    query = {"state": "secret-state"}
    with pytest.raises(ConnectorError) as caught:
        await session.call(service_at(service.url, 0), "POST", PATH, BODY, query)
    error, cause = caught.value, caught.value.__cause__
    shown = f"{caplog.text} {error} {error!r} {error.args} {cause} {cause!r}"
    for secret in (TOKEN, "user said", "you said", "secret-state"):
        assert secret not in shown
    assert "POST" in str(error)
    assert "/v3/x" in str(error)


async def test_the_last_success(session: ConnectorSession, service: ScriptedService) -> None:
    """It is the time of the last successful call; refusals do not change it."""
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


async def test_a_background_call(
    session: ConnectorSession, service: ScriptedService, clock: MovedClock
) -> None:
    """Without a deadline, longer pauses are waited for, a minute in all."""
    service.script = [Reply(429, None, {"Retry-After": "25"})] * 2
    await session.call(service_at(service.url, None), "POST", PATH, BODY)
    assert clock.pauses == [25, 25]


async def test_the_time_of_a_background_call(
    session: ConnectorSession, service: ScriptedService, clock: MovedClock
) -> None:
    """Each call has its own minute; beyond it, the error has the pause that was asked for."""
    for _ in range(2):
        clock.pauses.clear()
        service.script = [Reply(429, None, {"Retry-After": "25"})] * 3
        with pytest.raises(ConnectorError) as caught:
            await session.call(service_at(service.url, None), "POST", PATH, BODY)
        assert clock.pauses == [25, 25]
        assert caught.value.retry_after == 25
    assert CALL_SECONDS == 60
