"""Which traces are taken, and that each is taken as a whole."""

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanKind

from cloud_adapter.telemetry.providers import SAMPLE_RATE, EntrySampler


def remote(flags: int) -> Context:
    """The context of a caller with these flags."""
    parent = trace.SpanContext(0x4BF92F35, 0xB7AD6B71, True, trace.TraceFlags(flags))
    return trace.set_span_in_context(trace.NonRecordingSpan(parent))


def tracer_after_first(sampler: EntrySampler) -> trace.Tracer:
    """A tracer whose first trace is over."""
    tracer = TracerProvider(sampler, shutdown_on_exit=False).get_tracer("test")
    tracer.start_span("first").end()
    return tracer


def is_sampled(span: trace.Span) -> bool:
    """Whether a span is exported."""
    return span.get_span_context().trace_flags.sampled


@pytest.mark.parametrize("flags", [0, 1])
def test_flags_of_the_caller(flags: int) -> None:
    """The caller's flag makes no difference: a caller could set it to cause costs."""
    off = tracer_after_first(EntrySampler(ParentBased(ALWAYS_OFF)))
    assert not is_sampled(off.start_span("x", remote(flags), SpanKind.SERVER))
    on = tracer_after_first(EntrySampler(ParentBased(ALWAYS_ON)))
    assert is_sampled(on.start_span("x", remote(flags), SpanKind.SERVER))


def test_trace_ids_of_the_caller() -> None:
    """A caller's trace id makes no difference: one could be chosen that is always taken."""
    parent = trace.SpanContext(1, 1, True)  # a ratio takes the lowest ids
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    tracer = tracer_after_first(EntrySampler(TraceIdRatioBased(0.01)))
    taken = [is_sampled(tracer.start_span("x", context, SpanKind.SERVER)) for _ in range(100)]
    assert sum(taken) < 50


@pytest.mark.parametrize("inner", [ALWAYS_OFF, ALWAYS_ON])
def test_queued_turns_follow(inner: Sampler) -> None:
    """A queued turn is taken if its request was, so that each trace is whole."""
    tracer = tracer_after_first(EntrySampler(inner))
    assert is_sampled(tracer.start_span("process", remote(1), SpanKind.CONSUMER))
    assert not is_sampled(tracer.start_span("process", remote(0), SpanKind.CONSUMER))


@pytest.mark.parametrize("flags", [0, 1])
@pytest.mark.parametrize("inner", [ALWAYS_OFF, ALWAYS_ON])
def test_notifications_of_others(inner: Sampler, flags: int) -> None:
    """A notification without a stored trace does not follow the host's flag."""
    tracer = tracer_after_first(EntrySampler(inner))
    with trace.use_span(trace.get_current_span(remote(flags))):
        span = tracer.start_span("process", kind=SpanKind.CONSUMER)
    assert is_sampled(span) == (inner is ALWAYS_ON)


@pytest.mark.parametrize("first", [True, False])
def test_children_follow(first: bool) -> None:
    """All spans of a trace are taken, or none of them."""
    sampler = EntrySampler(ALWAYS_OFF)
    tracer = TracerProvider(sampler, shutdown_on_exit=False).get_tracer("test")
    if not first:
        tracer.start_span("first").end()
    with tracer.start_as_current_span("parent") as parent:
        child = tracer.start_span("child", kind=SpanKind.CONSUMER)
    assert is_sampled(parent) == is_sampled(child) == first


def test_the_first_trace_is_taken() -> None:
    """The cold start is seen, and only it."""
    tracer = TracerProvider(EntrySampler(ALWAYS_OFF), shutdown_on_exit=False).get_tracer("test")
    assert is_sampled(tracer.start_span("cold start"))
    assert not is_sampled(tracer.start_span("next"))


def test_children_have_the_rate() -> None:
    """A child has its parent's sampling rate, from which Application Insights extrapolates."""
    tracer = tracer_after_first(EntrySampler(ALWAYS_ON))
    with tracer.start_as_current_span("parent", attributes={SAMPLE_RATE: 20.0}):
        child = tracer.start_span("child", attributes={"own": 1})
    assert dict(getattr(child, "attributes", {})) == {"own": 1, SAMPLE_RATE: 20.0}
