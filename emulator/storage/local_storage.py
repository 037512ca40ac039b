"""The storage of a local run: Azurite where it can run, and why not where it cannot."""

from dataclasses import dataclass
from pathlib import Path

from emulator.storage.azurite import DEVELOPMENT_PORTS, Azurite, AzuriteError, FolderInUseError

SETTING = "AzureWebJobsStorage"


@dataclass(frozen=True)
class LocalStorage:
    """What a local run has for Azure Storage.

    Attributes:
        azurite: started; None: there is no storage.
        folder: keeps its data; None: its memory does.
        fault: why there is no storage, or no folder; with the cure.
    """

    azurite: Azurite | None = None
    folder: Path | None = None
    fault: str = ""

    def settings(self) -> dict[str, str]:
        """The app's settings that lead to it; none without a storage."""
        return {SETTING: self.azurite.connection_string()} if self.azurite else {}

    def __str__(self) -> str:
        if self.azurite is None:
            return f"none, state is in memory only. {self.fault}"
        port = self.azurite.ports.blob
        where = (
            "UseDevelopmentStorage=true"
            if self.azurite.is_development_storage
            else f"blobs at port {port}"
        )
        kept = f"kept in {self.folder}" if self.folder else f"new with each run. {self.fault}"
        return f"{where}, {kept}".rstrip()

    async def stop(self) -> None:
        """End Azurite, if it runs."""
        if self.azurite is not None:
            await self.azurite.stop()


async def start_storage(folder: Path | None = None) -> LocalStorage:
    """Start Azurite where every client looks for it, with its data in a folder or in memory.

    The local channel knows no conversation of an earlier run, so what a bot remembers of one is of
    little use: memory is the usual choice.

    A machine without Azurite, or a folder that another run has, stops nobody from trying the bot.
    """
    kept = Azurite(folder, DEVELOPMENT_PORTS)
    try:
        await kept.start()
    except FolderInUseError as error:
        in_memory = Azurite(ports=DEVELOPMENT_PORTS)
        await in_memory.start()
        return LocalStorage(in_memory, fault=str(error))
    except AzuriteError as error:
        return LocalStorage(fault=str(error))
    return LocalStorage(kept, folder)
