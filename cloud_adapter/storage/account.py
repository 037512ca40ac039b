"""StorageAccount: the Azure clients of the bot's storage account, and what their errors mean."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from azure.core.exceptions import AzureError

from auth.errors import SignInError
from auth.outbound.endpoints import MALFORMED_RESPONSE_ERRORS, status_of
from auth.settings import StorageSource
from cloud_adapter.errors import StorageUnavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

SCOPE = "https://storage.azure.com/.default"
"""The scope of a token for blobs and queues, in every cloud."""

CALL_TIMEOUT_SECONDS = 8.0
"""The longest that a call may take, with all its attempts."""

_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class StorageAccount:
    """The bot's storage account. Nothing is imported or connected before the first call.

    Args:
        source: where the account is.
        credential: signs in to it; None with a connection string.
        max_retry_pause: the pause between two attempts at a call is random, from 0 to this many
            seconds.
    """

    def __init__(
        self,
        source: StorageSource,
        credential: "AsyncTokenCredential | None",
        max_retry_pause: float = 1.0,
    ) -> None:
        self._source = source
        self._credential = credential
        # Seconds. Every call may be sent twice: conditional writes are compared with what is
        # stored, and a second wake-up message does no harm.
        self._options: dict[str, Any] = {
            "connection_timeout": 2,
            "read_timeout": 5,
            "retry_total": 2,
            "initial_backoff": 0,
            "increment_base": 0,
            "random_jitter_range": max_retry_pause,
        }
        self._blobs: BlobServiceClient | None = None
        self._queues: QueueServiceClient | None = None
        self._prefetching: asyncio.Task[None] | None = None

    def prefetch(self) -> None:
        """Import the clients and get a token, in the background of the running event loop."""
        self._prefetching = asyncio.create_task(self._prefetch())

    async def _prefetch(self) -> None:
        await asyncio.to_thread(_import_clients)
        if self._credential is not None:
            with contextlib.suppress(SignInError):  # the first call raises it, if it still holds
                await self._credential.get_token(SCOPE)

    async def blobs(self) -> "BlobServiceClient":
        """The client of the account's blobs.

        Raises:
            StorageUnavailable: the connection string is not valid.
        """
        if self._blobs is None:
            await asyncio.to_thread(_import_clients)
            from azure.storage.blob.aio import BlobServiceClient

            # Another call may have created it in the meantime.
            self._blobs = self._blobs or self._client(BlobServiceClient, self._source.blob_url)
        return self._blobs

    async def queues(self) -> "QueueServiceClient":
        """The client of the account's queues.

        Raises:
            StorageUnavailable: the connection string is not valid.
        """
        if self._queues is None:
            await asyncio.to_thread(_import_clients)
            from azure.storage.queue.aio import QueueServiceClient

            self._queues = self._queues or self._client(QueueServiceClient, self._source.queue_url)
        return self._queues

    async def close(self) -> None:
        """Close the connections."""
        for client in (self._blobs, self._queues):
            if client is not None:
                await client.close()

    def _client[Client: (BlobServiceClient, QueueServiceClient)](
        self, kind: type[Client], url: str
    ) -> Client:
        text = self._source.connection_string
        try:
            if text:
                return kind.from_connection_string(text, **self._options)
            return kind(url, self._credential, **self._options)
        except ValueError as error:
            raise StorageUnavailable(
                "AzureWebJobsStorage is not the connection string of a storage account: copy it"
                " from the portal, or set AzureWebJobsStorage__accountName instead"
            ) from error


@functools.cache
def _import_clients() -> None:
    """Import Azure's clients, in a thread: a bot that uses no storage must not pay for them."""
    import azure.storage.blob.aio
    import azure.storage.queue.aio  # noqa: F401  # imported for the effect: the clients find it


@asynccontextmanager
async def storage_call() -> AsyncIterator[None]:
    """Limit the time of a call of Azure's clients, and translate the errors that it raises.

    Raises:
        StorageUnavailable: the account does not answer in time, or refuses access.
    """
    try:
        async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
            yield
    except TimeoutError as error:
        raise StorageUnavailable(
            f"the storage account did not answer within {CALL_TIMEOUT_SECONDS:.0f} s"
        ) from error
    except AzureError as error:
        raise StorageUnavailable(_explanation(error)) from error
    # ParseError: the clients do not translate it when an answer's XML is malformed.
    except (*MALFORMED_RESPONSE_ERRORS, ParseError) as error:
        raise StorageUnavailable(
            "the server at the storage account's URL is not Azure Storage: check the URL"
        ) from error


def _explanation(error: AzureError) -> str:
    status = status_of(error)
    if status in _FORBIDDEN:
        return (
            "the storage account refuses access: give the identity the roles Storage Blob Data"
            " Owner and Storage Queue Data Contributor on it, and check AzureWebJobsStorage and"
            " the account's firewall"
        )
    if status is None:
        return "the storage account does not answer: check AzureWebJobsStorage and the network"
    return f"the storage account answers {status}"
