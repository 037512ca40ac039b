"""StorageConnection: the storage account that a binding names, found as the Functions host does."""

from collections.abc import Mapping
from typing import Any, Self

from azure.identity.aio import ManagedIdentityCredential
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from emulator.functions.route import HostError

DEFAULT = "AzureWebJobsStorage"
PREFIX = "AzureWebJobs"
MANAGED_IDENTITY = "managedidentity"

RETRIES: Mapping[str, Any] = {"initial_backoff": 1, "increment_base": 1, "random_jitter_range": 0}
"""A second or two between tries: the client's usual 15 suit no developer."""


class ConnectionMissingError(Exception):
    """No setting says where the storage is; the text names the settings that could."""


class StorageConnection:
    """The queues of one storage account.

    Args:
        service: the account's client.
        credential: what the client signs in with, closed with it; None: a key.
    """

    def __init__(
        self, service: QueueServiceClient, credential: ManagedIdentityCredential | None = None
    ) -> None:
        self._service = service
        self._credential = credential

    @classmethod
    def of(cls, name: str, environ: Mapping[str, str]) -> Self:
        """The account that the settings of a connection lead to.

        A setting with the connection's name holds a connection string; else settings whose names
        start with it and two underscores hold the account's name or address, and the identity that
        signs in. Each is looked for with the prefix AzureWebJobs first.
        Source: StorageClientProvider of Microsoft.Azure.WebJobs.Extensions.Storage.Common.

        Args:
            name: the binding's `connection`; empty: AzureWebJobsStorage.
            environ: the app's settings.

        Raises:
            ConnectionMissingError: none of the settings is there.
            HostError: one of them cannot be used.
        """
        name = name or DEFAULT
        for setting in (PREFIX + name, name):
            if text := environ.get(setting):
                return cls._by_connection_string(setting, text)
            if url := _url(setting, environ):
                return cls._by_identity(setting, url, environ)
        raise ConnectionMissingError(
            f"set {name} to a connection string (such as UseDevelopmentStorage=true), or "
            f"{name}__queueServiceUri or {name}__accountName for a managed identity."
        )

    @classmethod
    def _by_connection_string(cls, setting: str, text: str) -> Self:
        try:
            return cls(QueueServiceClient.from_connection_string(text, **RETRIES))
        # Its text is left out: it may hold the account's key.
        except ValueError:
            raise HostError(
                f"{setting} is not a storage connection string: copy it anew, or use "
                "UseDevelopmentStorage=true."
            ) from None

    @classmethod
    def _by_identity(cls, setting: str, url: str, environ: Mapping[str, str]) -> Self:
        kind = environ.get(f"{setting}__credential") or MANAGED_IDENTITY
        if kind.lower() != MANAGED_IDENTITY:
            raise HostError(f"{setting}__credential is {kind}: this host knows {MANAGED_IDENTITY}.")
        client_id = environ.get(f"{setting}__clientId") or None
        credential = ManagedIdentityCredential(client_id=client_id)
        return cls(QueueServiceClient(url, credential, **RETRIES), credential)

    def queue(self, name: str) -> QueueClient:
        """A queue's client; it takes and gives texts as they are stored."""
        return self._service.get_queue_client(name)

    async def close(self) -> None:
        """Close every connection."""
        await self._service.close()
        if self._credential is not None:
            await self._credential.close()


def _url(setting: str, environ: Mapping[str, str]) -> str:
    """The queue service's address in the settings, empty when they have none."""
    account = environ.get(f"{setting}__accountName")
    usual = f"https://{account}.queue.core.windows.net" if account else ""
    return environ.get(f"{setting}__queueServiceUri") or usual
