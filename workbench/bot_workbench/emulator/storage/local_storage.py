"""LocalStorage: the storage of a local run, if Azurite can run."""

from dataclasses import dataclass
from pathlib import Path

from bot_workbench.emulator.storage.azurite import (
    DEVELOPMENT_PORTS,
    DEVELOPMENT_STORAGE,
    PROGRAM,
    Azurite,
    AzuriteError,
    FolderInUseError,
    StoragePorts,
)

SETTING = "AzureWebJobsStorage"


@dataclass(frozen=True)
class LocalStorage:
    """Azure Storage's emulator for one run, or the reason why there is none.

    Attributes:
        azurite: a started one; None: there is no storage.
        folder: keeps the data; None: the data is in memory.
        fault: why there is no storage, or no folder, and what to do about it.
    """

    azurite: Azurite | None = None
    folder: Path | None = None
    fault: str = ""

    def settings(self) -> dict[str, str]:
        """The app's settings for this storage; none if there is no storage."""
        return {SETTING: self.azurite.connection_string()} if self.azurite else {}

    def __str__(self) -> str:
        if self.azurite is None:
            return f"none: state is in memory, and lost with each save. {self.fault}"
        port = f"blobs at port {self.azurite.ports.blob}"
        where = DEVELOPMENT_STORAGE if self.azurite.is_development_storage else port
        data = f"data in {self.folder}" if self.folder else f"wiped on every start. {self.fault}"
        return f"{where}, {data}".rstrip()

    async def stop(self) -> None:
        """End Azurite, if it runs."""
        if self.azurite is not None:
            await self.azurite.stop()


async def start_storage(
    folder: Path | None = None, program: Path = PROGRAM, ports: StoragePorts = DEVELOPMENT_PORTS
) -> LocalStorage:
    """Start Azurite on the development ports, if they are free.

    Without Azurite the bot runs without a storage, and with its data in memory if another run uses
    the folder.

    Args:
        folder: keeps the data. None keeps it in memory, which is the default: the local
            channel does not know the conversations of an earlier run.
        program: the path of `azurite`.
        ports: the development ports.
    """
    azurite = Azurite(folder, ports, program=program, development_ports=ports)
    try:
        await azurite.start()
    except FolderInUseError as error:
        in_memory = Azurite(None, ports, program=program, development_ports=ports)
        await in_memory.start()
        return LocalStorage(in_memory, fault=str(error))
    except AzuriteError as error:
        return LocalStorage(fault=str(error))
    return LocalStorage(azurite, folder)
