"""HttpPool: one client for the process, which keeps connections and trusts nobody's directions."""

import asyncio
import gc
import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from emulator.certificates import CertificateAuthority
from emulator.loopback import LOOPBACK
from emulator.server import Server
from http_client.connection import ConnectFailed, HttpConnection, ResponseLost
from http_client.pool import (
    CONNECTION_ATTEMPT_DELAY_SECONDS,
    LARGEST_DOCUMENT,
    HttpPool,
    Timeouts,
)
from tests.support.timing.condition import comes_true
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.fickle_service import FickleService
from tests.support.wire.host_addresses import HOST, closed_port, dead_address, give_addresses


async def document(request: web.Request) -> web.Response:
    """As many bytes as the query says; tells which cookies came."""
    headers = {"X-Cookies": str(len(request.cookies)), "Set-Cookie": "a=b"}
    return web.Response(body=b"x" * int(request.query.get("size", "3")), headers=headers)


async def moved(_: web.Request) -> web.Response:
    """A redirect, to this server."""
    raise web.HTTPFound("/document")


async def stream(request: web.Request) -> web.StreamResponse:
    """A document without a length, which does not end by itself."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


BOMB = gzip.compress(b"\0" * 4 * LARGEST_DOCUMENT)


async def bomb(_: web.Request) -> web.Response:
    """A small body that unpacks to a large one."""
    return web.Response(body=BOMB, headers={"Content-Encoding": "gzip"})


async def echo(request: web.Request) -> web.Response:
    """What came, late for every second request."""
    body = await request.read()
    if body.endswith((b"1", b"3", b"5", b"7", b"9")):
        await asyncio.sleep(0)
    return web.Response(body=body)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Serves documents over plain HTTP."""
    routes = [
        web.get("/document", document),
        web.get("/moved", moved),
        web.get("/stream", stream),
        web.post("/echo", echo),
    ]
    server = Server("documents", routes)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    pool = HttpPool()
    yield pool
    await pool.close()


def test_nothing_is_opened_at_first() -> None:
    """The pool may be made outside of an event loop: the client is made on first use."""
    HttpPool()


async def test_connections_are_kept(pool: HttpPool, server: Server) -> None:
    """Document after document goes over one connection."""
    for _ in range(5):
        assert await pool.get_document(f"{server.url}/document") == b"xxx"
    assert server.connections == 1


async def test_many_at_once(pool: HttpPool, server: Server) -> None:
    """Each request has its own answer, however connections change hands."""

    async def ask(worker: int) -> None:
        for number in range(100):
            body = f"{worker} {number}".encode()
            assert (await pool.request("POST", f"{server.url}/echo", {}, body)).body == body

    async with asyncio.timeout(30):
        await asyncio.gather(*(ask(worker) for worker in range(16)))
    assert server.connections <= 16


async def test_close(pool: HttpPool, server: Server) -> None:
    """A closed pool has no connection, and opens new ones when it is used again."""
    await pool.close()
    for number in (1, 2):
        await pool.get_document(f"{server.url}/document")
        await pool.close()
        assert server.connections == number


async def test_redirects(pool: HttpPool, server: Server) -> None:
    """A redirect is no document, and not followed."""
    with pytest.raises(OSError, match="answered 302"):
        await pool.get_document(f"{server.url}/moved")
    assert server.requests["GET /document"] == 0


@pytest.mark.parametrize("status", [201, 204, 304, 400, 404, 429, 500, 503])
async def test_other_answers(status: int, pool: HttpPool, server: Server) -> None:
    """Nothing but 200 is a document."""
    server.faults.set(status=status)
    with pytest.raises(OSError, match=f"answered {status}"):
        await pool.get_document(f"{server.url}/document")


async def test_the_largest_document(pool: HttpPool, server: Server) -> None:
    """A document of the largest size is read whole; one byte more is too many."""
    url = f"{server.url}/document?size={LARGEST_DOCUMENT}"
    assert len(await pool.get_document(url)) == LARGEST_DOCUMENT
    with pytest.raises(OSError, match="too large"):
        await pool.get_document(f"{server.url}/document?size={LARGEST_DOCUMENT + 1}")


async def test_a_document_that_grows(pool: HttpPool, server: Server) -> None:
    """Reading ends at the largest size, whatever the length said."""
    with pytest.raises(OSError, match="too large"):
        await pool.get_document(f"{server.url}/stream")


async def test_nothing_is_unpacked(pool: HttpPool) -> None:
    """No packing is asked for; what comes packed all the same stays so, be it a bomb."""
    async with FickleService() as service:
        service.otherwise = bomb
        assert await pool.get_document(service.url) == BOMB
        assert service.seen[0].headers["Accept-Encoding"] == "identity"


async def test_a_closed_port(pool: HttpPool, server: Server) -> None:
    """A server that is not there is told as one error, with the URL."""
    await server.stop()
    with pytest.raises(OSError, match=f"{server.url} cannot be reached"):
        await pool.get_document(f"{server.url}/document")


@pytest.mark.parametrize(
    "url", ["", "no url", "ftp://localhost/", "http://[", "http://a..b/", "http://localhost:x/"]
)
async def test_not_a_url(url: str, pool: HttpPool) -> None:
    """So is something that is no URL."""
    with pytest.raises(ConnectFailed, match="cannot be reached"):
        await pool.get_document(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://user@{}/", "http://user:word@{}/", "http://{}@{}/", "http://{}#part"),
        *("http://{}/#part", "http://{}/a b", "http://{} /", "http://{}/\u00e9"),
        *("http://{}/\r\nX: y", "http://{}/\n", " http://{}/", "http://{}\\document"),
    ],
)
async def test_a_url_to_argue_about(url: str, pool: HttpPool, server: Server) -> None:
    """Nothing is sent to a URL that parsers read in different ways."""
    with pytest.raises(ConnectFailed, match="cannot be reached"):
        await pool.get_document(url.replace("{}", f"localhost:{server.port}"))
    assert server.requests.total() == 0


@pytest.mark.parametrize(
    "header", [{"X": "a\r\nY: b"}, {"X\nY": "b"}, {"X": "a\r"}, {"X": "\u20ac"}]
)
async def test_headers_that_cannot_be_sent(
    header: dict[str, str], pool: HttpPool, server: Server
) -> None:
    """A header with a second line in it, or with what HTTP has no byte for, sends nothing."""
    with pytest.raises(ConnectFailed, match="header"):
        await pool.request("GET", f"{server.url}/document", header)
    assert server.requests.total() == 0


@pytest.mark.parametrize("timeouts", [Timeouts(5, 0.05, 5), Timeouts(5, 5, 0.05)], ids=str)
async def test_a_silent_server(timeouts: Timeouts, pool: HttpPool, server: Server) -> None:
    """A server that takes requests and never answers is given up on, by the first bound."""
    server.faults.set(silent=True)
    async with asyncio.timeout(4):
        with pytest.raises(ResponseLost, match="late"):
            await pool.request("GET", f"{server.url}/document", timeouts=timeouts)


@pytest.mark.parametrize("timeouts", [Timeouts(0.05, 5, 5), Timeouts(5, 5, 0.05)], ids=str)
async def test_silence_in_the_handshake(timeouts: Timeouts, pool: HttpPool) -> None:
    """Connecting ends in time even when the port is open and TLS is never answered."""
    gone = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    silent = await asyncio.start_server(say_nothing, LOOPBACK, 0)
    port = silent.sockets[0].getsockname()[1]
    async with asyncio.timeout(5):
        with pytest.raises(ConnectFailed, match="cannot be reached"):
            await pool.request("GET", f"https://localhost:{port}/", timeouts=timeouts)
        await gone.wait()
    silent.close()
    await silent.wait_closed()


async def test_cookies_are_not_kept(pool: HttpPool, server: Server) -> None:
    """What one answer sets, no later request brings."""
    for _ in range(2):
        answer = await pool.request("GET", f"{server.url}/document")
        assert answer.headers["x-cookies"] == "0"


async def test_proxy_settings_are_not_read(
    pool: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy gets no request."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert await pool.get_document(f"{server.url}/document") == b"xxx"


# Connections that the server closes


@pytest.fixture(params=["http", "https"])
async def fickle(
    request: pytest.FixtureRequest,
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FickleService]:
    """A service that hangs up, without and with TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    tls: ssl.SSLContext | None = authority.server_context() if request.param == "https" else None
    async with FickleService(tls) as service:
        yield service


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """Signs the service's certificate."""
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


async def post(pool: HttpPool, service: FickleService) -> None:
    """Send a message."""
    assert (await pool.request("POST", f"{service.url}/v3/x", {}, b'{"text": 1}')).status == 200


async def test_a_connection_that_was_closed(pool: HttpPool, fickle: FickleService) -> None:
    """It is noticed in time: each message arrives once, over a new connection."""
    for number in range(1, 26):
        await post(pool, fickle)
        assert (len(fickle.seen), fickle.server.connections) == (number, number)
        fickle.close_idle()


async def test_all_connections_closed(pool: HttpPool, fickle: FickleService) -> None:
    """However many were closed, none is used again."""
    for number in range(1, 4):
        await asyncio.gather(*(post(pool, fickle) for _ in range(10)))
        assert (len(fickle.seen), fickle.server.connections) == (10 * number, 10 * number)
        fickle.close_idle()


async def test_a_connection_that_talks(pool: HttpPool, fickle: FickleService) -> None:
    """What comes unasked would be taken for the answer to the next request."""
    await post(pool, fickle)
    await fickle.send_unrequested()
    await post(pool, fickle)
    assert (len(fickle.seen), fickle.server.connections) == (2, 2)


async def hang_up(request: web.Request) -> web.Response:
    """Read the request, and close the connection without a word."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    ("method", "arrives"), [("GET", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1)]
)
async def test_a_used_connection_that_breaks(
    method: str, arrives: int, pool: HttpPool, fickle: FickleService
) -> None:
    """What may be done twice is sent once more, over a new connection; a POST is not."""
    await post(pool, fickle)
    fickle.script = [hang_up, hang_up]
    with pytest.raises(ResponseLost):
        await pool.request(method, f"{fickle.url}/v3/x")
    assert len(fickle.seen) == 1 + arrives


async def test_a_new_connection_that_breaks(pool: HttpPool, fickle: FickleService) -> None:
    """On a new connection nothing is sent twice: the server was there to take it."""
    fickle.script = [hang_up]
    with pytest.raises(ResponseLost):
        await pool.request("GET", f"{fickle.url}/v3/x")
    assert len(fickle.seen) == 1


async def test_closed_connections_are_let_go(pool: HttpPool, fickle: FickleService) -> None:
    """A connection that was closed is nowhere kept."""
    await asyncio.gather(*(post(pool, fickle) for _ in range(10)))
    fickle.close_idle()
    async with asyncio.timeout(5):
        while any(pool._idle.values()):  # noqa: ASYNC110  # nobody is told of a connection's end
            await asyncio.sleep(0.001)


async def test_a_used_connection_that_is_silent(pool: HttpPool, fickle: FickleService) -> None:
    """A server that is late on a used connection is there: it is not asked again."""
    await post(pool, fickle)
    fickle.server.faults.set(silent=True)
    before = fickle.server.requests.total()
    with pytest.raises(ResponseLost, match="late"):
        await pool.request("GET", f"{fickle.url}/v3/x", timeouts=Timeouts(5, 0.05, 5))
    assert fickle.server.requests.total() == before + 1


# Hosts with several addresses


@pytest.fixture
async def eager() -> AsyncIterator[HttpPool]:
    """Tries a host's next address after a moment."""
    pool = HttpPool(attempt_delay=0.01)
    yield pool
    await pool.close()


@pytest.fixture
async def patient() -> AsyncIterator[HttpPool]:
    """Tries a host's next address only after the one before it has failed."""
    pool = HttpPool(attempt_delay=60)
    yield pool
    await pool.close()


def test_the_connection_attempt_delay() -> None:
    """A quarter of a second, as RFC 8305 recommends."""
    assert CONNECTION_ATTEMPT_DELAY_SECONDS == 0.25


async def test_a_dead_address(
    eager: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next address is tried while the attempt on a dead one is still pending."""
    with dead_address() as dead:
        give_addresses(monkeypatch, [dead, (LOOPBACK, server.port)])
        assert await eager.get_document(f"http://{HOST}/document") == b"xxx"
    assert server.connections == 1


async def test_the_delay_is_kept(patient: HttpPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the delay is over, no other address is tried."""
    with dead_address() as dead, socket.create_server((LOOPBACK, 0)) as spare:
        give_addresses(monkeypatch, [dead, spare.getsockname()])
        with pytest.raises(ConnectFailed):
            await patient.request("GET", f"http://{HOST}/", timeouts=Timeouts(0.05, 5, 5))
        spare.setblocking(False)
        with pytest.raises(BlockingIOError):
            spare.accept()


async def test_an_address_that_refuses(
    patient: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next address is tried at once."""
    with closed_port() as closed:
        give_addresses(monkeypatch, [closed, closed, (LOOPBACK, server.port)])
        async with asyncio.timeout(10):
            assert await patient.get_document(f"http://{HOST}/document") == b"xxx"


async def test_both_kinds_of_addresses(
    eager: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPv6 and IPv4 alternate: a host with many dead IPv6 addresses is reached quickly."""
    with dead_address("::1") as dead:
        give_addresses(monkeypatch, [dead] * 1000 + [(LOOPBACK, server.port)])
        async with asyncio.timeout(5):
            assert await eager.get_document(f"http://{HOST}/document") == b"xxx"


async def test_no_address_answers(pool: HttpPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If every address fails, or there is none, the error says that nothing was sent."""
    with closed_port() as one, closed_port() as other:
        for addresses in ([one, other], [one], []):
            give_addresses(monkeypatch, addresses)
            with pytest.raises(ConnectFailed, match="cannot be reached"):
                await pool.get_document(f"http://{HOST}/document")


async def test_an_unknown_host_name(pool: HttpPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the resolver is reported in the same way."""
    give_addresses(monkeypatch, socket.gaierror(socket.EAI_NONAME, "unknown"))
    with pytest.raises(ConnectFailed, match="cannot be reached"):
        await pool.get_document(f"http://{HOST}/document")


@pytest.mark.parametrize("dead", [1, 3])
@pytest.mark.parametrize("how", ["timeout", "cancelled"])
async def test_sockets_to_dead_addresses_are_closed(
    dead: int, how: str, eager: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sockets that are still connecting are closed on a timeout, and on cancellation."""
    clock = MovedClock(monkeypatch)
    with dead_address() as address:
        give_addresses(monkeypatch, [address] * dead)
        before = open_files()
        asking = asyncio.create_task(
            eager.request("GET", f"http://{HOST}/", timeouts=Timeouts(60, 60, 60))
        )
        await comes_true(lambda: open_files() == before + dead)
        if how == "timeout":
            clock.move(60)
        else:
            asking.cancel()
        [error] = await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(error, ConnectFailed if how == "timeout" else asyncio.CancelledError)
        await comes_true(lambda: open_files() == before)


async def test_a_cancelled_request_leaves_no_socket_open(
    pool: HttpPool, fickle: FickleService
) -> None:
    """Whenever the request is cancelled, its socket is closed, and only once."""
    before = open_files()
    for turns in range(40):
        asking = asyncio.create_task(post(pool, fickle))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await pool.close()
        await comes_true(lambda: open_files() == before)
    gc.collect()  # an unclosed socket object would raise its ResourceWarning now


async def test_a_connection_that_comes_too_late_is_closed(
    pool: HttpPool, fickle: FickleService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the request is cancelled just as TLS is established, the connection is aborted."""
    before = open_files()
    made = HttpConnection.connection_made

    def made_too_late(connection: HttpConnection, transport: asyncio.BaseTransport) -> None:
        made(connection, transport)
        asking.cancel()

    monkeypatch.setattr(HttpConnection, "connection_made", made_too_late)
    asking = asyncio.create_task(post(pool, fickle))
    with pytest.raises(asyncio.CancelledError):
        await asking
    await comes_true(lambda: open_files() == before)


def open_files() -> int:
    """How many files, sockets included, this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


async def test_small_messages_are_sent_at_once(pool: HttpPool, fickle: FickleService) -> None:
    """Nagle's algorithm, which would delay some, is off."""
    await post(pool, fickle)
    [[connection]] = pool._idle.values()
    assert connection._transport is not None
    sock = connection._transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_server_without_tls(pool: HttpPool, server: Server) -> None:
    """A server that does not speak TLS cannot be reached."""
    with pytest.raises(ConnectFailed, match="cannot be reached"):
        await pool.get_document(f"https://localhost:{server.port}/document")


async def test_a_server_that_hangs_up_in_the_handshake(pool: HttpPool) -> None:
    """A server that closes the connection before TLS is established cannot be reached."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(hang_up, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectFailed, match="cannot be reached"):
            await pool.get_document(f"https://localhost:{port}/")


async def test_a_certificate_of_another_authority(pool: HttpPool, tmp_path: Path) -> None:
    """A server whose certificate is from an unknown authority cannot be reached."""
    async with FickleService(CertificateAuthority(tmp_path).server_context()) as service:
        with pytest.raises(ConnectFailed, match="cannot be reached"):
            await pool.get_document(service.url)
        assert service.seen == []
