"""EntrySampler: decides about a trace where it enters the app, and then for all of its spans."""

import random
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

SAMPLE_RATE = "_MS.sampleRate"
"""The attribute in which Application Insights' samplers leave the percentage of sampled traces, for
its exporter to extrapolate from."""


class EntrySampler(Sampler):
    """Asks `inner` about spans that start in this process's invocations; the others follow them.

    The caller's sampled flag is not used: the Functions host sets it to 0 when it keeps no trace
    itself, and whoever sends a request could set it to 1. Nor is the caller's trace id, of which
    Microsoft's sampler takes a hash: with a chosen one, each trace would be taken. Only a queued
    turn or notification (a CONSUMER span with a parent of its own) follows the flag of its parent,
    which this app has stored with it: such a trace is taken as a whole, or not at all.

    The process's first trace is always taken. It shows the cold start, and a rate limit that has
    just been created would drop it.

    Args:
        inner: decides about a trace.
    """

    def __init__(self, inner: Sampler) -> None:
        self._inner = inner
        self._is_first = True

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """The decision about a span, as OpenTelemetry's Sampler prescribes."""
        parent = trace.get_current_span(parent_context)
        context = parent.get_span_context()
        if context.is_valid and not context.is_remote:
            return _like(parent, attributes)
        if context.is_valid and parent_context is not None and kind is SpanKind.CONSUMER:
            return _like(parent, attributes)
        if self._is_first:
            self._is_first = False
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, context.trace_state)
        # An empty context: without a parent, the inner sampler decides by itself.
        any_id = random.getrandbits(128)
        return self._inner.should_sample(
            Context(), any_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """The sampler's name."""
        return f"EntrySampler{{{self._inner.get_description()}}}"


def _like(parent: trace.Span, attributes: Attributes) -> SamplingResult:
    state = parent.get_span_context().trace_state
    if not parent.get_span_context().trace_flags.sampled:
        return SamplingResult(Decision.DROP, attributes, state)
    rate = (getattr(parent, "attributes", None) or {}).get(SAMPLE_RATE)
    if rate is not None:
        attributes = {**(attributes or {}), SAMPLE_RATE: rate}
    return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
