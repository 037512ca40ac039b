"""Name resolution: a process has public names that lead to the stand-ins, and no others."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from bot_workbench.emulator.network.name_resolution import lookup_in
from bot_workbench.emulator.network.public_names import PublicNames
from bot_workbench.emulator.server import Server
from tests.support.project import ROOT

URL = "https://contoso.vault.azure.net/greeting"


@pytest.fixture
def file(tmp_path: Path, service: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which this process looks names up, with every vault's name."""
    file = tmp_path / "names.json"
    PublicNames(file).add("*.vault.azure.net", service.port)
    monkeypatch.setattr(socket, "getaddrinfo", lookup_in(file, socket.getaddrinfo))
    return file


@pytest.mark.usefixtures("file", "trust")
async def test_clients_reach_a_stand_in() -> None:
    """Clients reach the stand-in under its public name, without a proxy."""
    text = "hello from contoso.vault.azure.net"
    assert (await asyncio.to_thread(requests.get, URL, timeout=60)).text == text


@pytest.mark.usefixtures("file")
def test_asyncio_looks_names_up_there(service: Server) -> None:
    """Asyncio's own loop finds the stand-in, too."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        loop = runner.get_loop()
        (first, *_) = runner.run(loop.getaddrinfo("contoso.vault.azure.net", 443))
    assert first[4] == ("127.0.0.1", service.port)


ON_UVLOOP = """
import asyncio, pathlib, socket, sys, uvloop
from bot_workbench.emulator.network.name_resolution import resolve_names

resolve_names(pathlib.Path(sys.argv[1]))

async def ports(host):
    loop = asyncio.get_running_loop()
    (found, *_) = await loop.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    connected, _ = await loop.create_connection(asyncio.Protocol, host, 443)
    return found[4][1], connected.get_extra_info("peername")[1]

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    print(*runner.run(ports("contoso.vault.azure.net")))
    try:
        runner.run(ports("pypi.org"))
    except socket.gaierror as error:
        print(error)
"""


def test_uvloop_looks_names_up_there(tmp_path: Path, service: Server) -> None:
    """A lookup and a connection on uvloop find the stand-in, and nothing else."""
    file = tmp_path / "names.json"
    PublicNames(file).add("*.vault.azure.net", service.port)
    command = [sys.executable, "-c", ON_UVLOOP, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=60)
    found, unknown = done.stdout.splitlines()
    assert found == f"{service.port} {service.port}"
    assert "pypi.org:443 has no stand-in" in unknown


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("name", ["pypi.org", "vault.azure.net", "login.microsoftonline.com"])
def test_other_names_are_unknown(name: str) -> None:
    """A name without a stand-in does not exist, as if there were no network."""
    with pytest.raises(socket.gaierror, match=f"{name}:443 has no stand-in"):
        socket.getaddrinfo(name, 443)


def test_names_added_later_are_found(file: Path, service: Server) -> None:
    """A name is found as soon as it is in the file; other ports than HTTPS are not."""
    PublicNames(file).add("login.microsoftonline.com", service.port)
    (first, *_) = socket.getaddrinfo("login.microsoftonline.com", "https")
    assert first[4] == ("127.0.0.1", service.port)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("login.microsoftonline.com", 80)


@pytest.mark.usefixtures("file")
def test_this_machine_keeps_its_names() -> None:
    """Names of this machine lead where they always do."""
    for name in ("localhost", "127.0.0.1"):
        assert socket.getaddrinfo(name, 8080)[0][4][1] == 8080
