"""PoolTransport: sends the Azure SDKs' requests through the project's HTTP pool."""

from http import HTTPStatus
from types import TracebackType
from typing import Any

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport
from azure.core.rest import HttpRequest
from azure.core.utils import case_insensitive_dict

from auth.outbound.endpoints import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS
from http_client.connection import ConnectFailed, Response
from http_client.pool import HttpPool, Timeouts

TIMEOUTS = Timeouts(
    connect=CONNECT_TIMEOUT_SECONDS,
    response=READ_TIMEOUT_SECONDS,
    total=CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS,
)

MAX_RESPONSE_BYTES = 1024 * 1024


class PoolTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """An azure-core transport without aiohttp, whose import would slow down a cold start.

    It supports only requests without a body, such as those to an identity endpoint.

    Args:
        pool: sends the requests.
        timeouts: time limits of each request.
    """

    def __init__(self, pool: HttpPool, timeouts: Timeouts = TIMEOUTS) -> None:
        self._pool = pool
        self._timeouts = timeouts

    async def send(self, request: HttpRequest, **_: Any) -> AsyncHttpResponse:  # the SDK's protocol
        """Send a request, and return the response.

        Raises:
            ServiceRequestError: the request was not sent.
            ServiceResponseError: the request was sent, but no response came.
        """
        try:
            response = await self._pool.request(
                request.method,
                request.url,
                request.headers,
                timeouts=self._timeouts,
                max_bytes=MAX_RESPONSE_BYTES,
            )
        except ConnectFailed as error:
            raise ServiceRequestError(str(error), error=error) from error
        except OSError as error:
            raise ServiceResponseError(str(error), error=error) from error
        return _PoolResponse(request, response)

    async def open(self) -> None:
        """Do nothing: the pool opens connections when it needs them."""

    async def close(self) -> None:
        """Do nothing: the pool outlives the transport."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Do nothing: the pool outlives the transport."""


class _PoolResponse(AsyncHttpResponse):
    """A response with the attributes that the SDKs read."""

    def __init__(self, request: Any, response: Response) -> None:
        super().__init__(request, response)
        self.status_code = response.status
        self.headers = case_insensitive_dict(response.headers)
        self.content_type = self.headers.get("content-type")
        self.reason = HTTPStatus(response.status).phrase if response.status in HTTPStatus else ""
        self._content = response.body

    def body(self) -> bytes:
        """The whole body."""
        return self._content
