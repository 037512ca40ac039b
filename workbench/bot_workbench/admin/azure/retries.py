"""When a request is repeated, and how long the clients wait between attempts."""

from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.pipeline.transport import RequestsTransport

from bot_workbench.admin.azure.clock import Deadline

MAX_RETRIES = 6
MAX_BACKOFF_SECONDS = 30
MAX_RETRY_AFTER_SECONDS = 120.0
CONNECT_SECONDS = 20
READ_SECONDS = 120


@dataclass(frozen=True)
class RetryLimits:
    """The time limits of a client's attempts.

    Attributes:
        retries: how often a request is repeated at most.
        read_seconds: how long an answer may take, if the deadline leaves as long.
    """

    retries: int = MAX_RETRIES
    read_seconds: float = READ_SECONDS


DEFAULT_LIMITS = RetryLimits()
"""Of commands that change something: they should not stop half-way."""

_READS = ("/list", "/listkeys", "/listwithsecrets", "/checknameavailability", "/query", "/token")
"""Endings of the paths at which a POST to Resource Manager, Log Analytics or Entra changes
nothing."""

_NOT_DONE = {429, 503}
"""Statuses of a request that the service has not acted on."""


class LookFirstRetryPolicy(RetryPolicy[Any, Any]):
    """Repeats reads, and writes that were surely not done; nothing after a deadline.

    azure-core repeats a PUT after a lost answer, a DELETE, too, and a POST after 500: here, the
    step that sent it looks first. It also repeats any status with Retry-After: here, only those
    that ask to wait.

    Args:
        deadline: nothing is repeated after it.
        max_retries: how often a request is repeated at most.
        final: statuses that are an answer here, and not a fault.
    """

    def __init__(
        self, deadline: Deadline, max_retries: int, final: frozenset[int] = frozenset()
    ) -> None:
        super().__init__(
            retry_total=max_retries,
            retry_connect=max_retries,
            retry_read=max_retries,
            retry_status=max_retries,
            retry_backoff_max=MAX_BACKOFF_SECONDS,
        )
        self._deadline = deadline
        self._final = final

    def increment(self, settings: dict[str, Any], response: Any = None, error: Any = None) -> bool:
        """Whether an attempt is left, and time to wait for it."""
        is_left = super().increment(settings, response=response, error=error)
        asked = None if error else self.get_retry_after(response)
        return is_left and (asked or self.get_backoff_time(settings)) < self._deadline.left

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Seconds that the service asks to wait, within reason; None if it does not say."""
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, MAX_RETRY_AFTER_SECONDS)

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


def is_read(request: Any) -> bool:
    """Whether a request changes nothing: a GET, or a POST that only answers a question."""
    path = str(urlsplit(request.url).path).lower()
    return bool(request.method == "GET" or (request.method == "POST" and path.endswith(_READS)))


class DeadlineTransport(RequestsTransport):  # type: ignore[misc]  # azure-core hides its type
    """Connections whose time limits end at a deadline, but never before MIN_ANSWER_SECONDS; they
    use the proxy and the authorities of the environment. Its clock waits between attempts.

    Args:
        deadline: when the limits end.
        read_seconds: how long an answer may take if the deadline leaves as long.
    """

    def __init__(self, deadline: Deadline, read_seconds: float = READ_SECONDS) -> None:
        super().__init__()
        self._deadline = deadline
        self._read_seconds = read_seconds

    def sleep(self, duration: float) -> None:
        """Wait for some seconds before the next attempt."""
        self._deadline.clock.sleep(duration)

    def send(self, request: Any, *, proxies: Any = None, **options: Any) -> Any:
        """Send a request, and return its response.

        Raises:
            ServiceResponseTimeoutError: the response is not complete in time.
        """
        connecting = self._deadline.answer_seconds(CONNECT_SECONDS)
        answering = self._deadline.answer_seconds(self._read_seconds)
        # What azure-core's policies put there, such as its own time limits, would win.
        limits = {"connection_timeout": connecting, "read_timeout": answering}
        result: Future[Any] = Future()

        def exchange() -> None:
            try:
                response = super(DeadlineTransport, self).send(
                    request, proxies=proxies, **{**options, **limits}
                )
            except Exception as error:  # noqa: BLE001  # raised where it is awaited
                result.set_exception(error)
            else:
                result.set_result(response)

        # The limit of requests is for each read: a service that sends a byte a second meets it.
        Thread(target=exchange, daemon=True).start()
        done, _ = wait([result], connecting + answering)
        if not done:
            raise ServiceResponseTimeoutError(
                f"the answer was not complete after {connecting + answering:.0f} seconds"
            )
        return result.result()
