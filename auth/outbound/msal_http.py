"""MsalHttp: MSAL's requests, sent by our own pool."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from auth.errors import EndpointDown, Throttled
from auth.outbound.endpoints import CONNECT_TIMEOUT, READ_TIMEOUT
from http_client.pool import HttpPool, Timeouts
from http_client.retry import retry_after

TIMEOUTS = Timeouts(connect=CONNECT_TIMEOUT, response=READ_TIMEOUT, total=8)
"""In all less than a token request may take, so that the failure is told as what it is."""

LONGEST_WAIT = 9.0
"""Seconds for which a thread waits: more than `TIMEOUTS`, which end a request."""

FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class MsalAnswer:
    """An answer in the shape that MSAL reads."""

    status_code: int
    headers: Mapping[str, str]
    text: str

    def raise_for_status(self) -> None:
        """Nothing: what is no answer of the protocol was raised before MSAL sees it."""


class MsalHttp:
    """The HTTP client of an MSAL application that runs in a worker thread.

    MSAL's own makes a TLS context for each application, 7 to 20 ms of work, and does not show
    Retry-After.

    Args:
        pool: sends the requests.
        loop: the event loop that the pool belongs to.
    """

    def __init__(self, pool: HttpPool, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = pool
        self._loop = loop

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> MsalAnswer:
        """GET, as MSAL asks.

        Raises:
            EndpointDown: there is no answer, or none that the protocol knows.
            Throttled: 429.
        """
        return self._wait_for("GET", url, params, headers)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> MsalAnswer:
        """POST a form, as MSAL asks.

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
    ) -> MsalAnswer:
        work = self._send(method, url, params, headers, form)
        # Bounded all the same: a loop that ends would leave the thread, and the process, waiting.
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LONGEST_WAIT)

    async def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        form: str | None,
    ) -> MsalAnswer:
        query = urlencode(params or {})
        address = f"{url}{'&' if '?' in url else '?'}{query}" if query else url
        try:
            found = await self._pool.request(
                method, address, headers or {}, (form or "").encode(), timeouts=TIMEOUTS
            )
        except OSError as error:
            raise EndpointDown(
                f"the sign-in endpoint {url} does not answer: check AZURE_AUTHORITY_HOST (or"
                " ToChannelFromBotLoginUrl), and that this app's network lets it out"
            ) from error
        # JSON is UTF-8 (RFC 8259, 8.1), whatever the header says.
        answer = MsalAnswer(found.status, found.headers, found.body.decode("utf-8", "replace"))
        _check(answer, url)
        return answer


def _check(answer: MsalAnswer, url: str) -> None:
    """Pass when MSAL can read it: JSON, with a status that the protocol knows (RFC 6749, 5)."""
    status = answer.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled(
            f"Entra asks to wait (429 from {url}): something signs in very often as the app"
            " registration MicrosoftAppId",
            retry_after(answer.headers.get("retry-after")),
        )
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if not (status == HTTPStatus.OK or refused) or not _is_object(answer.text):
        raise EndpointDown(
            f"{url} does not answer as Entra does ({status}): Entra is down, a proxy answers in its"
            " place, or AZURE_AUTHORITY_HOST (ToChannelFromBotLoginUrl) is no sign-in endpoint"
        )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):  # not JSON, or nested beyond any answer
        return False
