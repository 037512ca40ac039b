"""Spans of requests, and of signing in: the parts that the warm-up creates first.

Nothing here imports the bot SDK, so that the first requests can be sent before it is imported.
"""

import functools
from collections.abc import Mapping
from urllib.parse import urlsplit

from auth.outbound.token_provider import MAX_ATTEMPTS, AccessToken, Credential, TokenProvider
from cloud_adapter.storage.account import AUDIENCE
from cloud_adapter.telemetry.metrics import bot_metrics
from cloud_adapter.telemetry.spans import Operation, current_trace_parent
from http_client.pool import DEFAULT_TIMEOUTS, MAX_RESPONSE_BYTES, HttpPool, Response, Timeouts

_NO_HEADERS: Mapping[str, str] = {}

CHANNEL, STORAGE, SKILL = "channel", "storage", "skill"
"""What a token is for, as metrics say it."""


class TracedHttpPool(HttpPool):
    """See the base class."""

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes = b"",
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> Response:
        """Send a request and return the response."""
        operation = Operation.current()
        call = operation if operation is not None and operation.is_call else None
        if call is not None:
            call.count_request()
            if call.is_propagated and (trace_parent := current_trace_parent()):
                headers = {**headers, "traceparent": trace_parent}
        response = await super().request(
            method, url, headers, body, timeouts=timeouts, max_bytes=max_bytes
        )
        if call is not None:
            call.set("http.response.status_code", response.status)
        return response


@functools.lru_cache(maxsize=64)  # a bot calls few hosts
def host_of(url: str) -> str:
    """The host of a URL, without its port; empty if the URL is not valid."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class TracedTokenProvider(TokenProvider):
    """See the base class."""

    def __init__(self, credential: Credential, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        super().__init__(TracedCredential(credential), max_attempts=max_attempts)


class TracedCredential(Credential):
    """A credential, each of whose requests has a span.

    Args:
        credential: signs the bot in.
    """

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._method = type(credential).__name__

    async def request_token(self, audience: str) -> AccessToken:
        """Request a new token."""
        attributes = {"auth.method": self._method}
        kind = _kind_of(audience)
        if kind != SKILL:  # its audience is an app id
            attributes["auth.scopes"] = f"{audience}/.default"
        with Operation("agents.authentication.get_access_token", attributes):
            token = await self._credential.request_token(audience)
        bot_metrics().token_obtained(kind)
        if token.certificate_expires_on:
            bot_metrics().certificate_expires_at(token.certificate_expires_on)
        return token

    def refresh_if_due(self) -> None:
        """Start any background work that is due."""
        self._credential.refresh_if_due()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What needs action before signing in fails."""
        return self._credential.warnings


def _kind_of(audience: str) -> str:
    if audience == AUDIENCE:
        return STORAGE
    return CHANNEL if "://" in audience else SKILL
