"""QueueAccount: sends requests to the queues of a storage account.

The SDK's client needs a millisecond of CPU time for a call, more than a bot's whole turn. Azure's
host does not take that time from the bot, so this one sends its own requests.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.storage.queue import AccountSasPermissions, ResourceTypes, generate_account_sas
from azure.storage.queue.aio import QueueServiceClient

from emulator.functions.errors import QueueError, QueueNotFoundError
from emulator.functions.http_front import HttpRequest, HttpResponse
from emulator.functions.queues.storage_connection import StorageConnection
from emulator.functions.workers.upstream import HttpUpstream

VERSION = "2021-12-02"
"""Of the REST interface."""

SCOPE = "https://storage.azure.com/.default"

TIMEOUT_SECONDS = 10.0
TOKEN_MARGIN_SECONDS = 300.0

RETRY_PAUSES_SECONDS = (1.0, 2.0)

type QueueConnection = StorageConnection[QueueServiceClient]


class QueueAccount:
    """The queues of one storage account. No request is signed: the URL or a token authorizes it.

    Args:
        connection: where the account is, and what signs in to it; it is closed with this object.
        retry_pauses: seconds before each further attempt at a request.
    """

    def __init__(
        self,
        connection: QueueConnection,
        retry_pauses: Sequence[float] = RETRY_PAUSES_SECONDS,
    ) -> None:
        self._connection = connection
        self._retry_pauses = retry_pauses
        url = urlsplit(connection.service.url)
        tls = ssl.create_default_context() if url.scheme == "https" else None
        port = url.port or (443 if tls else 80)
        self._upstream = HttpUpstream(port, url.hostname or "", tls)
        self._host = url.netloc
        self._path = url.path.rstrip("/")
        self._signature = url.query or _signature(connection.service)
        self._token = AccessToken("", 0)

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: bytes = b"",
        *,
        retries: bool = True,
    ) -> HttpResponse:
        """Send a request; returns an answer whose status says that it was successful.

        Args:
            method: HTTP method.
            path: below the account's URL.
            query: parameters and values.
            body: XML; may be empty.
            retries: whether to send the request again if the storage is unavailable.

        Raises:
            QueueNotFoundError: the queue or the message does not exist.
            QueueError: the storage is unavailable, or refuses the request.
        """
        for pause in self._retry_pauses if retries else ():
            with contextlib.suppress(QueueError):
                response = await self._sent(method, path, query, body)
                if response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    break
            await asyncio.sleep(pause)
        else:
            response = await self._sent(method, path, query, body)
        return _checked(response, path)

    async def close(self) -> None:
        """Close every connection."""
        self._upstream.close()
        await self._connection.close()

    async def _sent(
        self, method: str, path: str, query: Mapping[str, object], body: bytes
    ) -> HttpResponse:
        parameters = "&".join(filter(None, (urlencode(query), self._signature)))
        target = f"{self._path}/{path}?{parameters}"
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                request = HttpRequest(method, target, await self._headers(len(body)), body)
                return await self._upstream.send(request)
        except TimeoutError:
            raise QueueError(f"{self._host} does not answer") from None
        except (OSError, AzureError) as error:
            raise QueueError(str(error).partition("\n")[0]) from error

    async def _headers(self, length: int) -> dict[str, str]:
        headers = {
            "host": self._host,
            "x-ms-version": VERSION,
            "x-ms-date": formatdate(usegmt=True),
            "content-length": str(length),
        }
        if (credential := self._connection.credential) is not None:
            if self._token.expires_on < time.time() + TOKEN_MARGIN_SECONDS:
                self._token = await credential.get_token(SCOPE)
            headers["authorization"] = f"Bearer {self._token.token}"
        return headers


def _checked(response: HttpResponse, path: str) -> HttpResponse:
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return response
    if response.status == HTTPStatus.NOT_FOUND:
        raise QueueNotFoundError(f"{path} does not exist")
    names = {name.lower(): text for name, text in response.headers.items()}
    raise QueueError(f"the answer is {response.status} {names.get('x-ms-error-code', '')}".rstrip())


def _signature(service: QueueServiceClient) -> str:
    """A shared access signature for everything that a host does; empty without an account key."""
    if service.credential is None or not hasattr(service.credential, "account_key"):
        return ""
    return generate_account_sas(
        service.account_name or "",
        service.credential.account_key,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(write=True, add=True, update=True, process=True),
        datetime.now(UTC) + timedelta(days=365),
    )
