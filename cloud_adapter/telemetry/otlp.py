"""The OTLP endpoint as a destination: any OpenTelemetry collector, or a service that takes OTLP."""

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from cloud_adapter.telemetry.destination import Destination
from cloud_adapter.telemetry.export_settings import LOGS, METRICS, TRACES, ExportSettings


def otlp_destination(settings: ExportSettings) -> Destination:
    """The exporters to OTEL_EXPORTER_OTLP_ENDPOINT and its variants, over HTTP.

    Raises:
        ValueError: a variable has a wrong value.
    """
    return Destination(
        name="OTLP",
        spans=OTLPSpanExporter() if TRACES in settings.otlp else None,
        metrics=OTLPMetricExporter() if METRICS in settings.otlp else None,
        logs=OTLPLogExporter() if LOGS in settings.otlp else None,
    )
