"""Collector: an OTLP endpoint that reads what it gets with OpenTelemetry's own message classes."""

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.telemetry.receiver import Receiver

Attributes = dict[str, Any]


class Collector(Receiver):
    """An OTLP endpoint on loopback."""

    @property
    def settings(self) -> dict[str, str]:
        """The variables with which an app exports to it, soon enough for a test."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_METRIC_EXPORT_INTERVAL": "100",
        }

    @property
    def spans(self) -> list[Span]:
        """The spans so far."""
        return [
            span
            for body in self._bodies("traces")
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def metrics(self) -> dict[str, Metric]:
        """The last state of each metric by its name."""
        return {
            metric.name: metric
            for body in self._bodies("metrics")
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    @property
    def logs(self) -> list[LogRecord]:
        """The log records so far."""
        return [
            record
            for body in self._bodies("logs")
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    @property
    def resource(self) -> Attributes:
        """The attributes of the last resource that sent spans."""
        *_, body = self._bodies("traces")
        return attributes(ExportTraceServiceRequest.FromString(body).resource_spans[0].resource)

    def _bodies(self, signal: str) -> Iterator[bytes]:
        return (each.body for each in [*self.posted] if each.path == f"/v1/{signal}")


def attributes(holder: Any) -> Attributes:
    """The attributes of a span, resource, data point or log record by name."""
    return {each.key: value_of(each) for each in holder.attributes}


def value_of(pair: KeyValue) -> Any:
    """An attribute's value."""
    return getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
