"""Azurite: Microsoft's emulator of Azure Storage, run as a child process on loopback."""

import asyncio
import base64
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from bot_workbench.emulator.child import Child
from bot_workbench.emulator.loopback import LOOPBACK, free_port, may_listen
from bot_workbench.file_lock import FileLock, user_file
from bot_workbench.project import APP
from bot_workbench.setup.npm import node_command
from bot_workbench.setup.tools import AZURITE

PROGRAM = AZURITE.file
DEVELOPMENT_STORAGE = "UseDevelopmentStorage=true"
DEVELOPMENT_ACCOUNT = "devstoreaccount1"

START_TIMEOUT_SECONDS = 30.0
MAX_STARTS = 3
"""Another program may take a free port before Azurite listens on it."""
ACCOUNT_KEY_BYTES = 64


class AzuriteError(Exception):
    """Azurite does not run; the text says what to do."""


class FolderInUseError(AzuriteError):
    """Another Azurite keeps its data in the folder; two would corrupt it."""


class EndedError(AzuriteError):
    """Azurite ended while it started."""


@dataclass(frozen=True)
class StoragePorts:
    """The TCP ports of the three services; 0 takes a free one."""

    blob: int = 0
    queue: int = 0
    table: int = 0


DEVELOPMENT_PORTS = StoragePorts(10000, 10001, 10002)
"""Where every client looks for `UseDevelopmentStorage=true`."""


@dataclass(frozen=True)
class CertificateFiles:
    """PEM files of a server's certificate and of its key, unencrypted."""

    certificate: Path
    key: Path


class Azurite:
    """Blob, queue and table storage on 127.0.0.1.

    Account keys are random. Only the account of `UseDevelopmentStorage=true` has the published key:
    it exists if Azurite listens on the development ports and no other accounts are named.

    Args:
        folder: keeps the data across runs, and is created if missing; None keeps it in memory.
        ports: where it should listen; a port that is in use is replaced by a free one.
        accounts: names of the storage accounts (3 to 24 lower-case letters and digits); none: the
            development account alone.
        certificate: serves HTTPS, which Entra's tokens for https://storage.azure.com need; they
            are then accepted beside the account keys, their signature unchecked. None: HTTP.
        program: the path of `azurite`.
        development_ports: where clients look for `UseDevelopmentStorage=true`.
        loose: ignore headers that Azurite does not support, such as those of old SDKs, instead of
            refusing the requests.
    """

    def __init__(
        self,
        folder: Path | None = None,
        ports: StoragePorts = StoragePorts(),
        accounts: Sequence[str] = (),
        certificate: CertificateFiles | None = None,
        program: Path = PROGRAM,
        development_ports: StoragePorts = DEVELOPMENT_PORTS,
        *,
        loose: bool = False,
    ) -> None:
        self._folder = folder
        self._wanted = ports
        self._certificate = certificate
        self._program = program
        self._development_ports = development_ports
        self._loose = loose
        self._has_named_accounts = bool(accounts)
        self._keys = {name: _new_key() for name in accounts or (DEVELOPMENT_ACCOUNT,)}
        self._child: Child | None = None
        self._lock: FileLock | None = None
        self.ports = StoragePorts()
        """Where it listens, once it is started."""

    @property
    def pid(self) -> int:
        """The program's process id, once it is started.

        Raises:
            RuntimeError: it was never started.
        """
        if self._child is None:
            raise RuntimeError("Azurite is not started")
        return self._child.pid

    @property
    def is_development_storage(self) -> bool:
        """Whether clients with `UseDevelopmentStorage=true` use this one."""
        plain = self._certificate is None and not self._has_named_accounts
        return plain and self.ports == self._development_ports

    async def start(self) -> None:
        """Start it, and wait until blob and queue answer.

        Raises:
            FolderInUseError: another Azurite uses the folder.
            AzuriteError: the program is missing, ended, or does not answer in time.
        """
        if not node_command(self._program):
            raise AzuriteError(
                "Azurite or Node.js is missing: install Node.js (https://nodejs.org), then run"
                " `make setup`."
            )
        self._lock = self._locked_folder()
        try:
            any_ports = self._wanted == StoragePorts()
            async with contextlib.nullcontext() if any_ports else _port_lock():
                await self._start_on_free_ports()
        except AzuriteError:
            await self.stop()
            raise

    async def _start_on_free_ports(self) -> None:
        for _ in range(MAX_STARTS - 1):
            with contextlib.suppress(EndedError):
                return await self._start_once()
        return await self._start_once()

    async def _start_once(self) -> None:
        # After a stop it listens on the same ports again.
        wanted = self._wanted if self.ports == StoragePorts() else self.ports
        self.ports = StoragePorts(*(_port(each) for each in astuple(wanted)))
        # The child holds the lock too: an orphan of a killed run still uses the folder.
        locks = () if self._lock is None else self._lock.inheritable
        self._child = Child(self._command(), self._environ(), APP, quiet=True, descriptors=locks)
        await self._child.start()
        await self._wait_until_it_answers(self._child)

    async def stop(self) -> None:
        """End it; data in memory is lost."""
        if self._child is not None:
            await self._child.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def blob_url(self, account: str = DEVELOPMENT_ACCOUNT) -> str:
        """The account's blob endpoint, without a slash at the end."""
        return f"{self._url(self.ports.blob)}/{account}"

    def queue_url(self, account: str = DEVELOPMENT_ACCOUNT) -> str:
        """The account's queue endpoint, without a slash at the end."""
        return f"{self._url(self.ports.queue)}/{account}"

    def connection_string(self, account: str = DEVELOPMENT_ACCOUNT) -> str:
        """The value for AzureWebJobsStorage: endpoints and key, or `UseDevelopmentStorage=true`.

        Raises:
            KeyError: there is no such account.
        """
        if self.is_development_storage:
            return DEVELOPMENT_STORAGE
        parts = {
            "DefaultEndpointsProtocol": "https" if self._certificate else "http",
            "AccountName": account,
            "AccountKey": self._keys[account],
            "BlobEndpoint": self.blob_url(account),
            "QueueEndpoint": self.queue_url(account),
            "TableEndpoint": f"{self._url(self.ports.table)}/{account}",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items())

    def _url(self, port: int) -> str:
        return f"{'https' if self._certificate else 'http'}://{LOOPBACK}:{port}"

    def _command(self) -> list[str]:
        command = [
            *node_command(self._program),
            "--disableTelemetry",
            "--silent",
            "--skipApiVersionCheck",
        ]
        for service in ("blob", "queue", "table"):
            command += [f"--{service}Host", LOOPBACK]
            command += [f"--{service}Port", str(getattr(self.ports, service))]
        if self._folder is None:
            command += ["--inMemoryPersistence"]
        else:
            command += ["--location", str(self._folder.absolute())]
        if self._loose:
            command += ["--loose"]
        if self._certificate is not None:
            files = self._certificate
            command += ["--oauth", "basic"]
            command += ["--cert", str(files.certificate), "--key", str(files.key)]
        return command

    def _environ(self) -> Mapping[str, str]:
        # AZURITE_DB would keep blobs in an SQL database, in place of the folder or memory.
        ignored = ("AZURITE_ACCOUNTS", "AZURITE_DB")
        environ = {name: text for name, text in os.environ.items() if name not in ignored}
        if self.is_development_storage:
            return environ
        accounts = ";".join(f"{name}:{key}" for name, key in self._keys.items())
        return environ | {"AZURITE_ACCOUNTS": accounts}

    def _locked_folder(self) -> FileLock | None:
        if self._folder is None:
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / "lock")
        if not lock.taken():
            lock.close()
            raise FolderInUseError(
                f"Another Azurite keeps its data in {self._folder}: stop it, or choose a folder."
            )
        return lock

    async def _wait_until_it_answers(self, child: Child) -> None:
        try:
            for url in (self.blob_url(), self.queue_url()):
                await child.answers(url, START_TIMEOUT_SECONDS)
        except TimeoutError as error:
            raise AzuriteError(
                f"Azurite does not answer after {START_TIMEOUT_SECONDS:.0f} s."
            ) from error
        except ChildProcessError as error:
            raise EndedError(
                f"Azurite ended with exit code {error} while it started: update Node.js"
                " (https://nodejs.org), then run `make setup`."
            ) from error


@asynccontextmanager
async def _port_lock() -> AsyncIterator[None]:
    """One run at a time looks for free ports and starts: two would find the same ones free, and the
    second would take the first one's Azurite for its own.
    """
    with FileLock(user_file("azurite-ports")) as lock:
        # Not in a thread: a child that is forked while another thread runs may never start.
        while not lock.taken():  # noqa: ASYNC110  # another process gives no sign
            await asyncio.sleep(0.05)
        yield


def _port(wanted: int) -> int:
    """The wanted port if it is free, else another one."""
    return wanted if wanted and may_listen(wanted) else free_port()


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(ACCOUNT_KEY_BYTES)).decode()
