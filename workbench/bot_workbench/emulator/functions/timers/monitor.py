"""ScheduleMonitor: stores when timers run, so that a restarted host notices missed runs.

Source: StorageScheduleMonitor of azure-webjobs-sdk-extensions.
"""

import contextlib
import logging
from collections.abc import Mapping
from typing import Self

from bot_workbench.emulator.functions.errors import (
    StorageConflictError,
    StorageError,
    StorageNotFoundError,
)
from bot_workbench.emulator.functions.storage.connection import DEFAULT, StorageConnection
from bot_workbench.emulator.functions.storage.service import StorageService
from bot_workbench.emulator.functions.timers.timer_info import ScheduleStatus

LOG = logging.getLogger("bot_workbench.emulator.functions.timers.monitor")

CONTAINER = "azure-webjobs-hosts"
HOST_ID = "local"
"""Takes the place of the Function App's name."""


class ScheduleMonitor:
    """Keeps the status of each timer in a blob of the app's storage, as Azure's host does.

    Args:
        blobs: the storage.
    """

    def __init__(self, blobs: StorageService) -> None:
        self._blobs = blobs

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """The monitor in the storage of the app's settings.

        Raises:
            ConnectionMissingError: the settings name no storage.
            FunctionError: one of the settings is invalid.
        """
        return cls(StorageService(StorageConnection.of("blob", DEFAULT, environ), environ))

    async def read(self, function: str) -> ScheduleStatus | None:
        """A function's status; None if there is none, or if it cannot be read."""
        try:
            answer = await self._blobs.call("GET", _path(function), {}, retries=False)
            return ScheduleStatus.of(answer.body.decode())
        except StorageNotFoundError:
            return None
        except (StorageError, ValueError) as error:
            LOG.warning("Function %s: its schedule status cannot be read: %s", function, error)
            return None

    async def write(self, function: str, status: ScheduleStatus) -> None:
        """Store a function's status; if that fails, only log it."""
        try:
            try:
                await self._put(function, status)
            except StorageNotFoundError:
                # Another timer may have created it meanwhile.
                with contextlib.suppress(StorageConflictError):
                    query = {"restype": "container"}
                    await self._blobs.call("PUT", CONTAINER, query, retries=False)
                await self._put(function, status)
        except StorageError as error:
            LOG.warning("Function %s: its schedule status is not stored: %s", function, error)

    def close(self) -> None:
        """Close every connection."""
        self._blobs.close()

    async def _put(self, function: str, status: ScheduleStatus) -> None:
        content, headers = status.to_json().encode(), {"x-ms-blob-type": "BlockBlob"}
        await self._blobs.call("PUT", _path(function), {}, content, headers=headers, retries=False)


def _path(function: str) -> str:
    return f"{CONTAINER}/timers/{HOST_ID}/Host.Functions.{function}/status"
