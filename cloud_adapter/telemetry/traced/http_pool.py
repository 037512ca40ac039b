"""TracedHttpPool: notes requests in the span of the call that sends them."""

import functools
from collections.abc import Mapping
from urllib.parse import urlsplit

from cloud_adapter.telemetry.spans.operation import Operation
from cloud_adapter.telemetry.spans.trace_context import current_trace_parent
from http_client.connection import Response
from http_client.limits import MAX_RESPONSE_BYTES
from http_client.pool import DEFAULT_TIMEOUTS, HttpPool, Timeouts

_NO_HEADERS: Mapping[str, str] = {}


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
