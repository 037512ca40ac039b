"""The proxy: HTTP clients reach the stand-ins through it, under public names, and no others."""

import asyncio
import os
import socket
import ssl

import aiohttp
import pytest
import requests
import urllib3

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.network.connect_proxy import ConnectProxy
from bot_workbench.emulator.network.public_names import PublicNames
from bot_workbench.emulator.server import Server

URL = "https://graph.microsoft.com/greeting"
GREETING = "hello from graph.microsoft.com"


@pytest.fixture
def shell(
    proxy: ConnectProxy, authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables by which a client finds the proxy and trusts the stand-ins."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(authority.path))


@pytest.mark.usefixtures("shell")
async def test_requests(proxy: ConnectProxy) -> None:
    """Requests finds the proxy by the environment, as azure-core, MSAL and az do."""
    answer = await asyncio.to_thread(requests.get, URL, timeout=60)
    assert answer.text == GREETING
    assert proxy.tunnels == {"graph.microsoft.com": 1}


async def test_urllib3(proxy: ConnectProxy, authority: CertificateAuthority) -> None:
    """urllib3's ProxyManager is enough."""

    def get() -> bytes:
        with urllib3.ProxyManager(proxy.url, ca_certs=str(authority.path)) as pool:
            return pool.request("GET", URL).data

    assert await asyncio.to_thread(get) == GREETING.encode()


@pytest.mark.usefixtures("shell")
async def test_aiohttp(authority: CertificateAuthority) -> None:
    """Aiohttp finds the proxy by the environment if it is asked to."""
    trust = ssl.create_default_context(cafile=str(authority.path))
    async with (
        aiohttp.ClientSession(trust_env=True) as session,
        session.get(URL, ssl=trust) as answer,
    ):
        assert await answer.text() == GREETING


@pytest.mark.usefixtures("shell")
async def test_curl() -> None:
    """Curl does so too."""
    curl = await asyncio.create_subprocess_exec(
        "curl", "-sS", "--max-time", "60", URL, env=dict(os.environ), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await curl.communicate()
    assert output.decode() == GREETING


async def answered(proxy: ConnectProxy, request: bytes) -> bytes:
    """What the proxy sends for a request until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "target", ["pypi.org:443", "microsoft.com:443", "a.b.vault.azure.net:443", "127.0.0.1:443"]
)
async def test_other_names_are_refused(proxy: ConnectProxy, target: str) -> None:
    """A name without a stand-in is answered 403, and nothing is connected."""
    answer = await answered(proxy, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert proxy.refused == {target: 1}
    assert not proxy.tunnels


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("CONNECT graph.microsoft.com:80 HTTP/1.1", 403),
        ("GET http://graph.microsoft.com/ HTTP/1.1", 403),
        ("GET http://graph.microsoft.com:443 HTTP/1.1", 403),
        ("nonsense", 400),
    ],
)
async def test_only_tls_is_offered(proxy: ConnectProxy, request_line: str, status: int) -> None:
    """Other ports and plain HTTP are refused, even for a known name."""
    answer = await answered(proxy, f"{request_line}\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


async def test_a_stand_in_that_is_down(proxy: ConnectProxy, service: Server) -> None:
    """A stand-in that does not listen is a 502, so that clients treat it as an outage."""
    await service.stop()
    assert (await answered(proxy, b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n\r\n")).startswith(
        b"HTTP/1.1 502 "
    )


async def test_wildcards_and_removed_names(proxy: ConnectProxy, names: PublicNames) -> None:
    """A wildcard leads to its stand-in until it is removed; letter case does not matter."""
    connect = b"CONNECT Contoso.vault.azure.net:443 HTTP/1.1\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(connect)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await writer.wait_closed()
    assert proxy.tunnels == {"contoso.vault.azure.net": 1}
    names.remove("*.VAULT.azure.net")
    assert (await answered(proxy, connect)).startswith(b"HTTP/1.1 403 ")


@pytest.mark.usefixtures("service")
async def test_stop_closes_tunnels(names: PublicNames) -> None:
    """A stopped proxy closes open tunnels on both sides and accepts no caller."""
    proxy = ConnectProxy(names)
    await proxy.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await proxy.stop()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(1), 60)
    writer.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", proxy.port)


def test_stop_closes_a_connection_that_was_accepted_just_now() -> None:
    """A caller whose task has not run yet does not keep the proxy from stopping.

    On asyncio's own loop, as in `make azure`: its servers wait for all callers.
    """

    async def stop() -> None:
        proxy = ConnectProxy(PublicNames())
        await proxy.start()
        with socket.create_connection(("127.0.0.1", proxy.port)):
            while "ConnectProxy." not in str(asyncio.all_tasks()):  # noqa: ASYNC110  # each step counts
                await asyncio.sleep(0)
            await asyncio.wait_for(proxy.stop(), 60)

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(stop())
