"""PoolTransport: what the Azure SDKs' clients send through the pool, and read of a response."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpResponse
from azure.core.rest import HttpRequest

from auth.outbound.azure_sdk import PoolTransport
from http_client.pool import HttpPool, Timeouts
from tests.support.wire.scripted_service import Reply, ScriptedService

MEGABYTE = 1024 * 1024


@pytest.fixture
async def service() -> AsyncIterator[ScriptedService]:
    """A service that responds as the test says."""
    async with ScriptedService() as service:
        yield service


async def answered(transport: PoolTransport, service: ScriptedService) -> AsyncHttpResponse:
    """The response to a GET."""
    return await transport.send(HttpRequest("GET", service.url))


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("content", ['{"value": "é€"}', b'{"value": "\xc3\xa9"}'], ids=type)
async def test_a_body(
    method: str, content: str | bytes, transport: PoolTransport, service: ScriptedService
) -> None:
    """Text and bytes are sent, with the number of bytes, which the SDK says wrongly for a text."""
    headers = {"Content-Type": "application/json", "X-More": "1"}
    response = await transport.send(
        HttpRequest(method, f"{service.url}/keys?a=b", headers=headers, content=content)
    )
    assert response.status_code == 200
    [seen] = service.seen
    expected = content.encode() if isinstance(content, str) else content
    assert (seen.method, seen.path, seen.query) == (method, "/keys", {"a": "b"})
    assert seen.body == expected
    assert seen.headers["Content-Length"] == str(len(expected))
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["X-More"] == "1"


async def test_no_body(transport: PoolTransport, service: ScriptedService) -> None:
    """The length that Key Vault's client gives a request without its body is sent once."""
    request = HttpRequest("POST", service.url, headers={"content-length": "0"})
    assert (await transport.send(request)).status_code == 200
    assert service.seen[0].body == b""


async def test_a_form_is_refused(transport: PoolTransport, service: ScriptedService) -> None:
    """Another body than text or bytes is not left out, but refused."""
    with pytest.raises(TypeError):
        await transport.send(HttpRequest("POST", service.url, data={"resource": "vault"}))
    assert service.seen == []


async def test_what_the_sdks_read(transport: PoolTransport, service: ScriptedService) -> None:
    """Status, reason, headers in any case, and the body as bytes, text and JSON."""
    service.otherwise = Reply(401, {"error": "é"}, {"WWW-Authenticate": "Bearer a=b"})
    request = HttpRequest("GET", service.url)
    response = await transport.send(request, stream=False)
    assert response.request.url == request.url
    assert (response.status_code, response.reason) == (401, "Unauthorized")
    assert response.headers["www-authenticate"] == response.headers["WWW-Authenticate"]
    assert response.content_type == "application/json; charset=utf-8"
    assert response.json() == {"error": "é"}  # type: ignore[attr-defined]  # of azure.core.rest
    assert response.text() == response.body().decode()
    with pytest.raises(HttpResponseError):
        response.raise_for_status()


async def test_a_page_in_another_encoding(
    transport: PoolTransport, service: ScriptedService
) -> None:
    """Bytes that are no UTF-8 do not hide the status."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(status=429, body="à bientôt".encode("latin-1"))

    service.otherwise = page
    response = await answered(transport, service)
    assert (response.status_code, response.text()) == (429, "\ufffd bient\ufffdt")


async def test_redirects_are_not_followed(
    transport: PoolTransport, service: ScriptedService
) -> None:
    """A redirect is the response."""
    service.script = [Reply(307, headers={"Location": f"{service.url}/elsewhere"})]
    response = await answered(transport, service)
    assert response.status_code == 307
    assert len(service.seen) == 1


@pytest.mark.parametrize("size", [MEGABYTE, MEGABYTE + 1])
async def test_the_maximum_size(
    size: int, transport: PoolTransport, service: ScriptedService
) -> None:
    """A response of a megabyte is read; a larger one is none."""

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=b" " * size)

    service.otherwise = large
    if size == MEGABYTE:
        assert len((await answered(transport, service)).body()) == size
    else:
        with pytest.raises(ServiceResponseError, match="too large"):
            await answered(transport, service)


async def test_a_head_that_drips(pool: HttpPool) -> None:
    """The time limit is one of the whole response, however often a part of it arrives."""
    closed = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not (reader.at_eof() or writer.transport.is_closing()):
            writer.write(b"X-Drip: 1\r\n")
            await asyncio.sleep(0.01)  # between two parts of the head; nothing waits for it
        writer.close()
        closed.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server, asyncio.timeout(30):
        port = server.sockets[0].getsockname()[1]
        transport = PoolTransport(pool, Timeouts(connect=30, response=0.1, total=60))
        with pytest.raises(ServiceResponseError, match="late"):
            await transport.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"))
        await closed.wait()


async def test_no_connection(transport: PoolTransport, service: ScriptedService) -> None:
    """Where nothing listens, nothing was sent."""
    await service.stop()
    with pytest.raises(ServiceRequestError, match="cannot be reached"):
        await answered(transport, service)
