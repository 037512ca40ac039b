"""MsalHttp: sends MSAL's requests unchanged, and returns the protocol's responses only."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from auth.errors import DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS, EndpointDown, SignInError, Throttled
from auth.outbound.msal_http import TIMEOUTS, MsalHttp, MsalResponse
from http_client.pool import MAX_RESPONSE_BYTES, HttpPool, ResponseTooLarge, Timeouts
from tests.support.timing.loop_turns import settled
from tests.support.wire.scripted_service import Behaviour, Reply, ScriptedService

ODD = {"plain": "a", "odd": "a b&c=d/+é%41;#?", "empty": ""}
"""Names and values that need encoding."""


@pytest.fixture
async def service() -> AsyncIterator[ScriptedService]:
    """An endpoint that responds as the test says."""
    async with ScriptedService() as service:
        service.otherwise = Reply(json={})
        yield service


class Worker:
    """MSAL's part: calls from a thread of its own.

    Args:
        pool: sends the requests.
        url: of the endpoint.
        timeouts: of each request.
    """

    def __init__(self, pool: HttpPool, url: str, timeouts: Timeouts = TIMEOUTS) -> None:
        self._http = MsalHttp(pool, asyncio.get_running_loop(), timeouts)
        self.url = url

    async def get(self, params: Mapping[str, str] | None = None) -> MsalResponse:
        """GET the endpoint."""
        return await asyncio.to_thread(self._http.get, self.url, params, {"X-Client": "msal"})

    async def post(self, data: Mapping[str, str] | None = None) -> MsalResponse:
        """POST a form to it."""
        return await asyncio.to_thread(
            self._http.post, self.url, {"a": "b c"}, {"X-Client": "msal"}, data
        )

    async def failure(self) -> SignInError:
        """What both calls raise."""
        with pytest.raises(SignInError) as got:
            await self.get()
        with pytest.raises(SignInError) as posted:
            await self.post({"client_assertion": "secret"})
        assert type(got.value) is type(posted.value)
        assert str(got.value) == str(posted.value)
        assert self.url in str(got.value)
        assert "secret" not in str(got.value)
        return got.value


@pytest.fixture
async def worker(pool: HttpPool, service: ScriptedService) -> Worker:
    return Worker(pool, f"{service.url}/tenant/oauth2/v2.0/token")


@dataclass(frozen=True)
class Raw:
    """A response with any body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer the request."""
        return web.Response(status=self.status, body=self.body, headers=self.headers)


async def cut_off(request: web.Request) -> web.StreamResponse:
    """A response that ends in the middle."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"a":')
    assert request.transport is not None
    request.transport.abort()
    return response


async def test_get(worker: Worker, service: ScriptedService) -> None:
    """Parameters arrive as they were, and MSAL's headers come along."""
    service.otherwise = Reply(json={"a": "é"}, headers={"X-Answer": "yes"})
    answer = await worker.get(ODD)
    [seen] = service.seen
    assert (seen.method, seen.path, seen.body) == ("GET", "/tenant/oauth2/v2.0/token", b"")
    assert seen.query == ODD
    assert seen.headers["X-Client"] == "msal"
    assert answer.status_code == 200
    assert json.loads(answer.text) == {"a": "é"}
    assert answer.headers["x-answer"] == "yes"


async def test_get_without_parameters(worker: Worker, service: ScriptedService) -> None:
    """The address is sent as it is."""
    worker.url += "?q=%2F%20&r=1"
    await worker.get()
    assert service.seen[0].query == {"q": "/ ", "r": "1"}


async def test_post(worker: Worker, service: ScriptedService) -> None:
    """A form's fields arrive as they were, in the form's own encoding."""
    await worker.post(ODD)
    [seen] = service.seen
    assert seen.method == "POST"
    assert seen.query == {"a": "b c"}
    assert dict(parse_qsl(seen.body.decode("ascii"), keep_blank_values=True)) == ODD
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert seen.headers["X-Client"] == "msal"


async def test_a_field_without_a_value(
    pool: HttpPool, service: ScriptedService, worker: Worker
) -> None:
    """What MSAL leaves out with None is left out, as it is in the client that MSAL knows."""
    form = {"a": "b", "claims": None}
    http = MsalHttp(pool, asyncio.get_running_loop())
    await asyncio.to_thread(http.post, worker.url, data=form)  # type: ignore[arg-type]  # MSAL's
    await asyncio.to_thread(http.post, worker.url)
    assert [seen.body for seen in service.seen] == [b"a=b", b""]


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404])
async def test_answers_of_the_protocol(
    status: int, worker: Worker, service: ScriptedService
) -> None:
    """A JSON object with a status of the protocol is MSAL's to read."""
    service.otherwise = Reply(status, {"error": "invalid_client"})
    for answer in (await worker.get(), await worker.post()):
        answer.raise_for_status()
        assert answer.status_code == status
        assert json.loads(answer.text) == {"error": "invalid_client"}


@pytest.mark.parametrize(
    "answer",
    [
        *(Reply(status, {"access_token": "secret"}) for status in (201, 202, 301, 302, 307, 308)),
        *(Reply(status, {"error": "server_error"}) for status in (500, 502, 503, 504, 599)),
        Reply(204),
        Reply(200),
        Reply(400),
        Reply(200, ["secret"]),
        Reply(200, "secret"),
        Reply(200, 7),
        Raw(200, b"null"),
        Raw(200, b"<html>secret</html>", {"Content-Type": "text/html"}),
        Raw(403, b"<html>secret</html>", {"Content-Type": "application/json"}),
        Raw(200, b'{"a": "secret'),
        Raw(200, b'{"a": \xff\xfe}'),
        Raw(200, b"\xff\xfe" + '{"a": 1}'.encode("utf-16-le")),
        Raw(200, b"[" * 100_000),
        Raw(200, b'{"a":' * 100_000),
        Raw(200, b'{"a": ' + b"9" * 5000 + b"}"),
    ],
    ids=lambda answer: str(answer)[:60],
)
async def test_anything_else(answer: Behaviour, worker: Worker, service: ScriptedService) -> None:
    """Any response outside the protocol is an outage, and the text names the setting."""
    service.otherwise = answer
    error = await worker.failure()
    assert isinstance(error, EndpointDown)
    assert "does not answer as Entra does" in str(error)
    assert "AZURE_AUTHORITY_HOST" in str(error)


async def test_a_broken_answer(worker: Worker, service: ScriptedService) -> None:
    """So is one that cannot be read."""
    service.otherwise = cut_off
    error = await worker.failure()
    assert isinstance(error, EndpointDown)
    assert "AZURE_AUTHORITY_HOST" in str(error)


@pytest.mark.parametrize("charset", ["nonsense", "latin-1", "utf-16"])
async def test_another_charset(charset: str, worker: Worker, service: ScriptedService) -> None:
    """JSON is UTF-8 (RFC 8259, 8.1); the header does not matter."""
    kind = f"application/json; charset={charset}"
    service.otherwise = Raw(200, '{"a": "é"}'.encode(), {"Content-Type": kind})
    assert json.loads((await worker.get()).text) == {"a": "é"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(
    status: int, worker: Worker, service: ScriptedService
) -> None:
    """A redirect is not followed: it would send the assertion to an unchecked host."""
    async with ScriptedService() as elsewhere:
        elsewhere.otherwise = Reply(json={"access_token": "theirs"})
        service.otherwise = Reply(status, {}, {"Location": f"{elsewhere.url}/token"})
        assert isinstance(await worker.failure(), EndpointDown)
        assert elsewhere.seen == []
        assert len(service.seen) == 2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, DEFAULT_WAIT_SECONDS),
        ("soon", DEFAULT_WAIT_SECONDS),
        ("0", 0),
        ("17", 17),
        ("3600", MAX_WAIT_SECONDS),
        ("9" * 400, MAX_WAIT_SECONDS),
    ],
)
@pytest.mark.parametrize("body", [b"{}", b"<html>busy</html>", b""])
async def test_an_endpoint_that_asks_to_wait(
    body: bytes,
    header: str | None,
    seconds: float,
    worker: Worker,
    service: ScriptedService,
) -> None:
    """429 says how long to wait, within limits; the body does not matter."""
    service.otherwise = Raw(429, body, {"Retry-After": header} if header else {})
    error = await worker.failure()
    assert isinstance(error, Throttled)
    assert error.retry_after == seconds
    assert "MicrosoftAppId" in str(error)


async def test_an_endpoint_that_asks_to_wait_until(
    worker: Worker, service: ScriptedService
) -> None:
    """So does a date."""
    end = int(time.time()) + 60
    moment = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(end))
    service.otherwise = Reply(429, {}, {"Retry-After": moment})
    error = await worker.failure()
    assert isinstance(error, Throttled)
    assert end - time.time() <= error.retry_after <= 60


async def test_a_silent_endpoint(pool: HttpPool, service: ScriptedService) -> None:
    """A request to an endpoint that never responds times out."""
    service.server.faults.set(silent=True)
    async with asyncio.timeout(5):
        worker = Worker(pool, service.url, Timeouts(2, 0.05, 8))
        assert isinstance(await worker.failure(), EndpointDown)


async def test_a_closed_port(worker: Worker, service: ScriptedService) -> None:
    """So is one that is not there."""
    await service.server.stop()
    assert isinstance(await worker.failure(), EndpointDown)


@pytest.mark.parametrize("url", ["https://", "https://a..b/token", "nothing", "https://[a/"])
async def test_no_address(pool: HttpPool, url: str) -> None:
    """What is no address is an endpoint that is down too."""
    assert isinstance(await Worker(pool, url).failure(), EndpointDown)


async def test_the_loop_is_free(worker: Worker, service: ScriptedService) -> None:
    """The event loop runs while a response is awaited."""
    arrived, released = asyncio.Event(), asyncio.Event()

    async def held(_: web.Request) -> web.StreamResponse:
        arrived.set()
        await released.wait()
        return web.json_response({"a": 1})

    service.otherwise = held
    call = asyncio.create_task(worker.post())
    async with asyncio.timeout(30):
        await arrived.wait()
        await settled()
        assert not call.done()
        released.set()
        assert json.loads((await call).text) == {"a": 1}


async def test_connections_are_kept(worker: Worker, service: ScriptedService) -> None:
    """Requests share the pool's connection."""
    for _ in range(3):
        await worker.get()
        await worker.post()
    assert service.server.connections == 1


async def test_the_largest_answer(worker: Worker, service: ScriptedService) -> None:
    """An answer of MAX_RESPONSE_BYTES is read; a larger one is an outage, whose cause says why."""
    service.otherwise = Raw(200, b"{}" + b" " * (MAX_RESPONSE_BYTES - 2))
    assert (await worker.get()).status_code == 200
    service.otherwise = Raw(200, b"{}" + b" " * (MAX_RESPONSE_BYTES - 1))
    error = await worker.failure()
    assert isinstance(error, EndpointDown)
    assert isinstance(error.__cause__, ResponseTooLarge)
