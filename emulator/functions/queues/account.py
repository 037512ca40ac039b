"""QueueAccount: sends requests to the queues of a storage account.

The SDK's client needs a millisecond of CPU time for a call, more than a bot's whole turn, and 80 ms
for its import. Azure's host does not take that time from the bot, so this one does without.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from emulator.functions.errors import QueueError, QueueNotFoundError
from emulator.functions.http_front import HttpRequest, HttpResponse
from emulator.functions.queues.connection_string import VERSION, ConnectionString
from emulator.functions.queues.identity import ManagedIdentity
from emulator.functions.queues.storage_connection import StorageConnection
from emulator.functions.workers.upstream import HttpUpstream

TIMEOUT_SECONDS = 10.0
RETRY_PAUSES_SECONDS = (1.0, 2.0)


class QueueAccount:
    """The queues of one storage account. No request is signed: the URL or a token authorizes it.

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
        self._signature = ConnectionString(text).signature() if text else ""
        self._identity = None if text else ManagedIdentity(connection.client_id, environ)

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

    def close(self) -> None:
        """Close every connection."""
        self._upstream.close()

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
        except OSError as error:
            raise QueueError(str(error).partition("\n")[0]) from error

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
    if response.status == HTTPStatus.NOT_FOUND:
        raise QueueNotFoundError(f"{path} does not exist")
    names = {name.lower(): text for name, text in response.headers.items()}
    raise QueueError(f"the answer is {response.status} {names.get('x-ms-error-code', '')}".rstrip())
