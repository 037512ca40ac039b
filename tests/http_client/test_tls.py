"""TlsContext: a TLS session is resumed only with the host that it was established with."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot_workbench.emulator.certificates import CertificateAuthority
from http_client.pool import MAX_HOSTS, MAX_VERIFICATION_AGE_SECONDS, HttpPool, TlsContext
from tests.support.timing.clock import Clock
from tests.support.wire.scripted_service import ScriptedService

HOST = "localhost"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """Signs the servers' certificates."""
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tls(authority: CertificateAuthority, clock: Clock) -> TlsContext:
    """A client's context that trusts the authority alone."""
    context = TlsContext(clock)
    context.load_verify_locations(authority.path)
    return context


class Greeter:
    """A TLS server that greets.

    Args:
        tls: the server's context; a server with another context does not know its sessions.

    Attributes:
        resumed: of each connection, whether it resumed a session.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self.resumed: list[bool] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen, and yield the port."""
        async with await asyncio.start_server(self._greet, "127.0.0.1", ssl=self._tls) as server:
            yield server.sockets[0].getsockname()[1]

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.resumed.append(writer.get_extra_info("ssl_object").session_reused)
        writer.write(b"hello\n")
        await reader.read()
        writer.close()


@pytest.fixture
def greeter(authority: CertificateAuthority) -> Greeter:
    return Greeter(authority.server_context())


async def greeted(port: int, tls: ssl.SSLContext, host: str = HOST) -> None:
    """Connect, read the greeting, and disconnect."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=host)
    assert await reader.readline() == b"hello\n"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_same_host(
    authority: CertificateAuthority, tls: TlsContext, version: ssl.TLSVersion
) -> None:
    """Every connection but the first resumes, with either version of TLS."""
    theirs = authority.server_context()
    theirs.minimum_version = theirs.maximum_version = version
    greeter = Greeter(theirs)
    async with greeter.listening() as port:
        for _ in range(4):
            await greeted(port, tls)
    assert greeter.resumed == [False, True, True, True]


async def test_connections_at_once(greeter: Greeter, tls: TlsContext) -> None:
    """Concurrent connections all resume the session that is cached."""
    async with greeter.listening() as port:
        await greeted(port, tls)
        await asyncio.gather(*(greeted(port, tls) for _ in range(10)))
    assert greeter.resumed == [False] + [True] * 10


async def test_another_host_name(greeter: Greeter, tls: TlsContext) -> None:
    """Another name of the same server needs a full handshake, and then has its own session."""
    async with greeter.listening() as port:
        for host in (HOST, "127.0.0.1", HOST, "127.0.0.1"):
            await greeted(port, tls, host)
    assert greeter.resumed == [False, False, True, True]


async def test_a_host_name_that_the_certificate_does_not_have(
    greeter: Greeter, tls: TlsContext
) -> None:
    """A certificate that lacks the host name is refused, although a session is cached."""
    async with greeter.listening() as port:
        await greeted(port, tls)
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError):
                await greeted(port, tls, "other.example")
        await greeted(port, tls)
    assert greeter.resumed == [False, True]


async def test_a_server_that_refuses_the_session(
    authority: CertificateAuthority, greeter: Greeter, tls: TlsContext
) -> None:
    """A server that does not know the session needs a full handshake; the new one is resumed."""
    other = Greeter(authority.server_context())
    async with greeter.listening() as port, other.listening() as other_port:
        await greeted(port, tls)
        await greeted(other_port, tls)
        await greeted(other_port, tls)
    assert (greeter.resumed, other.resumed) == ([False], [False, True])


async def test_an_impostor(greeter: Greeter, tls: TlsContext, tmp_path: Path) -> None:
    """A server that cannot resume the session must present a certificate, which is verified."""
    impostor = Greeter(CertificateAuthority(tmp_path).server_context())
    async with greeter.listening() as port, impostor.listening() as other_port:
        await greeted(port, tls)
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError):
                await greeted(other_port, tls)
        await greeted(port, tls)
    assert (greeter.resumed, impostor.resumed) == ([False, True], [])


async def test_a_certificate_is_verified_again(
    greeter: Greeter, tls: TlsContext, clock: Clock
) -> None:
    """After an hour of resumed sessions, a full handshake verifies the certificate again."""
    async with greeter.listening() as port:
        await greeted(port, tls)
        for _ in range(2):
            clock.advance(MAX_VERIFICATION_AGE_SECONDS / 2)
            await greeted(port, tls)
        await greeted(port, tls)
    assert greeter.resumed == [False, True, False, True]


async def test_cached_hosts_are_limited(greeter: Greeter, tls: TlsContext) -> None:
    """The number of cached hosts is limited; the one not connected to for longest goes first."""
    tls.check_hostname = False
    names = [f"{number}.example" for number in range(MAX_HOSTS)]
    async with greeter.listening() as port:
        for name in (*names, names[0], "one-more.example", names[0], names[1]):
            await greeted(port, tls, name)
    assert greeter.resumed == [False] * MAX_HOSTS + [True, False, True, False]


async def test_other_contexts(authority: CertificateAuthority, greeter: Greeter) -> None:
    """A context does not resume the sessions of another."""
    async with greeter.listening() as port:
        for _ in range(2):
            context = TlsContext()
            context.load_verify_locations(authority.path)
            await greeted(port, context)
    assert greeter.resumed == [False, False]


def test_settings() -> None:
    """Versions, ciphers, checks and trusted authorities are the standard library's defaults."""
    theirs, ours = ssl.create_default_context(), TlsContext()
    assert ours.get_ca_certs() == []
    ours.load_default_certs()
    for name in (
        "protocol",
        "options",
        "verify_flags",
        "verify_mode",
        "check_hostname",
        "hostname_checks_common_name",
        "minimum_version",
        "maximum_version",
        "security_level",
        "post_handshake_auth",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.get_ciphers() == theirs.get_ciphers()
    assert ours.get_ca_certs() == theirs.get_ca_certs()


async def test_the_pool_resumes(
    authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests to a server that closes each connection need one full handshake in total."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    pool = HttpPool()
    resumed: list[bool] = []

    async def close_after_answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        resumed.append(request.transport.get_extra_info("ssl_object").session_reused)
        return web.Response(headers={"Connection": "close"})

    async with ScriptedService(authority.server_context()) as service:
        service.otherwise = close_after_answer
        for _ in range(3):
            await pool.get_document(f"{service.url}/document")
        await pool.close()
    assert resumed == [False, True, True]
