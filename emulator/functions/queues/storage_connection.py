"""StorageConnection: the storage account that a binding names, found as the Functions host does."""

from collections.abc import Mapping
from typing import Any, Self

from azure.identity.aio import ManagedIdentityCredential
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from emulator.functions.errors import ConnectionMissingError, HostError

DEFAULT = "AzureWebJobsStorage"
PREFIX = "AzureWebJobs"
MANAGED_IDENTITY = "managedidentity"

RETRIES: Mapping[str, Any] = {"initial_backoff": 1, "increment_base": 1, "random_jitter_range": 0}
"""A second or two between attempts: the client's default of 15 s is too long for a developer."""


class StorageConnection:
    """The queues of one storage account.

    Args:
        service: the account's client.
        credential: signs the client in, and is closed with it; None: the client has an account key.
    """

    def __init__(
        self, service: QueueServiceClient, credential: ManagedIdentityCredential | None = None
    ) -> None:
        self._service = service
        self._credential = credential

    @classmethod
    def of(cls, name: str, environ: Mapping[str, str]) -> Self:
        """The account that the settings of a connection name.

        A setting with the connection's name holds a connection string. Otherwise, settings that
        start with that name and two underscores hold the account's name or URL, and the managed
        identity that signs in. A name with the prefix AzureWebJobs comes first.
        Source: StorageClientProvider of Microsoft.Azure.WebJobs.Extensions.Storage.Common.

        Args:
            name: the binding's `connection`; empty: AzureWebJobsStorage.
            environ: the app's settings.

        Raises:
            ConnectionMissingError: none of these settings has a value.
            HostError: one of them is invalid.
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
        # The error's text is left out: it may contain the account key.
        except ValueError:
            raise HostError(
                f"{setting} is not a storage connection string: copy it again, or use "
                "UseDevelopmentStorage=true."
            ) from None

    @classmethod
    def _by_identity(cls, setting: str, url: str, environ: Mapping[str, str]) -> Self:
        kind = environ.get(f"{setting}__credential") or MANAGED_IDENTITY
        if kind.lower() != MANAGED_IDENTITY:
            raise HostError(
                f"{setting}__credential is {kind}: this host supports {MANAGED_IDENTITY}."
            )
        client_id = environ.get(f"{setting}__clientId") or None
        credential = ManagedIdentityCredential(client_id=client_id)
        return cls(QueueServiceClient(url, credential, **RETRIES), credential)

    def queue(self, name: str) -> QueueClient:
        """A queue's client; it sends and receives texts as they are stored."""
        return self._service.get_queue_client(name)

    async def close(self) -> None:
        """Close every connection."""
        await self._service.close()
        if self._credential is not None:
            await self._credential.close()


def _url(setting: str, environ: Mapping[str, str]) -> str:
    """The queue service's URL in the settings; empty if they have none."""
    account = environ.get(f"{setting}__accountName")
    default = f"https://{account}.queue.core.windows.net" if account else ""
    return environ.get(f"{setting}__queueServiceUri") or default
