"""The file with which a run's storage is found by commands in another shell."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bot_workbench.emulator.storage.azurite import Azurite
from bot_workbench.setup.tools import CACHE


def storage_file(port: int) -> Path:
    """The file of the run whose bot has a port."""
    return CACHE / f"storage-{port}"


@contextlib.contextmanager
def storage_in_file(azurite: Azurite | None, port: int) -> Iterator[None]:
    """During the block, the run's file has the storage's connection string, for its owner alone.

    There is none if commands find the storage by themselves, or if there is no storage.
    """
    if azurite is None or azurite.is_development_storage:
        yield
        return
    file = storage_file(port)
    file.unlink(missing_ok=True)  # of a run that was killed
    file.touch(mode=0o600)
    try:
        file.write_text(azurite.connection_string(), "utf-8")
        yield
    finally:
        file.unlink(missing_ok=True)
