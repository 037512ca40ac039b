"""Destination: a service that gets telemetry, with its exporters."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.sdk.trace.sampling import Sampler


@dataclass(frozen=True)
class Destination:
    """A service that gets telemetry.

    Attributes:
        name: for the log.
        sampler: chooses the traces, unless OTEL_TRACES_SAMPLER does; None takes all of them.
        spans, metrics, logs: the exporters; None if the service does not get this kind of data.
    """

    name: str
    sampler: "Callable[[], Sampler] | None" = None
    spans: "SpanExporter | None" = field(default=None)
    metrics: "MetricExporter | None" = field(default=None)
    logs: "LogRecordExporter | None" = field(default=None)
