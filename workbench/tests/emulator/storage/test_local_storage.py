"""The storage of a local run, and what the run says of it."""

from pathlib import Path

import pytest

from bot_workbench.emulator.loopback import free_port
from bot_workbench.emulator.storage.azurite import DEVELOPMENT_STORAGE, PROGRAM, StoragePorts
from bot_workbench.emulator.storage.local_storage import LocalStorage, start_storage


@pytest.fixture
def ports() -> StoragePorts:
    """Development ports that no other program uses."""
    return StoragePorts(free_port(), free_port(), free_port())


async def test_storage_on_the_development_ports(tmp_path: Path, ports: StoragePorts) -> None:
    """On the development ports the setting is the short one, and the printed line says so."""
    storage = await start_storage(tmp_path, PROGRAM, ports)
    await storage.stop()
    assert storage.settings() == {"AzureWebJobsStorage": DEVELOPMENT_STORAGE}
    assert str(storage) == f"UseDevelopmentStorage=true, data in {tmp_path}"


async def test_folder_in_use(tmp_path: Path, ports: StoragePorts) -> None:
    """If another run uses the folder, the data is in memory, on ports that are free."""
    first = await start_storage(tmp_path, PROGRAM, ports)
    try:
        second = await start_storage(tmp_path, PROGRAM, ports)
        await second.stop()
    finally:
        await first.stop()
    assert second.settings()["AzureWebJobsStorage"].startswith("DefaultEndpointsProtocol=http;")
    assert "wiped on every start. Another Azurite keeps its data in" in str(second)
    assert "AccountKey" not in str(second)


async def test_without_azurite_there_is_no_setting(tmp_path: Path) -> None:
    """A machine without Azurite has no storage, and the printed line says what to do."""
    storage = await start_storage(program=tmp_path / "none")
    await storage.stop()
    assert storage.azurite is None
    assert storage.settings() == LocalStorage().settings() == {}
    assert str(storage).startswith(
        "none: state is in memory, and lost with each save. Azurite or Node.js is missing"
    )
