"""When a request is repeated, and how long the clients wait between attempts."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.pipeline.transport import RequestsTransport

from admin.azure.http.clock import Clock

MAX_RETRIES = 6
MAX_BACKOFF_SECONDS = 30
MAX_RETRY_AFTER_SECONDS = 120.0
CONNECT_SECONDS = 20
READ_SECONDS = 120


@dataclass(frozen=True)
class RetryLimits:
    """How long a client tries.

    Attributes:
        retries: how often a request is repeated at most.
        read_seconds: how long an answer may take.
    """

    retries: int = MAX_RETRIES
    read_seconds: float = READ_SECONDS


DEFAULT_LIMITS = RetryLimits()
"""Of commands that change something: they should not stop half-way."""

_READS = ("/list", "/listkeys", "/listwithsecrets", "/checknameavailability", "/query")
"""Endings of the paths at which a POST to Resource Manager or Log Analytics only reads."""

_NOT_DONE = {429, 503}
"""Statuses of a request that the service has not acted on."""


class LookFirstRetryPolicy(RetryPolicy[Any, Any]):
    """Repeats reads, and writes that were surely not done.

    azure-core repeats a PUT after a lost answer, a DELETE, too, and a POST after 500: here, the
    step that sent it looks first. It also repeats any status with Retry-After: here, only those
    that ask to wait.

    Args:
        clock: waits between attempts.
        max_retries: how often a request is repeated at most.
        final: statuses that are an answer here, and not a fault.
    """

    def __init__(self, clock: Clock, max_retries: int, final: frozenset[int]) -> None:
        super().__init__(
            retry_total=max_retries,
            retry_connect=max_retries,
            retry_read=max_retries,
            retry_status=max_retries,
            retry_backoff_max=MAX_BACKOFF_SECONDS,
        )
        self._clock = clock
        self._final = final

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether the request is sent again."""
        status = response.http_response.status_code
        if not settings["total"] or status in self._final:
            return False
        if is_read(response.http_request):
            return status in self._retry_on_status_codes
        return status in _NOT_DONE

    def _is_method_retryable(
        self, settings: dict[str, Any], request: Any, response: Any = None
    ) -> bool:
        """Whether a request is sent again after a lost connection."""
        return is_read(request)

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Seconds that the service asks to wait, within reason; None if it does not say."""
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, MAX_RETRY_AFTER_SECONDS)

    def sleep(
        self,
        settings: dict[str, Any],
        transport: Any,
        response: PipelineResponse[Any, Any] | None = None,
    ) -> None:
        """Wait before the next attempt."""
        asked = None if response is None else self.get_retry_after(response)
        seconds = self.get_backoff_time(settings) if asked is None else asked
        if seconds > 0:
            self._clock.sleep(seconds)


def is_read(request: Any) -> bool:
    """Whether a request changes nothing: a GET, or a POST that only answers a question."""
    path = str(urlsplit(request.url).path).lower()
    return bool(request.method == "GET" or (request.method == "POST" and path.endswith(_READS)))


def transport(read_seconds: float = READ_SECONDS) -> Any:
    """Connections with time limits; they use the proxy and the authorities of the environment.

    Args:
        read_seconds: how long an answer may take.
    """
    return RequestsTransport(connection_timeout=CONNECT_SECONDS, read_timeout=read_seconds)
