"""What a caller receives of a function."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.bots.bot_process import BotProcess
from tests.support.wire.host_client import HostClient


async def test_functions_of_all_kinds_answer(client: HostClient) -> None:
    """Async and sync functions, a blueprint's, one without a route: all are served."""
    assert await client.answer("/api/from-a-blueprint") == (200, "blueprint")
    status, thread = await client.answer("/api/unrouted")
    assert status == 200
    assert thread != "MainThread"


async def test_response_keeps_status_headers_and_bytes(client: HostClient) -> None:
    """Status, headers, content type and a binary body arrive as the function set them."""
    async with client.session.get("/api/created") as response:
        assert response.status == 201
        assert response.headers["Location"] == "/api/text"
        assert response.content_type == "image/png"
        assert await response.read() == bytes(range(256))


COOKIES = {
    "a=1": "a=1; domain=; path=",
    "a=1/2+3; Path=/": "a=1%2F2%2B3; domain=; path=/",
    "a=; Max-Age=5; Domain=x.example; Secure; HttpOnly; SameSite=Lax": (
        "a=; max-age=5; domain=x.example; path=; secure; samesite=lax; httponly"
    ),
    "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; SameSite=None": (
        "a=1; expires=Wed, 21 Oct 2026 07:28:00 GMT; domain=; path=; samesite=none"
    ),
}
"""What a function sets, and what arrives."""


@pytest.mark.parametrize("cookie", COOKIES)
async def test_cookies(client: HostClient, cookie: str) -> None:
    """A cookie arrives as ASP.NET Core writes it; of several, the last."""
    headers = [("Set-Cookie", "b=2"), ("Set-Cookie", cookie)]
    async with client.session.post("/api/headers", json=headers) as response:
        assert response.headers.getall("Set-Cookie") == [COOKIES[cookie]]


UNSENDABLE = [
    ("X-A", "gr\u00fc\u00df"),
    ("X-A", "\x7f"),
    ("X A", "a"),
    ("X-\u00fc", "a"),
    ("Set-Cookie", 'a=1; Path="\u00fc"'),
    ("Content-Length", "3"),
    ("Content-Length", "5"),
    ("Content-Length", "x"),
]


@pytest.mark.parametrize("header", UNSENDABLE)
async def test_header_that_kestrel_refuses_is_500(
    client: HostClient, host: BotProcess, header: tuple[str, str]
) -> None:
    """Other characters, or another length than the body's, make 500, which the log explains."""
    async with client.session.post("/api/headers", json=[header]) as response:
        assert (response.status, await response.read()) == (500, b"")
    assert f"headers failed: its header {header[0]!r} cannot be sent" in host.log.read_text()


async def test_headers_of_the_server(client: HostClient) -> None:
    """What the server writes itself is sent once, even if the function sets it."""
    headers = [("Content-Length", "4"), ("Date", "x"), ("Transfer-Encoding", "chunked")]
    async with client.session.post("/api/headers", json=headers) as response:
        assert response.headers.getall("Content-Length") == ["4"]
        assert len(response.headers.getall("Date")) == 1
        assert await response.text() == "four"


async def test_returned_text_is_plain_text(client: HostClient) -> None:
    """A function that returns a str answers 200 with it, UTF-8."""
    async with client.session.get("/api/text") as response:
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert await response.text() == "gr\u00fc\u00df dich"


async def test_response_set_on_an_output_parameter(client: HostClient) -> None:
    """A response may be set on a parameter; one that is not set makes 204."""
    assert await client.answer("/api/by-parameter?answer=1") == (202, "set")
    assert await client.answer("/api/by-parameter") == (204, "")


@pytest.mark.parametrize("path", ["/api/raises", "/api/none"])
async def test_failed_function_is_500_with_an_empty_body(client: HostClient, path: str) -> None:
    """A function that raises or returns None answers 500 and reveals nothing."""
    assert await client.answer(path) == (500, "")


async def test_failure_is_logged_with_its_trace(client: HostClient, host: BotProcess) -> None:
    """The log has the exception, its text and the app's line."""
    await client.answer("/api/raises")
    log = host.log.read_text()
    assert "ERROR bot_workbench.emulator.functions.server: raises failed: Traceback" in log
    assert "LookupError: what went wrong" in log
    assert "function_app.py" in log


UNKNOWN = [
    ("PUT", "/api/echo"),
    ("GET", "/api/lasting"),
    ("GET", "/api/nothing"),
    ("GET", "/echo"),
    ("GET", "/api"),
]


@pytest.mark.parametrize(("method", "path"), UNKNOWN)
async def test_unknown_path_or_wrong_method_is_404(
    client: HostClient, method: str, path: str
) -> None:
    """A wrong method is as unknown as a wrong path."""
    assert await client.answer(path, method) == (404, "")


@asynccontextmanager
async def raw_connection(
    host: BotProcess, request: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which these bytes were sent, as no HTTP client would."""
    port = int(host.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("localhost", port)
    writer.write(request)
    yield reader, writer
    writer.close()
    await writer.wait_closed()


async def test_header_that_is_not_utf_8_is_400(host: BotProcess) -> None:
    """Bytes that no function could read as text are refused before it."""
    request = b"GET /api/text HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\r\n\r\n"
    async with raw_connection(host, request) as (reader, _):
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")


async def test_caller_that_leaves_amid_its_body_is_no_fault(
    client: HostClient, host: BotProcess
) -> None:
    """A body that breaks off reaches no function and leaves no trace in the log."""
    request = b"POST /api/lasting HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nonly"
    async with raw_connection(host, request) as (reader, writer):
        writer.write_eof()
        await reader.read()
    assert (await client.answer("/api/text"))[0] == 200
    assert "ConnectionResetError" not in host.log.read_text()


async def test_front_page_is_one_line(client: HostClient) -> None:
    """GET / says that the host runs."""
    status, text = await client.answer("/")
    assert status == 200
    assert len(text.splitlines()) == 1


async def test_host_status_is_running(client: HostClient, master_key: str) -> None:
    """The status endpoint says that functions are served."""
    assert await client.json(f"/admin/host/status?code={master_key}") == {"state": "Running"}


async def test_log_has_no_header_body_or_query(client: HostClient, host: BotProcess) -> None:
    """A call leaves one line with the function's name, status and time, and nothing of its data."""
    await client.echo(
        "/api/echo/param-secret?q=query-secret",
        data=b"body-secret",
        headers={"Authorization": "Bearer header-secret"},
    )
    log = host.log.read_text()
    assert "secret" not in log
    assert re.search(
        r"INFO bot_workbench.emulator.functions.server: echo answered 200 in [\d.]+ ms\n", log
    )
    assert "Function name" not in log


async def test_only_loopback_listens(host: BotProcess) -> None:
    """The host cannot be reached by another of this machine's addresses."""
    port = int(host.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", port)
