"""How HttpPool connects: the host's addresses, TLS, and sockets of attempts that end early."""

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.server import Server
from http_client.pool import (
    CONNECTION_ATTEMPT_DELAY_SECONDS,
    ConnectFailed,
    HttpConnection,
    HttpPool,
    Timeouts,
)
from tests.support.timing.condition import comes_true
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.fickle_service import FickleService
from tests.support.wire.host_addresses import HOST, Address, closed_port, give_addresses


@pytest.fixture
async def eager() -> AsyncIterator[HttpPool]:
    """A pool that tries the next address after ten milliseconds."""
    pool = HttpPool(attempt_delay=0.01)
    yield pool
    await pool.close()


@pytest.fixture
async def sequential() -> AsyncIterator[HttpPool]:
    """A pool that tries the next address only after the previous one has failed."""
    pool = HttpPool(attempt_delay=60)
    yield pool
    await pool.close()


def test_the_connection_attempt_delay() -> None:
    """The default is a quarter of a second, as RFC 8305 recommends."""
    assert CONNECTION_ATTEMPT_DELAY_SECONDS == 0.25


CONNECTIONS_TO_FILL = 4
"""More than a listen queue of backlog 0 holds."""


@contextmanager
def dead_address(ip: str = LOOPBACK) -> Iterator[Address]:
    """An address that never answers: its listen queue is full, so the kernel drops connections."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket(family))
        full.bind((ip, 0))
        full.listen(0)
        for _ in range(CONNECTIONS_TO_FILL):
            caller = stack.enter_context(socket.socket(family))
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        yield full.getsockname()[:2]


async def test_a_dead_address(
    eager: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next address is tried while the attempt on a dead one is still pending."""
    with dead_address() as dead:
        give_addresses(monkeypatch, [dead, (LOOPBACK, server.port)])
        assert await eager.get_document(f"http://{HOST}/document") == b"xxx"
    assert server.connections == 1


async def test_the_attempt_delay(sequential: HttpPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other address is tried before the delay has passed."""
    with dead_address() as dead, socket.create_server((LOOPBACK, 0)) as spare:
        give_addresses(monkeypatch, [dead, spare.getsockname()])
        with pytest.raises(ConnectFailed):
            await sequential.request("GET", f"http://{HOST}/", timeouts=Timeouts(0.05, 5, 5))
        spare.setblocking(False)
        with pytest.raises(BlockingIOError):
            spare.accept()


async def test_an_address_that_refuses(
    sequential: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a refusal the next address is tried at once."""
    with closed_port() as closed:
        give_addresses(monkeypatch, [closed, closed, (LOOPBACK, server.port)])
        async with asyncio.timeout(10):
            assert await sequential.get_document(f"http://{HOST}/document") == b"xxx"


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
    """A resolver's error is a failed connection too."""
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
        await comes_true(lambda: len(open_files() - before) == dead)
        if how == "timeout":
            clock.move(60)
        else:
            asking.cancel()
        [error] = await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(error, ConnectFailed if how == "timeout" else asyncio.CancelledError)
        await comes_true(lambda: open_files() <= before)


async def test_a_cancelled_request_leaves_no_socket_open(
    pool: HttpPool, fickle: FickleService
) -> None:
    """A request that is cancelled at any moment closes its socket, once."""
    before = open_files()
    for turns in range(40):
        asking = asyncio.create_task(pool.request("GET", fickle.url))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await pool.close()
        await comes_true(lambda: open_files() <= before)
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
    asking = asyncio.create_task(pool.request("GET", fickle.url))
    with pytest.raises(asyncio.CancelledError):
        await asking
    await comes_true(lambda: open_files() <= before)


def open_files() -> set[tuple[str, int]]:
    """The files that this process has open, sockets included, each with what tells it from others.

    Not their number: a server of earlier tests, on another thread, may be closing some just now.
    """
    found = set()
    for file in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile, as the descriptor of the list is
            found.add((file.name, os.fstat(int(file.name)).st_ino))
    return found


async def test_small_messages_are_sent_at_once(server: Server) -> None:
    """Nagle's algorithm, which would delay some, is off."""
    sock = socket.create_connection((LOOPBACK, server.port))
    connection = HttpConnection([])
    await connection.open(sock, None, LOOPBACK)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection.close()


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
