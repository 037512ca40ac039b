"""StorageConnection: the storage account that a binding names, found as the Functions host does."""

from collections.abc import Mapping
from typing import Any

from azure.identity.aio import ManagedIdentityCredential
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from emulator.functions.errors import ConnectionMissingError, HostError

DEFAULT = "AzureWebJobsStorage"
PREFIX = "AzureWebJobs"
MANAGED_IDENTITY = "managedidentity"

RETRIES: Mapping[str, Any] = {"initial_backoff": 1, "increment_base": 1, "random_jitter_range": 0}
"""A second or two between attempts: the client's default of 15 s is too long for a developer."""


PARTS: Mapping[type, str] = {QueueServiceClient: "queue", BlobServiceClient: "blob"}
"""Which part of an account a client is for."""


class StorageConnection[Service: (QueueServiceClient, BlobServiceClient)]:
    """The queues or the blobs of one storage account.

    Attributes:
        service: the account's client.
        credential: signs the client in, and is closed with it; None: the client has an account key.
    """

    def __init__(
        self, service: Service, credential: ManagedIdentityCredential | None = None
    ) -> None:
        self.service: Service = service
        self.credential = credential

    @classmethod
    def of(
        cls, kind: type[Service], name: str, environ: Mapping[str, str]
    ) -> "StorageConnection[Service]":
        """The account that the settings of a connection name.

        A setting with the connection's name holds a connection string. Otherwise, settings that
        start with that name and two underscores hold the account's name or URL, and the managed
        identity that signs in. A name with the prefix AzureWebJobs comes first.
        Source: StorageClientProvider of Microsoft.Azure.WebJobs.Extensions.Storage.Common.

        Args:
            kind: the client's class.
            name: the binding's `connection`; empty: AzureWebJobsStorage.
            environ: the app's settings.

        Raises:
            ConnectionMissingError: none of these settings has a value.
            HostError: one of them is invalid.
        """
        name = name or DEFAULT
        for setting in (PREFIX + name, name):
            if text := environ.get(setting):
                return cls._by_connection_string(kind, setting, text)
            if url := _url(PARTS[kind], setting, environ):
                return cls._by_identity(kind, url, setting, environ)
        raise ConnectionMissingError(
            f"set {name} to a connection string (such as UseDevelopmentStorage=true), or "
            f"{name}__{PARTS[kind]}ServiceUri or {name}__accountName for a managed identity."
        )

    @classmethod
    def _by_connection_string(
        cls, kind: type[Service], setting: str, text: str
    ) -> "StorageConnection[Service]":
        try:
            return cls(kind.from_connection_string(text, **RETRIES))
        # The error's text is left out: it may contain the account key.
        except ValueError:
            raise HostError(
                f"{setting} is not a storage connection string: copy it again, or use "
                "UseDevelopmentStorage=true."
            ) from None

    @classmethod
    def _by_identity(
        cls, kind: type[Service], url: str, setting: str, environ: Mapping[str, str]
    ) -> "StorageConnection[Service]":
        method = environ.get(f"{setting}__credential") or MANAGED_IDENTITY
        if method.lower() != MANAGED_IDENTITY:
            raise HostError(
                f"{setting}__credential is {method}: this host supports {MANAGED_IDENTITY}."
            )
        client_id = environ.get(f"{setting}__clientId") or None
        credential = ManagedIdentityCredential(client_id=client_id)
        return cls(kind(url, credential, **RETRIES), credential)

    async def close(self) -> None:
        """Close every connection."""
        await self.service.close()
        if self.credential is not None:
            await self.credential.close()


def _url(part: str, setting: str, environ: Mapping[str, str]) -> str:
    """The URL of one part of the account in the settings; empty if they have none."""
    account = environ.get(f"{setting}__accountName")
    default = f"https://{account}.{part}.core.windows.net" if account else ""
    return environ.get(f"{setting}__{part}ServiceUri") or default
