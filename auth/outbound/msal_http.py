"""MsalHttp: sends MSAL's requests through the project's HTTP pool."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from auth.errors import EndpointDown, Throttled
from auth.outbound.endpoints import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS
from http_client.pool import HttpPool, Timeouts
from http_client.retry import retry_after

TIMEOUTS = Timeouts(connect=CONNECT_TIMEOUT_SECONDS, response=READ_TIMEOUT_SECONDS, total=8)
"""The time limits of a request: less than a token request may take, so that an error can name the
endpoint."""

THREAD_TIMEOUT_SECONDS = 9.0
"""The time for which the thread waits for a request: longer than `TIMEOUTS`, which normally end it.
"""

FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class MsalResponse:
    """An HTTP response with the attributes that MSAL reads."""

    status_code: int
    headers: Mapping[str, str]
    text: str

    def raise_for_status(self) -> None:
        """Do nothing: MsalHttp has already raised for every response that MSAL cannot read."""


class MsalHttp:
    """The HTTP client of an MSAL application that runs in a worker thread.

    MSAL's own client creates a TLS context for each application, which takes 7 to 20 ms, and hides
    Retry-After.

    Args:
        pool: sends the requests.
        loop: the event loop that the pool belongs to.
        timeouts: time limits of each request.
    """

    def __init__(
        self, pool: HttpPool, loop: asyncio.AbstractEventLoop, timeouts: Timeouts = TIMEOUTS
    ) -> None:
        self._pool = pool
        self._loop = loop
        self._timeouts = timeouts

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> MsalResponse:
        """Send a GET request; MSAL calls this method.

        Raises:
            EndpointDown: there is no response, or the response is not what the protocol allows.
            Throttled: the response is 429.
        """
        return self._wait_for("GET", url, params, headers)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> MsalResponse:
        """Send a form in a POST request; MSAL calls this method.

        Raises:
            EndpointDown, Throttled: as `get`.
        """
        form = urlencode({name: value for name, value in (data or {}).items() if value is not None})
        return self._wait_for("POST", url, params, {**(headers or {}), **FORM_TYPE}, form)

    def _wait_for(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        form: str | None = None,
    ) -> MsalResponse:
        work = self._send(method, url, params, headers, form)
        # With a timeout: if the loop stopped, the waiting thread would keep the process alive.
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(THREAD_TIMEOUT_SECONDS)

    async def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        form: str | None,
    ) -> MsalResponse:
        query = urlencode(params or {})
        address = f"{url}{'&' if '?' in url else '?'}{query}" if query else url
        try:
            found = await self._pool.request(
                method, address, headers or {}, (form or "").encode(), timeouts=self._timeouts
            )
        except OSError as error:
            raise EndpointDown(
                f"the sign-in endpoint {url} does not answer: check AZURE_AUTHORITY_HOST (or"
                " ToChannelFromBotLoginUrl), and that this app's network allows the call"
            ) from error
        # JSON is UTF-8 (RFC 8259, 8.1), whatever the header says.
        response = MsalResponse(found.status, found.headers, found.body.decode("utf-8", "replace"))
        _check(response, url)
        return response


def _check(response: MsalResponse, url: str) -> None:
    """Check that MSAL can read a response: a JSON object, with a status that RFC 6749 (5) allows.

    Raises:
        EndpointDown: MSAL cannot read the response.
        Throttled: the status is 429.
    """
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled(
            f"Entra asks to wait (429 from {url}): something signs in too often as the app"
            " registration MicrosoftAppId",
            retry_after(response.headers.get("retry-after")),
        )
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if not (status == HTTPStatus.OK or refused) or not _is_object(response.text):
        raise EndpointDown(
            f"{url} does not answer as Entra does ({status}): Entra is down, a proxy answers in its"
            " place, or AZURE_AUTHORITY_HOST (ToChannelFromBotLoginUrl) is not a sign-in endpoint"
        )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):  # not JSON, or nested too deeply
        return False
