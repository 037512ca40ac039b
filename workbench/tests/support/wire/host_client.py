"""HostClient: calls the functions of an app in a running Functions host."""

from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout

TIMEOUT = ClientTimeout(total=30)


class HostClient:
    """A client of one host; an async context manager.

    Args:
        url: the host's base URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        self.session = ClientSession(self._url, timeout=TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def answer(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Status and body of the answer to a request."""
        async with self.session.request(method, path, headers=headers) as response:
            return response.status, await response.text()

    async def json(self, path: str) -> dict[str, Any]:
        """The JSON object that a GET request is answered with."""
        async with self.session.get(path) as response:
            content: dict[str, Any] = await response.json(content_type=None)
            return content

    async def echo(
        self,
        path: str = "/api/echo",
        data: bytes | BytesIO | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        expect_continue: bool = False,
    ) -> dict[str, Any]:
        """What the app's function received, which answers a POST request with it."""
        async with self.session.post(
            path, data=data, headers=headers, expect100=expect_continue
        ) as response:
            assert response.status == 200
            received: dict[str, Any] = await response.json()
            return received
