"""Spans: what one measures, with the metrics beside it, and which trace it belongs to.

Spans never hold the text of an error, because it may quote what a user wrote: only its class. The
trace context comes from the host, and is stored with what waits in a queue. Source: W3C "Trace
Context", `traceparent`: version, trace id, parent id and flags, in hex.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cloud_adapter.telemetry.metrics import SCOPE, bot_metrics

NO_FAILURES = frozenset({"TurnRepeated", "StateConflict"})
"""Errors that are named in a span, and leave its status unset: the adapter deals with them."""

MAX_ERROR_NAME = 80

Value = str | int | float | bool

_KEY = context_api.create_key("operation")
_FAILED = Status(StatusCode.ERROR)

tracer = trace.get_tracer(SCOPE)

_HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


class Operation:
    """A piece of work: its span is the current one until it ends. Metrics count it, too.

    In a trace that is not taken, it has no span of its own.

    Args:
        name: the span's.
        attributes: those that are known at the start.
        kind: the span's.
        parent: the context of the span's parent; None: the current one.
        links: the span's.

    Attributes:
        name: as given.
        is_call: it is one call of another service, whose status and retries are of interest.
    """

    __slots__ = (
        "_added",
        "_attributes",
        "_error",
        "_has_sent",
        "_is_taken",
        "_span",
        "_start",
        "_token",
        "is_call",
        "name",
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
        self.name = name
        self._has_sent = False
        self._attributes = attributes or {}
        self._added: dict[str, Value] = {}
        self._error = ""
        self._start = time.perf_counter()
        outer = None if parent is not None else Operation.current()
        if outer is not None and not outer._is_taken:
            self._is_taken: bool = False
            self._span: Span = outer._span
            within = context_api.get_current()
        else:
            self._span = tracer.start_span(name, parent, kind, self._attributes, links)
            self._is_taken = self._span.is_recording()
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

    def count(self, name: str) -> None:
        """Add 1 to an attribute, which begins at 0."""
        self._added[name] = int(self._added.get(name, 0)) + 1

    def count_request(self) -> None:
        """Note that it sends a request: each one after the first is a retry."""
        if self._has_sent:
            self.count("http.request.resend_count")
            self.count("bot.retries")
        self._has_sent = True

    def fail(self, error: BaseException) -> None:
        """Note that it has failed, and with which class of error. The first error counts."""
        if self._error:
            return
        self._error = error_name(error)
        self.set("error.type", self._error)
        self.set("bot.error", self._error)
        if self._error not in NO_FAILURES and self._is_taken:
            self._span.set_status(_FAILED)

    def received(self, response: Any, error: BaseException | None) -> None:
        """Note the status of a response, which has one, unless there was an error."""
        if error is None:
            self.set("http.response.status_code", response.status)

    def answered(self, response: Any, error: BaseException | None) -> None:
        """End it with the status of its response."""
        self.received(response, error)
        self.ended(response, error)

    def ended(self, _: object, error: BaseException | None) -> None:
        """End it, with the error that it has raised, if any."""
        if error is not None:
            self.fail(error)
        context_api.detach(self._token)
        if self._is_taken:
            if self._added:
                self._span.set_attributes(self._added)
            self._span.end()
        seconds = time.perf_counter() - self._start
        attributes = {**self._attributes, **self._added} if self._added else self._attributes
        bot_metrics().ended(self.name, seconds, attributes, self._error)


def past_operation(name: str, start: int, end: int) -> None:
    """Record something that is over as a span within the current one.

    Args:
        name: the span's.
        start, end: nanoseconds since the epoch. The clocks of two machines differ, so the end may
            seem to be before the start.
    """
    tracer.start_span(name, start_time=min(start, end)).end(end)
    bot_metrics().ended(name, max(end - start, 0) / 1e9, {}, "")


def error_name(error: BaseException) -> str:
    """The name of an error's class; `Exception` if it is no plain name: a bot may make any."""
    name = type(error).__name__
    return name if name.isidentifier() and len(name) <= MAX_ERROR_NAME else "Exception"


def current_trace_parent() -> str:
    """The `traceparent` of the current span; empty: there is none."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(_HEADER, "")


def stored_parent(trace_parent: str) -> tuple[Context | None, Sequence[Link]]:
    """The parent of a span that goes on with a stored trace, and its links.

    The current span is linked, because it is the parent of nothing then.

    Args:
        trace_parent: what `current_trace_parent` returned when it was stored. If it is empty or not
            valid, the current span is the parent.
    """
    current = trace.get_current_span().get_span_context()
    context = _PROPAGATOR.extract({_HEADER: trace_parent})  # empty, if it is not valid
    if not trace.get_current_span(context).get_span_context().is_valid:
        return None, ()
    return context, [Link(current)] if current.is_valid else ()


@contextmanager
def host_trace(trace_parent: str) -> Iterator[None]:
    """Go on with the trace of the host's invocation, unless the worker does so already."""
    if trace.get_current_span().get_span_context().is_valid:
        yield
        return
    token = context_api.attach(_PROPAGATOR.extract({_HEADER: trace_parent or ""}))
    try:
        yield
    finally:
        context_api.detach(token)


def entry_kind() -> SpanKind:
    """The kind of a request's span: the host has one of kind SERVER, if it passes its trace."""
    is_within = trace.get_current_span().get_span_context().is_valid
    return SpanKind.INTERNAL if is_within else SpanKind.SERVER
