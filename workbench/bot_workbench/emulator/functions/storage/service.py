"""StorageService: sends requests to the queues or the blobs of a storage account.

The SDK's client needs a millisecond of CPU time for a call, more than a bot's whole turn, and 80 ms
for its import. Azure's host does not take that time from the bot, so this one does without.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

from bot_workbench.emulator.functions.errors import (
    StaleReceiptError,
    StorageConflictError,
    StorageError,
    StorageForbiddenError,
    StorageNotFoundError,
    StorageRefusedError,
)
from bot_workbench.emulator.functions.http_front import HttpRequest, HttpResponse
from bot_workbench.emulator.functions.storage.connection import StorageConnection
from bot_workbench.emulator.functions.storage.connection_string import VERSION, ConnectionString
from bot_workbench.emulator.functions.storage.identity import ManagedIdentity
from bot_workbench.emulator.functions.workers.upstream import HttpUpstream

TIMEOUT_SECONDS = 100.0
"""As long as Azure's host waits for a response: the default NetworkTimeout of Azure.Core's
RetryOptions. If a host gives up on a response that brings messages, they stay hidden for ten
minutes."""

RETRY_PAUSES_SECONDS = (1.0, 2.0)

ERRORS: Mapping[int, type[StorageError]] = MappingProxyType(
    {
        HTTPStatus.FORBIDDEN: StorageForbiddenError,
        HTTPStatus.NOT_FOUND: StorageNotFoundError,
        HTTPStatus.CONFLICT: StorageConflictError,
    }
)
"""The meanings of the statuses of refused requests."""

STALE_RECEIPT = "PopReceiptMismatch"
"""The error code for a message that is not the caller's any more."""

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class StorageService:
    """The queues or the blobs of one account. No request is signed: URL or token authorize it.

    Args:
        connection: where the account is, and what authorizes requests to it.
        environ: the app's settings; they say where a managed identity gets its tokens.
        retry_pauses: seconds before each further attempt at a request.
    """

    def __init__(
        self,
        connection: StorageConnection,
        environ: Mapping[str, str],
        retry_pauses: Sequence[float] = RETRY_PAUSES_SECONDS,
    ) -> None:
        self._retry_pauses = retry_pauses
        url = urlsplit(connection.url)
        tls = ssl.create_default_context() if url.scheme == "https" else None
        port = url.port or (443 if tls else 80)
        self._upstream = HttpUpstream(port, url.hostname or "", tls)
        self._host = url.netloc
        self._path = url.path
        text = connection.connection_string
        self._signature = ConnectionString(text).signature(connection.part) if text else ""
        self._identity = None if text else ManagedIdentity(connection.client_id, environ)

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: bytes = b"",
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        retries: bool = True,
    ) -> HttpResponse:
        """Send a request; returns an answer whose status says that it was successful.

        Args:
            method: HTTP method.
            path: below the account's URL.
            query: parameters and values.
            body: may be empty.
            headers: beside those that each request has.
            retries: whether to send the request again if the storage is unavailable.

        Raises:
            StorageNotFoundError: the resource does not exist.
            StaleReceiptError: the message is not the caller's any more.
            StorageConflictError: the resource cannot be created, because it exists.
            StorageForbiddenError: the app may not do this.
            StorageRefusedError: the storage refuses connections.
            StorageError: the storage is unavailable, or refuses the request.
        """
        for pause in self._retry_pauses if retries else ():
            with contextlib.suppress(StorageError):
                response = await self._sent(method, path, query, body, headers)
                if response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    break
            await asyncio.sleep(pause)
        else:
            response = await self._sent(method, path, query, body, headers)
        return _checked(response, path)

    def close(self) -> None:
        """Close every connection."""
        self._upstream.close()

    async def _sent(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: bytes,
        headers: Mapping[str, str],
    ) -> HttpResponse:
        parameters = "&".join(filter(None, (urlencode(query), self._signature)))
        target = f"{self._path}/{path}?{parameters}"
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                every = await self._headers(len(body))
                return await self._upstream.send(
                    HttpRequest(method, target, {**every, **headers}, body)
                )
        except TimeoutError:
            raise StorageError(f"{self._host} does not answer") from None
        except OSError as error:
            is_refused = isinstance(error, ConnectionRefusedError)
            kind = StorageRefusedError if is_refused else StorageError
            raise kind(str(error).partition("\n")[0]) from error

    async def _headers(self, length: int) -> dict[str, str]:
        headers = {
            "host": self._host,
            "x-ms-version": VERSION,
            "x-ms-date": formatdate(usegmt=True),
            "content-length": str(length),
        }
        if self._identity is not None:
            headers["authorization"] = f"Bearer {await self._identity.token()}"
        return headers


def _checked(response: HttpResponse, path: str) -> HttpResponse:
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return response
    names = {name.lower(): text for name, text in response.headers.items()}
    code = names.get("x-ms-error-code", "")
    error = (
        StaleReceiptError if code == STALE_RECEIPT else ERRORS.get(response.status, StorageError)
    )
    raise error(f"{path}: the answer is {response.status} {code}".rstrip())
