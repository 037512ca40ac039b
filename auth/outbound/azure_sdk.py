"""The transport and the credential that this project gives the Azure SDKs' clients."""

import json
from http import HTTPStatus
from types import TracebackType
from typing import Any

from azure.core.credentials import AccessToken as AzureToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport
from azure.core.rest import HttpRequest
from azure.core.utils import case_insensitive_dict

from auth.outbound.endpoints import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS
from auth.outbound.token_provider import TokenProvider
from http_client.pool import ConnectFailed, HttpPool, Response, Timeouts

TIMEOUTS = Timeouts(
    connect=CONNECT_TIMEOUT_SECONDS,
    response=READ_TIMEOUT_SECONDS,
    total=CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS,
)


class PoolTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """An azure-core transport without aiohttp, whose import would slow down a cold start.

    It sends bodies of text and of bytes, no forms and no streams, and reads a response as a whole.

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
        content = request.content or b""
        body = content.encode() if isinstance(content, str) else content  # the SDKs hold either
        headers = {
            name: value
            for name, value in request.headers.items()
            # The pool sends its own, and the SDK's counts a text's characters.
            if name.lower() != "content-length"
        }
        try:
            response = await self._pool.request(
                request.method,
                request.url,
                headers,
                body,
                timeouts=self._timeouts,
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

    def text(self, encoding: str | None = None) -> str:
        """The whole body, decoded: a page in another encoding must not hide the status."""
        return self._content.decode(encoding or "utf-8-sig", "replace")

    def json(self) -> Any:
        """The whole body, parsed."""
        return json.loads(self.text())


class AzureSdkCredential(AsyncTokenCredential):
    """Gives the Azure SDKs' clients the tokens of a managed identity.

    The tokens come from this project's cache: azure-identity would send a request for each call
    during an outage, and clients that share a credential need fewer requests.

    Args:
        tokens: the tokens of a managed identity.
    """

    def __init__(self, tokens: TokenProvider) -> None:
        self._tokens = tokens

    async def get_token(self, *scopes: str, **_: Any) -> AzureToken:  # the SDK's protocol
        """A token for the scope (resource and `/.default`) that the service requires.

        Raises:
            SignInError: no token is available.
        """
        token = await self._tokens.get(scopes[0].removesuffix("/.default"))
        return AzureToken(token.value, int(token.expires_on))

    async def close(self) -> None:
        """Do nothing: the tokens outlive the client."""

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: the tokens outlive the client."""
