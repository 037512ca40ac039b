"""PoolTransport: sends the Azure SDKs' requests through the project's own HTTP pool."""

from http import HTTPStatus
from types import TracebackType
from typing import Any

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport
from azure.core.rest import HttpRequest
from azure.core.utils import case_insensitive_dict

from auth.outbound.endpoints import CONNECT_TIMEOUT, READ_TIMEOUT
from http_client.connection import ConnectFailed, Response
from http_client.pool import HttpPool, Timeouts

TIMEOUTS = Timeouts(CONNECT_TIMEOUT, READ_TIMEOUT, CONNECT_TIMEOUT + READ_TIMEOUT)

MAX_ANSWER_BYTES = 1024 * 1024


class PoolTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """An azure-core transport that needs no aiohttp, whose import would slow a cold start.

    Only for requests without a body, such as those to an identity endpoint.

    Args:
        pool: sends the requests.
    """

    def __init__(self, pool: HttpPool) -> None:
        self._pool = pool

    async def send(self, request: HttpRequest, **_: Any) -> AsyncHttpResponse:  # the SDK's protocol
        """Send a request, and return the response.

        Raises:
            ServiceRequestError: the request was not sent.
            ServiceResponseError: it was sent, and no response came.
        """
        try:
            answer = await self._pool.request(
                request.method,
                request.url,
                request.headers,
                timeouts=TIMEOUTS,
                max_bytes=MAX_ANSWER_BYTES,
            )
        except ConnectFailed as error:
            raise ServiceRequestError(str(error), error=error) from error
        except OSError as error:
            raise ServiceResponseError(str(error), error=error) from error
        return _Response(request, answer)

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


class _Response(AsyncHttpResponse):
    """A response with the attributes that the SDKs read."""

    def __init__(self, request: Any, answer: Response) -> None:
        super().__init__(request, answer)
        self.status_code = answer.status
        self.headers = case_insensitive_dict(answer.headers)
        self.content_type = self.headers.get("content-type")
        self.reason = HTTPStatus(answer.status).phrase if answer.status in HTTPStatus else ""
        self._content = answer.body

    def body(self) -> bytes:
        """The whole body."""
        return self._content
