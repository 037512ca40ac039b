"""StorageAccount: the clients of the bot's storage account."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from azure.core.exceptions import AzureError

from auth.errors import SignInError
from auth.outbound.endpoints import ODD_ANSWER, status_of
from auth.settings import StorageSource
from cloud_adapter.errors import StorageUnavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

# Seconds. All that we send may come twice: what a conditional write finds is compared with what
# was to be written, and a second ring does no harm.
_OPTIONS: dict[str, Any] = {
    "connection_timeout": 2,
    "read_timeout": 5,
    "retry_total": 2,
    "initial_backoff": 0,
    "increment_base": 0,
    "random_jitter_range": 1,
}

SCOPE = "https://storage.azure.com/.default"
"""Of a token for blobs and queues, in every cloud."""

CALL_TIMEOUT = 8.0
"""Seconds that one call may take in all, its second and third attempt included."""

_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class StorageAccount:
    """The bot's storage account. Nothing is imported or connected before the first call.

    Args:
        source: where it is.
        identity: signs in there; None with a connection string.
    """

    def __init__(self, source: StorageSource, identity: "AsyncTokenCredential | None") -> None:
        self._source = source
        self._identity = identity
        self._blobs: BlobServiceClient | None = None
        self._queues: QueueServiceClient | None = None
        self._prefetching: asyncio.Task[None] | None = None

    def prefetch(self) -> None:
        """Import the clients and sign in, in the background of a running loop."""
        self._prefetching = asyncio.create_task(self._prefetch())

    async def _prefetch(self) -> None:
        await asyncio.to_thread(import_clients)
        if self._identity is not None:
            with contextlib.suppress(SignInError):  # the first call says so, if it is still true
                await self._identity.get_token(SCOPE)

    async def blobs(self) -> "BlobServiceClient":
        """The client of its blobs.

        Raises:
            StorageUnavailable: the source is no account's.
        """
        if self._blobs is None:
            await asyncio.to_thread(import_clients)
            with _readable_source():
                self._blobs = self._blobs or self._blob_client()
        return self._blobs

    async def queues(self) -> "QueueServiceClient":
        """The client of its queues; raises as `blobs`."""
        if self._queues is None:
            await asyncio.to_thread(import_clients)
            with _readable_source():
                self._queues = self._queues or self._queue_client()
        return self._queues

    async def close(self) -> None:
        """Close the connections."""
        for client in (self._blobs, self._queues):
            if client is not None:
                await client.close()

    def _blob_client(self) -> "BlobServiceClient":
        from azure.storage.blob.aio import BlobServiceClient

        source = self._source
        if source.connection_string:
            return BlobServiceClient.from_connection_string(source.connection_string, **_OPTIONS)
        return BlobServiceClient(source.blob_url, self._identity, **_OPTIONS)

    def _queue_client(self) -> "QueueServiceClient":
        from azure.storage.queue.aio import QueueServiceClient

        source = self._source
        if source.connection_string:
            return QueueServiceClient.from_connection_string(source.connection_string, **_OPTIONS)
        return QueueServiceClient(source.queue_url, self._identity, **_OPTIONS)


@functools.cache
def import_clients() -> None:
    """Import Azure's clients, in a thread: no turn without storage shall pay for them."""
    import azure.storage.blob.aio
    import azure.storage.queue.aio  # noqa: F401


@contextmanager
def _readable_source() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise StorageUnavailable(
            "AzureWebJobsStorage names no storage account: copy its connection string from the"
            " portal, or set AzureWebJobsStorage__accountName"
        ) from error


@asynccontextmanager
async def storage_call(seconds: float = CALL_TIMEOUT) -> AsyncIterator[None]:
    """Bounds a call of Azure's clients, and translates what it raises.

    Raises:
        StorageUnavailable: the account does not answer, or refuses.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StorageUnavailable(f"the storage account is silent for {seconds:.0f} s") from error
    except AzureError as error:
        raise StorageUnavailable(_cure(error)) from error
    # ParseError: XML that is none, which Azure's clients leave as it is.
    except (*ODD_ANSWER, ParseError) as error:
        raise StorageUnavailable("what answers is no storage account: check its URLs") from error


def _cure(error: AzureError) -> str:
    status = status_of(error)
    if status in _FORBIDDEN:
        return (
            "the storage account refuses: give the identity the roles Storage Blob Data Owner and"
            " Storage Queue Data Contributor on it, and check AzureWebJobsStorage and its firewall"
        )
    if status is None:
        return "the storage account does not answer: check AzureWebJobsStorage and the network"
    return f"the storage account answers {status}"
