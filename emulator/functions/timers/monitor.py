"""ScheduleMonitor: stores when timers run, so that a restarted host notices missed runs.

Source: StorageScheduleMonitor of azure-webjobs-sdk-extensions.
"""

import contextlib
import logging
from collections.abc import Mapping
from typing import Any, Self

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.blob.aio import BlobServiceClient

from emulator.functions.queues.storage_connection import DEFAULT, StorageConnection
from emulator.functions.timers.timer_info import ScheduleStatus

LOG = logging.getLogger("emulator.functions.timers.monitor")

CONTAINER = "azure-webjobs-hosts"
HOST_ID = "local"
"""Takes the place of the Function App's name."""

RETRIES: Mapping[str, Any] = {"initial_backoff": 1, "increment_base": 1, "random_jitter_range": 0}
"""A second or two between attempts: the client's default of 15 s is too long for a developer."""


class ScheduleMonitor:
    """Keeps the status of each timer in a blob of the app's storage, as Azure's host does.

    Args:
        connection: the storage.
    """

    def __init__(self, connection: StorageConnection) -> None:
        self._credential: ManagedIdentityCredential | None = None
        if text := connection.connection_string:
            self._service = BlobServiceClient.from_connection_string(text, **RETRIES)
        else:
            self._credential = ManagedIdentityCredential(client_id=connection.client_id or None)
            self._service = BlobServiceClient(connection.url, self._credential, **RETRIES)
        self._container = self._service.get_container_client(CONTAINER)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """The monitor in the storage of the app's settings.

        Raises:
            ConnectionMissingError: the settings name no storage.
            HostError: one of the settings is invalid.
        """
        return cls(StorageConnection.of("blob", DEFAULT, environ))

    async def read(self, function: str) -> ScheduleStatus | None:
        """A function's status; None if there is none, or if it cannot be read."""
        try:
            blob = await self._container.download_blob(
                _path(function), encoding="utf-8", retry_total=0
            )
            return ScheduleStatus.of(await blob.readall())
        except ResourceNotFoundError:
            return None
        except (AzureError, ValueError) as error:
            LOG.warning("Function %s: its schedule status cannot be read: %s", function, error)
            return None

    async def write(self, function: str, status: ScheduleStatus) -> None:
        """Store a function's status; if that fails, only log it."""
        try:
            with contextlib.suppress(ResourceExistsError):
                await self._container.create_container(retry_total=0)
            await self._container.upload_blob(
                _path(function), status.to_json(), overwrite=True, retry_total=0
            )
        except AzureError as error:
            LOG.warning("Function %s: its schedule status is not stored: %s", function, error)

    async def close(self) -> None:
        """Close every connection."""
        await self._service.close()
        if self._credential is not None:
            await self._credential.close()


def _path(function: str) -> str:
    return f"timers/{HOST_ID}/Host.Functions.{function}/status"
