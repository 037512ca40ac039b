"""HttpPool: the process's one pooled HTTP client."""

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

CONNECT_TIMEOUT = 3.0
"""Seconds to connect, TLS included."""

TOTAL_TIMEOUT = 10.0
"""Seconds for one request in all."""

IDLE_TIMEOUT = 30.0
"""Seconds that an idle connection is kept: less than servers keep theirs, so that a request is not
sent into one that is being closed."""

LARGEST_DOCUMENT = 1024 * 1024
"""Bytes of a fetched document."""


class HttpPool:
    """Keeps connections for reuse; made on first use, inside the event loop that it belongs to.

    It keeps no cookies, reads no proxy settings, and follows no redirect: a redirect would carry
    the bearer token to a host that nobody has checked.
    """

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    @property
    def session(self) -> ClientSession:
        """The session; callers pass `allow_redirects=False`."""
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=0, keepalive_timeout=IDLE_TIMEOUT),
                timeout=ClientTimeout(total=TOTAL_TIMEOUT, sock_connect=CONNECT_TIMEOUT),
                cookie_jar=DummyCookieJar(),
            )
        return self._session

    async def get_document(self, url: str) -> bytes:
        """The body of a public document.

        Raises:
            OSError: it cannot be had, is too large, or is answered with another status than 200.
        """
        try:
            async with self.session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise ConnectionError(f"{url} answered {response.status}")
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > LARGEST_DOCUMENT:
                        raise ConnectionError(f"{url} is too large")
                return bytes(body)
        # UnicodeError: the resolver's, for a host name with an empty label.
        except (ClientError, UnicodeError) as error:
            raise ConnectionError(f"{url} cannot be reached") from error

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None
