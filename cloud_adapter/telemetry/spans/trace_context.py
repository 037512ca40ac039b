"""The W3C trace context, as the host passes it and as it is stored with what waits in a queue.

Source: W3C "Trace Context", `traceparent`: version, trace id, parent id and flags, in hex.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


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
