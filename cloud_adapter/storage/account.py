"""StorageAccount: sends requests to the bot's storage account, and says what its errors mean.

Every request may be sent twice: conditional writes are compared with what is stored, and a second
wake-up message or appended block does no harm.
"""

import asyncio
import email.utils
import time
from collections.abc import Collection, Mapping
from functools import cached_property
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from auth.outbound.token_provider import TokenProvider
from auth.settings import StorageSource
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.connection_string import StorageEndpoints
from http_client.connection import Response
from http_client.pool import HttpPool, Timeouts
from http_client.retry import CONNECT_FAILED, Backoff, RetryPolicy, retry_after

AUDIENCE = "https://storage.azure.com"
"""What a token for blobs and queues is for, in every cloud."""

API_VERSION = "2023-11-03"

CALL_TIMEOUT_SECONDS = 8.0
"""The longest that a call may take, with all its attempts."""

MAX_CLOCK_SKEW_SECONDS = 60.0
"""How far this machine's clock may differ from the account's before its requests are corrected. The
account refuses signed requests that differ by 15 minutes."""

_TIMEOUTS = Timeouts(connect=2.0, response=5.0, total=CALL_TIMEOUT_SECONDS)
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_NOT_STORAGE = "the server at the storage account's URL is not Azure Storage: check the URL"
_NOTHING: Mapping[str, str] = MappingProxyType({})


class StorageAccount:
    """The bot's storage account. Nothing is connected before the first call.

    Args:
        source: where the account is.
        pool: sends the requests.
        tokens: the identity's tokens; None with a connection string.
        max_retry_pause: the pause between two attempts at a call is random, from 0 to this many
            seconds.

    Attributes:
        source: where the account is.
    """

    def __init__(
        self,
        source: StorageSource,
        pool: HttpPool,
        tokens: TokenProvider | None = None,
        max_retry_pause: float = 1.0,
    ) -> None:
        self.source = source
        self._pool = pool
        self._tokens = tokens
        self._retries = RetryPolicy(
            max_attempts=3,
            max_connects=3,
            backoff=Backoff(first=max_retry_pause, longest=max_retry_pause, jitter=1.0),
            refused_for_now=_BUSY,
        )
        self._clock_offset = 0.0
        self._date = (0, "")

    def prefetch(self) -> None:
        """Get a token, in the background of the running event loop."""
        if self._tokens is not None:
            self._tokens.prefetch(AUDIENCE)

    async def close(self) -> None:
        """Close the pool's idle connections."""
        await self._pool.close()

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        query: Mapping[str, str] = _NOTHING,
        headers: Mapping[str, str] = _NOTHING,
        body: bytes = b"",
        refusals: Collection[str] = (),
    ) -> Response:
        """Send a request, and return the response.

        Args:
            service: blob or queue.
            method: GET, POST, PUT or DELETE.
            path: the resource, not encoded, without a slash before it.
            query: the parameters' lower-case names, and their values, not encoded.
            headers: by lower-case name.
            body: bytes.
            refusals: error codes that the caller handles; see `error_code`.

        Raises:
            StorageUnavailable: the account does not answer in time, or refuses for another reason.
            SignInError: no token is available.
        """
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                response = await self._attempts(service, method, path, query, headers, body)
        except TimeoutError as error:
            raise StorageUnavailable(
                f"the storage account did not answer within {CALL_TIMEOUT_SECONDS:.0f} s"
            ) from error
        succeeded = 200 <= response.status < 300 and "x-ms-request-id" in response.headers
        if not succeeded and error_code(response) not in refusals:
            raise StorageUnavailable(_explanation(response.status))
        return response

    async def _attempts(
        self,
        service: str,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Response:
        url = f"{self._endpoints.urls[service]}/{quote(path, safe='/~')}"
        parts = [f"{name}={quote(value, safe='')}" for name, value in query.items()]
        if self._endpoints.signature:
            parts.append(self._endpoints.signature)
        target = f"{url}?{'&'.join(parts)}" if parts else url
        end = asyncio.get_running_loop().time() + CALL_TIMEOUT_SECONDS
        attempt = 1
        while True:
            signed = await self._signed(method, url, query, headers, len(body))
            response, failure = Response(CONNECT_FAILED, {}, b""), None
            try:
                response = await self._pool.request(
                    method, target, signed, body, timeouts=_TIMEOUTS
                )
            except OSError as error:
                failure = error
            asked = retry_after(response.headers.get("retry-after"))
            pause = self._retries.pause(method, response.status, attempt, asked)
            if response.status == HTTPStatus.FORBIDDEN and self._corrects_clock(response):
                pause = 0.0
            if pause is None or asyncio.get_running_loop().time() + pause >= end:
                if failure is not None:
                    raise StorageUnavailable(_explanation(CONNECT_FAILED)) from failure
                return response
            await asyncio.sleep(pause)
            attempt += 1

    async def _signed(
        self, method: str, url: str, query: Mapping[str, str], headers: Mapping[str, str], size: int
    ) -> dict[str, str]:
        signed = {"x-ms-date": self._now(), "x-ms-version": API_VERSION, **headers}
        if self._tokens is not None:
            token = await self._tokens.get(AUDIENCE)
            signed["authorization"] = f"Bearer {token.value}"
        elif key := self._endpoints.key:
            signed["authorization"] = key.authorization(method, url, query, signed, size)
        return signed

    def _now(self) -> str:
        """The time by the account's clock, as an HTTP date."""
        second = int(time.time() + self._clock_offset)
        if second != self._date[0]:
            self._date = (second, email.utils.formatdate(second, usegmt=True))
        return self._date[1]

    def _corrects_clock(self, refusal: Response) -> bool:
        """Whether a refusal shows that this machine's clock is wrong; if so, it is corrected."""
        try:
            theirs = email.utils.parsedate_to_datetime(refusal.headers.get("date", ""))
        except ValueError:
            return False
        offset = theirs.timestamp() - time.time()
        corrects = abs(offset - self._clock_offset) > MAX_CLOCK_SKEW_SECONDS
        if corrects:
            self._clock_offset = offset
        return corrects

    @cached_property
    def _endpoints(self) -> StorageEndpoints:
        source = self.source
        if not source.connection_string:
            return StorageEndpoints({"blob": source.blob_url, "queue": source.queue_url})
        try:
            return StorageEndpoints.parse(source.connection_string)
        except ValueError as error:
            raise StorageUnavailable(
                "AzureWebJobsStorage is not the connection string of a storage account: copy it"
                " from the portal, or set AzureWebJobsStorage__accountName instead"
            ) from error


def error_code(response: Response) -> str:
    """The account's error code; empty if the call succeeded, or if a proxy refused it.

    Source: Microsoft reference "Status and error codes".
    """
    return response.headers.get("x-ms-error-code", "")


def header(response: Response, name: str) -> str:
    """A header that each successful response has.

    Raises:
        StorageUnavailable: it does not have it.
    """
    try:
        return response.headers[name]
    except KeyError as error:
        raise StorageUnavailable(_NOT_STORAGE) from error


def parse_xml(response: Response) -> Element:
    """The root of a response's XML.

    Raises:
        StorageUnavailable: it is malformed, or declares entities.
    """
    parser = XMLParser(target=_PlainBuilder())  # noqa: S314  # see _PlainBuilder
    try:
        parser.feed(response.body)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise StorageUnavailable(_NOT_STORAGE) from error
    return root


class _PlainBuilder(TreeBuilder):
    def doctype(self, *_: object) -> None:  # the parser's protocol
        raise ParseError("a document type could declare entities, and storage sends none")


def _explanation(status: int) -> str:
    if status in _FORBIDDEN:
        return (
            "the storage account refuses access: give the identity the roles Storage Blob Data"
            " Owner and Storage Queue Data Contributor on it, and check AzureWebJobsStorage and"
            " the account's firewall"
        )
    if status == CONNECT_FAILED:
        return "the storage account does not answer: check AzureWebJobsStorage and the network"
    if status < 400:
        return _NOT_STORAGE
    return f"the storage account answers {status}"
