"""Destinations: the services that get telemetry, with their exporters.

azure_monitor.py has Application Insights, which needs a package of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_adapter.telemetry.export_settings import LOGS, METRICS, TRACES, ExportSettings

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


def otlp_destination(settings: ExportSettings) -> Destination:
    """The exporters to OTEL_EXPORTER_OTLP_ENDPOINT and its variants, over HTTP.

    That is any OpenTelemetry collector, or a service that takes OTLP.

    Raises:
        ImportError: they are not installed.
        ValueError: a variable has a wrong value.
    """
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return Destination(
        name="OTLP",
        spans=OTLPSpanExporter() if TRACES in settings.otlp else None,
        metrics=OTLPMetricExporter() if METRICS in settings.otlp else None,
        logs=OTLPLogExporter() if LOGS in settings.otlp else None,
    )
