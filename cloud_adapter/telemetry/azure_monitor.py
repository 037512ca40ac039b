"""Application Insights as a destination.

The exporters sign in as APPLICATIONINSIGHTS_AUTHENTICATION_STRING says: with the app's managed
identity, because an instrumentation key alone is refused where local authentication is disabled.
"""

from typing import Any

from azure.monitor.opentelemetry.exporter import (
    AzureMonitorLogExporter,
    AzureMonitorMetricExporter,
    AzureMonitorTraceExporter,
    RateLimitedSampler,
)
from opentelemetry.sdk.trace import ReadableSpan

from cloud_adapter.telemetry.export_settings import LOGS, METRICS, TRACES

TRACES_PER_SECOND = 5.0
"""The most traces that a process sends, as Microsoft's distribution does by default: Application
Insights bills each span. The number that a span stands for is in its ItemCount."""

DEPENDENCY = "RemoteDependencyData"
"""The kind of an envelope that becomes a row of AppDependencies."""


class NamedSpanExporter(AzureMonitorTraceExporter):
    """Microsoft's exporter, with each dependency under its span's name.

    The exporter calls every HTTP call `POST /`, or by the path of its URL, which has the
    conversation's id in it, and its target `host:None` if the span has no port.
    """

    def _span_to_envelope(self, span: ReadableSpan) -> Any:
        envelope = super()._span_to_envelope(span)
        data: Any = envelope.data.base_data if envelope.data else None
        if envelope.data and envelope.data.base_type == DEPENDENCY:
            data.name = span.name
            data.target = (data.target or "").removesuffix(":None") or None
        return envelope


def exporter(signal: str) -> Any:
    """The exporter of a signal.

    Raises:
        ValueError: the connection string is wrong.
    """
    # An instance's disk is gone with the instance, so what cannot be sent is not stored there.
    return _EXPORTERS[signal](disable_offline_storage=True)


def rate_limit() -> RateLimitedSampler:
    """The sampler that takes TRACES_PER_SECOND."""
    return RateLimitedSampler(TRACES_PER_SECOND)


_EXPORTERS = {
    TRACES: NamedSpanExporter,
    METRICS: AzureMonitorMetricExporter,
    LOGS: AzureMonitorLogExporter,
}
