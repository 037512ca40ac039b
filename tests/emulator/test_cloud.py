"""Cloud: its parts listen on loopback only, and start and stop together."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from auth.settings import Settings
from emulator.cloud import APP_TYPES, Cloud
from emulator.server import Server


async def reachable(host: str, server: Server) -> bool:
    """Somebody listens there; asked as a client would, so that the server sees the end too."""
    ours = ssl.create_default_context()
    ours.check_hostname, ours.verify_mode = False, ssl.CERT_NONE
    tls = ours if server.url.startswith("https") else None
    try:
        _, writer = await asyncio.open_connection(host, server.port, ssl=tls)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def some_reachable(host: str, cloud: Cloud) -> set[str]:
    """The parts of a cloud that listen on a host."""
    servers = cloud.servers.items()
    return {name for name, server in servers if await reachable(host, server)}


async def test_loopback_only(tmp_path: Path) -> None:
    """Every server listens on 127.0.0.1, and not on this machine's other addresses."""
    cloud = Cloud(tmp_path)
    await cloud.start()
    try:
        assert await some_reachable("127.0.0.1", cloud) == set(cloud.servers)
        # Another address of the loopback net: who listens on every address has it too.
        assert await some_reachable("127.0.0.2", cloud) == set()
    finally:
        await cloud.stop()
    assert await some_reachable("127.0.0.1", cloud) == set()


async def test_taken_port(tmp_path: Path) -> None:
    """When one port is taken, no part stays behind."""
    cloud = Cloud(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            await cloud.start({"switches": taken.getsockname()[1]})
    assert await some_reachable("127.0.0.1", cloud) == set()


@pytest.mark.parametrize("credential", list(APP_TYPES))
async def test_settings(credential: str, tmp_path: Path) -> None:
    """What the cloud tells an app are settings that the app accepts."""
    cloud = Cloud(tmp_path, credential)
    await cloud.start()
    settings = Settings.from_environ(cloud.settings())
    await cloud.stop()
    assert settings.credential == credential
    assert settings.service_urls.loopback
    assert not settings.unauthenticated
