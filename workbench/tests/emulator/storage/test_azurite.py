"""Azurite as a child process: its ports, its accounts and its data."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.loopback import free_port
from bot_workbench.emulator.storage.azurite import (
    DEVELOPMENT_STORAGE,
    PROGRAM,
    Azurite,
    AzuriteError,
    CertificateFiles,
    FolderInUseError,
    StoragePorts,
)
from bot_workbench.project import APP


@asynccontextmanager
async def running(one: Azurite) -> AsyncIterator[Azurite]:
    """Started, and stopped at the end."""
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


async def test_accounts_are_separate(storage: str, azurite: AzuriteAccounts) -> None:
    """A queue or container of one account is not visible in another; both services answer."""
    other = azurite.fresh()
    async with (
        QueueClient.from_connection_string(storage, "same") as queue,
        ContainerClient.from_connection_string(storage, "same") as container,
        QueueServiceClient.from_connection_string(other) as other_queues,
        BlobServiceClient.from_connection_string(other) as other_blobs,
    ):
        await queue.create_queue()
        await container.create_container()
        assert [each async for each in other_queues.list_queues()] == []
        assert [each async for each in other_blobs.list_containers()] == []


async def test_folder_keeps_what_was_stored(tmp_path: Path) -> None:
    """A queue in a folder is there after a restart, under another port and key."""
    for expected in (0, 1):
        async with (
            running(Azurite(tmp_path / "data")) as one,
            QueueServiceClient.from_connection_string(one.connection_string()) as queues,
        ):
            assert len([each async for each in queues.list_queues()]) == expected
            if not expected:
                await queues.create_queue("kept")


async def test_folder_of_another_is_refused(tmp_path: Path) -> None:
    """Two programs would corrupt a folder's data: the second one does not start."""
    async with running(Azurite(tmp_path)):
        with pytest.raises(FolderInUseError, match=str(tmp_path)):
            await Azurite(tmp_path).start()
    async with running(Azurite(tmp_path)):
        pass


ORPHANS = """
import asyncio, os, sys
from pathlib import Path
from bot_workbench.emulator.storage.azurite import Azurite

async def main():
    azurite = Azurite(Path(sys.argv[1]))
    await azurite.start()
    print(azurite.pid, flush=True)
    os._exit(1)

asyncio.run(main())
"""


async def test_orphan_keeps_its_folder(tmp_path: Path) -> None:
    """An Azurite whose run was killed still uses the folder, until it ends."""
    command = [sys.executable, "-c", ORPHANS, str(tmp_path)]
    killed = await asyncio.to_thread(
        subprocess.run, command, cwd=APP, stdout=subprocess.PIPE, check=False
    )
    orphan = int(killed.stdout)
    try:
        with pytest.raises(FolderInUseError):
            await Azurite(tmp_path).start()
    finally:
        os.kill(orphan, signal.SIGKILL)


async def test_ports_stay_the_same_after_a_restart() -> None:
    """After a stop the ports are closed, after the next start the same URLs work."""
    one = Azurite()
    async with running(one):
        text = one.connection_string()
    async with QueueClient.from_connection_string(text, "queue", retry_total=0) as queue:
        with pytest.raises(ServiceRequestError):
            await queue.create_queue()
        async with running(one):
            await queue.create_queue()


async def test_free_development_ports_are_development_storage() -> None:
    """On the development ports the connection string is the well-known short one."""
    ports = StoragePorts(free_port(), free_port(), free_port())
    async with running(Azurite(ports=ports, development_ports=ports)) as one:
        assert one.ports == ports
        assert one.connection_string() == DEVELOPMENT_STORAGE


async def test_taken_port_is_replaced() -> None:
    """A port in use is replaced by a free one; then the connection string is the long one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = StoragePorts(free_port(), taken.getsockname()[1], free_port())
        async with running(Azurite(ports=ports, development_ports=ports)) as one:
            assert one.ports.blob == ports.blob
            assert one.ports.queue != ports.queue
            text = one.connection_string()
            assert f"QueueEndpoint=http://127.0.0.1:{one.ports.queue}/devstoreaccount1" in text
            async with QueueClient.from_connection_string(text, "queue") as queue:
                await queue.create_queue()


async def test_blobs_are_never_in_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer may have set one for an Azurite of their own; its drivers are not bundled."""
    monkeypatch.setenv("AZURITE_DB", "mysql://root@127.0.0.1:9/azurite")
    async with running(Azurite()):
        pass


async def test_only_loopback_listens() -> None:
    """Nothing of it can be reached by another of this machine's addresses."""
    async with running(Azurite()) as one:
        for port in (one.ports.blob, one.ports.queue, one.ports.table):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.2", port)


class StorageToken:
    """A credential with a token of Entra's form for an audience."""

    def __init__(self, audience: str) -> None:
        self._audience = audience

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        """The token, whatever scope is asked for."""
        issuer = "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/"
        token = TokenIssuer().sign({"iss": issuer, "aud": self._audience}, lifetime=600)
        return AccessToken(token, 2**31)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> "StorageToken":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


async def test_https_takes_tokens(authority: CertificateAuthority) -> None:
    """With a certificate an Entra token is accepted, one for another audience is not."""
    files = CertificateFiles(*authority.server_files())
    async with running(Azurite(certificate=files)) as one:
        for audience, refused in (("https://storage.azure.com", False), ("https://x", True)):
            credential = StorageToken(audience)
            async with QueueClient(
                one.queue_url(),
                "queue",
                credential=credential,
                connection_verify=str(authority.path),
                retry_total=0,
            ) as queue:
                if refused:
                    with pytest.raises(ClientAuthenticationError):
                        await queue.get_queue_properties()
                else:
                    await queue.create_queue()


async def test_missing_program_is_named(tmp_path: Path) -> None:
    """Without the program the error says how to install it."""
    with pytest.raises(AzuriteError, match="make setup"):
        await Azurite(program=tmp_path / "none").start()


async def test_program_that_ends_is_an_error(tmp_path: Path) -> None:
    """A program that ends at every start is an error with its exit code."""
    program = tmp_path / "azurite.js"
    program.write_text("process.exit(3)")
    with pytest.raises(AzuriteError, match="exit code 3"):
        await Azurite(program=program).start()


async def test_port_taken_during_the_start(tmp_path: Path) -> None:
    """If Azurite ends because another program took its port, it is started again."""
    program = tmp_path / "azurite.js"
    mark = tmp_path / "started before"
    program.write_text(
        f"const fs = require('fs'), mark = {json.dumps(str(mark))}\n"
        "if (!fs.existsSync(mark)) { fs.writeFileSync(mark, ''); process.exit(1) }\n"
        f"require({json.dumps(str(PROGRAM))})"
    )
    async with (
        running(Azurite(program=program)) as one,
        QueueClient.from_connection_string(one.connection_string(), "queue") as queue,
    ):
        await queue.create_queue()


async def test_two_starts_at_the_same_time() -> None:
    """Of two runs that want the same ports one gets them, and the other one free ones."""
    ports = StoragePorts(free_port(), free_port(), free_port())
    first, second = (Azurite(ports=ports, development_ports=ports) for _ in range(2))
    await asyncio.gather(first.start(), second.start())
    try:
        assert sorted((first.is_development_storage, second.is_development_storage)) == [
            False,
            True,
        ]
        assert first.ports.queue != second.ports.queue
    finally:
        await first.stop()
        await second.stop()
