"""What a local run has for Azure Storage, and what it says when it has none."""

from pathlib import Path

import pytest

from emulator.storage import azurite
from emulator.storage.azurite import Azurite, StoragePorts
from emulator.storage.local_storage import LocalStorage, start_storage
from tests.support.bots.make_target import free_port


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> StoragePorts:
    """Development ports that nobody else on this machine uses."""
    ports = StoragePorts(free_port(), free_port(), free_port())
    monkeypatch.setattr("emulator.storage.azurite.DEVELOPMENT_PORTS", ports)
    monkeypatch.setattr("emulator.storage.local_storage.DEVELOPMENT_PORTS", ports)
    return ports


async def test_storage_is_where_every_client_looks(tmp_path: Path) -> None:
    """At the usual ports the setting is the short one, and the line for the user says so."""
    storage = await start_storage(tmp_path)
    await storage.stop()
    assert storage.settings() == {"AzureWebJobsStorage": azurite.DEVELOPMENT_STORAGE}
    assert str(storage) == f"UseDevelopmentStorage=true, kept in {tmp_path}"


async def test_folder_in_use_leaves_memory(tmp_path: Path) -> None:
    """Where another has the folder there is a storage all the same, at ports that are free."""
    first = await start_storage(tmp_path)
    second = await start_storage(tmp_path)
    await second.stop()
    await first.stop()
    assert second.settings()["AzureWebJobsStorage"].startswith("DefaultEndpointsProtocol=http;")
    assert "new with each run. Another Azurite keeps its data in" in str(second)
    assert "AccountKey" not in str(second)


async def test_without_azurite_there_is_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without Azurite has no storage, and the line for the user names the cure."""

    class Missing(Azurite):
        def __init__(self, folder: Path, ports: StoragePorts) -> None:
            super().__init__(folder, ports, program=tmp_path / "none")

    monkeypatch.setattr("emulator.storage.local_storage.Azurite", Missing)
    storage = await start_storage(tmp_path)
    await storage.stop()
    assert storage.azurite is None
    assert storage.settings() == LocalStorage().settings() == {}
    assert str(storage).startswith("none, state is in memory only. Azurite is missing")
