"""ConnectorSession: calls, connections, and what is logged of them."""

import datetime
import logging

import pytest
from aiohttp import web

from cloud_adapter.connector.client import CALL_SECONDS, USER_AGENT, ConnectorError
from tests.support.wire.connector_calls import (
    BODY,
    PATH,
    TOKEN,
    ConnectorCalls,
    hang_up,
    service_at,
)
from tests.support.wire.scripted_service import Reply

# One call


async def test_a_call_on_the_wire(calls: ConnectorCalls) -> None:
    """It has the token, JSON and the user agent; the response has its JSON."""
    calls.service.script = [Reply(201, {"id": "1"})]
    answer = await calls.make("POST")
    assert answer.json() == {"id": "1"}
    (seen,) = calls.service.seen
    assert (seen.method, seen.path, seen.json) == ("POST", "/v3/x", BODY)
    assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen.headers["Content-Type"] == "application/json; charset=utf-8"
    assert seen.headers["Accept"] == "application/json"
    assert seen.headers["User-Agent"] == USER_AGENT


async def test_a_call_without_token_or_body(calls: ConnectorCalls) -> None:
    """An empty token sends no Authorization header; no body sends no content type."""
    await calls.session.call(service_at(calls.service.url, 0, token=""), "DELETE", PATH)
    (seen,) = calls.service.seen
    assert not {"Authorization", "Content-Type", "Cookie"} & seen.headers.keys()


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"a":'])
async def test_an_answer_without_json(calls: ConnectorCalls, body: bytes) -> None:
    """The response is valid, and has no JSON."""

    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=body)

    calls.service.otherwise = respond
    assert (await calls.make("GET")).json() is None


async def test_a_number_that_is_not_json_is_not_sent(calls: ConnectorCalls) -> None:
    """NaN and infinity, which Python's json would write, are never sent."""
    with pytest.raises(ValueError, match="JSON"):
        await calls.session.call(
            service_at(calls.service.url, 0), "POST", PATH, {"x": float("nan")}
        )
    assert calls.service.seen == []


@pytest.mark.parametrize("status", [401, 429, 502, 0])
async def test_nothing_secret_is_logged(
    calls: ConnectorCalls, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Logs and errors hold neither token nor message, query or the service's text."""
    caplog.set_level(logging.DEBUG)
    refusal = Reply(status, {"error": {"code": "C", "message": "you said"}})
    calls.service.otherwise = refusal if status else hang_up
    query = {"state": "secret-state"}
    with pytest.raises(ConnectorError) as caught:
        await calls.session.call(service_at(calls.service.url, 0), "POST", PATH, BODY, query)
    error, cause = caught.value, caught.value.__cause__
    shown = f"{caplog.text} {error} {error!r} {error.args} {cause} {cause!r}"
    for secret in (TOKEN, "user said", "you said", "secret-state"):
        assert secret not in shown
    assert "POST" in str(error)
    assert "/v3/x" in str(error)


async def test_the_last_success(calls: ConnectorCalls) -> None:
    """It is the time of the last successful call; refusals do not change it."""
    calls.service.script = [Reply(404), Reply(201), Reply(404)]
    await calls.refuse("GET")
    assert calls.session.last_success is None
    before = datetime.datetime.now(datetime.UTC)
    await calls.make("POST")
    last = calls.session.last_success
    assert last is not None
    assert before <= last <= datetime.datetime.now(datetime.UTC)
    await calls.refuse("GET")
    assert calls.session.last_success == last


async def test_a_background_call(calls: ConnectorCalls) -> None:
    """Without a deadline, longer pauses are waited for, a minute in all."""
    calls.service.script = [Reply(429, None, {"Retry-After": "25"})] * 2
    await calls.session.call(service_at(calls.service.url, None), "POST", PATH, BODY)
    assert calls.clock.pauses == [25, 25]


async def test_the_time_of_a_background_call(calls: ConnectorCalls) -> None:
    """Each call has its own minute; beyond it, the error has the pause that was asked for."""
    for _ in range(2):
        calls.clock.pauses.clear()
        calls.service.script = [Reply(429, None, {"Retry-After": "25"})] * 3
        with pytest.raises(ConnectorError) as caught:
            await calls.session.call(service_at(calls.service.url, None), "POST", PATH, BODY)
        assert calls.clock.pauses == [25, 25]
        assert caught.value.retry_after == 25
    assert CALL_SECONDS == 60
