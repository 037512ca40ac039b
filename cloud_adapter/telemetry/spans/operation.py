"""Operation: what one span, and the metrics beside it, measure.

Spans never hold the text of an error, because it may quote what a user wrote: only its class.
"""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode

from cloud_adapter.telemetry.metrics import SCOPE, bot_metrics

NO_FAILURES = frozenset({"TurnRepeated", "StateConflict"})
"""Errors that are named in a span, and leave its status unset: the adapter deals with them."""

MAX_ERROR_NAME = 80

Value = str | int | float | bool

_KEY = context_api.create_key("operation")
_FAILED = Status(StatusCode.ERROR)

tracer = trace.get_tracer(SCOPE)


class Operation:
    """A context manager: its span is the current one inside it, and ends with it.

    Args:
        name: the span's.
        attributes: those that are known at the start.
        kind: the span's.
        parent: the context of the span's parent; None: the current one.
        links: the span's.

    Attributes:
        is_call: it is one call of another service, whose status and retries are of interest.
        is_propagated: the called service gets the trace context.
    """

    __slots__ = (
        "_added",
        "_attributes",
        "_error",
        "_name",
        "_requests",
        "_span",
        "_start",
        "_token",
        "is_call",
        "is_propagated",
    )

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, Value] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Context | None = None,
        links: Sequence[Link] = (),
    ) -> None:
        self.is_call = kind is SpanKind.CLIENT
        self.is_propagated = False
        self._name = name
        self._requests = 0
        self._attributes = attributes or {}
        self._added: dict[str, Value] = {}
        self._error = ""
        self._start = time.perf_counter()
        self._span: Span = tracer.start_span(name, parent, kind, self._attributes, links)
        within = trace.set_span_in_context(self._span, parent)
        self._token = context_api.attach(context_api.set_value(_KEY, self, within))

    @staticmethod
    def current() -> "Operation | None":
        """The operation that runs this code; None: no operation does."""
        found = context_api.get_value(_KEY)
        return found if isinstance(found, Operation) else None

    def set(self, name: str, value: Value) -> None:
        """Add an attribute, until it ends."""
        self._added[name] = value  # added to the span at once at the end, which costs less

    def count_request(self) -> None:
        """Note that it sends a request: each one after the first is a retry."""
        self._requests += 1
        if self._requests > 1:
            self.set("http.request.resend_count", self._requests - 1)
            self.set("bot.retries", self._requests - 1)

    def fail(self, error: BaseException) -> None:
        """Note that it has failed, and with which class of error. The first error counts."""
        if self._error:
            return
        self._error = error_name(error)
        self.set("error.type", self._error)
        self.set("bot.error", self._error)
        if self._error not in NO_FAILURES:
            self._span.set_status(_FAILED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace_back: TracebackType | None,
    ) -> None:
        if error is not None:
            self.fail(error)
        context_api.detach(self._token)
        if self._added:
            self._span.set_attributes(self._added)
        self._span.end()
        seconds = time.perf_counter() - self._start
        attributes = {**self._attributes, **self._added}
        bot_metrics().ended(self._name, seconds, attributes, self._error)


def past_operation(name: str, start: int, end: int) -> None:
    """A span of something that is over, within the current one.

    Args:
        name: the span's.
        start, end: nanoseconds since the epoch. The clocks of two machines differ, so the end may
            seem to be before the start.
    """
    tracer.start_span(name, start_time=min(start, end)).end(end)
    bot_metrics().ended(name, max(end - start, 0) / 1e9, {}, "")


def error_name(error: BaseException) -> str:
    """The name of an error's class, unless a bot has made it of something else."""
    name = type(error).__name__
    return name if name.isidentifier() and len(name) <= MAX_ERROR_NAME else "Exception"
