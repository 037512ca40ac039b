"""StorageAccount: sends requests to the bot's storage account, and says what its errors mean.

Its services' URLs, and the key or signature for them, come from a connection string, unless the
settings name the account. Every request may be sent twice: conditional writes are compared with
what is stored, and a second wake-up message or appended block does no harm.

Sources: Microsoft references "Authorize with Shared Key" and "Status and error codes".
"""

import asyncio
import base64
import email.utils
import hmac
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from auth.errors import SignInError
from auth.outbound.token_provider import TokenProvider
from auth.settings import StorageSource
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.home_loop import on_home_loop
from http_client.observer import moment
from http_client.pool import MAX_CONTENT_BYTES, HttpPool, Response, ResponseTooLarge, Timeouts
from http_client.retry import CONNECT_FAILED, Backoff, RetryPolicy, retry_after

NOTHING: Mapping[str, str] = MappingProxyType({})
"""No parameters, no headers, or no metadata."""


class StorageRequest(NamedTuple):
    """A request.

    Attributes:
        service: blob or queue.
        method: GET, POST, PUT or DELETE.
        path: the resource, not encoded, without a slash before it.
        query: the parameters' lower-case names, and their values, not encoded.
        headers: by lower-case name.
        body: bytes.
    """

    service: str
    method: str
    path: str
    query: Mapping[str, str] = NOTHING
    headers: Mapping[str, str] = NOTHING
    body: bytes = b""


AUDIENCE = "https://storage.azure.com"
"""The audience of tokens for blobs and queues, in every cloud."""

API_VERSION = "2023-11-03"

CALL_TIMEOUT_SECONDS = 8.0
"""The longest that a call may take, with all its attempts, once there is a token."""

MAX_CLOCK_SKEW_SECONDS = 60.0
"""The difference from the account's clock above which this machine's requests are corrected. The
account refuses signed requests that differ by 15 minutes."""

_TIMEOUTS = Timeouts(connect=2.0, response=5.0, total=CALL_TIMEOUT_SECONDS)

_BUSY = frozenset({408, 429, 500, 502, 503, 504})

_LATE = f"the storage account did not answer within {CALL_TIMEOUT_SECONDS:.0f} s"

_NO_RESPONSE = Response(CONNECT_FAILED, {}, b"")


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
        """Close the pool, which nothing else may use then."""
        await self._pool.close()

    @on_home_loop
    @moment("storage.call")
    async def call(self, request: StorageRequest, refusals: Collection[str] = ()) -> Response:
        """Send a request, and return the response.

        Args:
            request: the request.
            refusals: error codes that the caller handles; see `error_code`.

        Raises:
            StorageUnavailable: no token is available; or the account does not answer in time, its
                answer is too large, or it refuses for another reason.
        """
        response = await self._attempts(request)
        succeeded = 200 <= response.status < 300 and "x-ms-request-id" in response.headers
        code = error_code(response)
        if not succeeded and code not in refusals:
            text = _explanation(response.status)
            raise StorageUnavailable(f"{text} ({code})" if code else text)
        return response

    async def _attempts(self, request: StorageRequest) -> Response:
        url = f"{self._endpoints.urls[request.service]}/{quote(request.path)}"
        query = [f"{name}={quote(value)}" for name, value in request.query.items()]
        if self._endpoints.signature:
            query.append(self._endpoints.signature)
        target = f"{url}?{'&'.join(query)}" if query else url
        now = asyncio.get_running_loop().time
        end = now() + CALL_TIMEOUT_SECONDS
        attempt, timeouts = 1, _TIMEOUTS
        while True:
            clock_offset = self._clock_offset
            headers = await self._authorized_headers(request, url)
            response, failure = _NO_RESPONSE, None
            try:
                response = await self._pool.request(
                    request.method,
                    target,
                    headers,
                    request.body,
                    timeouts=timeouts,
                    max_bytes=MAX_CONTENT_BYTES,
                )
            except ResponseTooLarge as error:
                raise StorageUnavailable(
                    f"the storage account's answer cannot be used: {error}"
                ) from error
            except OSError as error:
                failure = error
            asked = retry_after(response.headers.get("retry-after"))
            pause = self._retries.pause(request.method, response.status, attempt, asked)
            if attempt == 1 and self._corrects_clock(response, clock_offset):
                pause = 0.0
            if pause is None or now() + pause >= end:
                if failure is not None:
                    why = _LATE if now() >= end else _explanation(CONNECT_FAILED)
                    raise StorageUnavailable(why) from failure
                return response
            await asyncio.sleep(pause)
            attempt += 1
            timeouts = replace(_TIMEOUTS, total=end - now())

    async def _authorized_headers(self, request: StorageRequest, url: str) -> dict[str, str]:
        headers = {"x-ms-date": self._http_date(), "x-ms-version": API_VERSION, **request.headers}
        if self._tokens is not None:
            try:
                token = await self._tokens.get(AUDIENCE)
            except SignInError as error:
                raise StorageUnavailable(str(error), error.retry_after) from error
            headers["authorization"] = f"Bearer {token.value}"
        elif key := self._endpoints.key:
            headers["authorization"] = key.authorization(request, url, headers)
        return headers

    def _http_date(self) -> str:
        """The time by the account's clock, as an HTTP date."""
        second = int(time.time() + self._clock_offset)
        if second != self._date[0]:
            self._date = (second, email.utils.formatdate(second, usegmt=True))
        return self._date[1]

    def _corrects_clock(self, response: Response, offset: float) -> bool:
        """Whether a request was refused because of its date; if so, the clock is corrected.

        Args:
            response: any response.
            offset: seconds that had been added to this machine's time.
        """
        if response.status != HTTPStatus.FORBIDDEN:
            return False
        try:
            theirs = email.utils.parsedate_to_datetime(response.headers.get("date", ""))
        except ValueError:
            return False
        self._clock_offset = theirs.timestamp() - time.time()
        return abs(self._clock_offset - offset) > MAX_CLOCK_SKEW_SECONDS

    @cached_property
    def _endpoints(self) -> "StorageEndpoints":
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


_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


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
        return NOT_STORAGE
    return f"the storage account answers {status}"


class SharedKey:
    """The key of a storage account.

    Args:
        account: the account's name.
        key: the key in base64.

    Raises:
        ValueError: the key is not base64.
    """

    def __init__(self, account: str, key: str) -> None:
        self._account = account
        self._key = base64.b64decode(key, validate=True)

    def authorization(self, request: StorageRequest, url: str, headers: Mapping[str, str]) -> str:
        """The value of a request's Authorization header.

        Args:
            request: the request.
            url: its URL without the query, percent-encoded.
            headers: its headers, with date and version.
        """
        names = sorted(name for name in headers if name.startswith("x-ms-"))
        lines = [
            f"{request.method}\n\n\n{len(request.body) or ''}\n\n\n\n",
            headers.get("if-match", ""),
            headers.get("if-none-match", ""),
            "\n",
            *(f"{name}:{headers[name]}" for name in names),
            f"/{self._account}{url[url.index('/', len('https://')) :]}",
            *(f"{name}:{request.query[name]}" for name in sorted(request.query)),
        ]
        digest = hmac.digest(self._key, "\n".join(lines).encode(), "sha256")
        return f"SharedKey {self._account}:{base64.b64encode(digest).decode()}"


_DEVELOPMENT_STORAGE = (
    "AccountName=devstoreaccount1;"
    "AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1"
)
"""The meaning of `UseDevelopmentStorage=true`: Azurite's account, whose key is published."""


class StorageEndpoints(NamedTuple):
    """A storage account as requests need it.

    Attributes:
        urls: the URLs of the services `blob` and `queue`, without a slash at the end.
        key: signs the requests; None if a signature or a token does.
        signature: a shared access signature, which is added to each URL's query; empty for none.
    """

    urls: dict[str, str]
    key: SharedKey | None = None
    signature: str = ""

    @classmethod
    def parse(cls, connection_string: str) -> "StorageEndpoints":
        """Read a connection string, as the Azure SDKs do.

        Source: Microsoft reference "Configure Azure Storage connection strings".

        Raises:
            ValueError: it is not the connection string of a storage account.
        """
        pairs = [pair.partition("=") for pair in connection_string.rstrip(";").split(";")]
        settings = {name.upper(): value for name, _, value in pairs}
        if settings.get("USEDEVELOPMENTSTORAGE") == "true":
            return cls.parse(_DEVELOPMENT_STORAGE)
        account, key = settings.get("ACCOUNTNAME", ""), settings.get("ACCOUNTKEY", "")
        signature = settings.get("SHAREDACCESSSIGNATURE", "").removeprefix("?")
        urls = {service: _url(settings, service) for service in ("blob", "queue")}
        if account and key:
            return cls(urls, SharedKey(account, key))
        if not signature:
            raise ValueError("the connection string has neither a key nor a signature")
        return cls(urls, signature=signature)


def _url(settings: dict[str, str], service: str) -> str:
    if url := settings.get(f"{service.upper()}ENDPOINT"):
        return url.rstrip("/")
    if not (account := settings.get("ACCOUNTNAME")):
        raise ValueError("the connection string names no account")
    protocol = settings.get("DEFAULTENDPOINTSPROTOCOL", "https")
    suffix = settings.get("ENDPOINTSUFFIX", "core.windows.net")
    return f"{protocol}://{account}.{service}.{suffix}"


NOT_STORAGE = "the server at the storage account's URL is not Azure Storage: check the URL"


def error_code(response: Response) -> str:
    """The account's error code; empty if the call succeeded, or if a proxy refused it."""
    return response.headers.get("x-ms-error-code", "")


def header(response: Response, name: str) -> str:
    """A header that each successful response has.

    Raises:
        StorageUnavailable: it does not have it.
    """
    try:
        return response.headers[name]
    except KeyError as error:
        raise StorageUnavailable(NOT_STORAGE) from error


def parse_xml(response: Response) -> Element:
    """The root of a response's XML.

    Raises:
        StorageUnavailable: it is malformed, or has a document type, which could declare entities.
    """
    parser = XMLParser(target=_EntityFreeBuilder())  # noqa: S314  # expat's limits, and no entities
    try:
        parser.feed(response.body)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise StorageUnavailable(NOT_STORAGE) from error
    return root


class _EntityFreeBuilder(TreeBuilder):
    def doctype(self, *_: object) -> None:  # the parser's protocol
        raise ParseError("a document type is not allowed")
