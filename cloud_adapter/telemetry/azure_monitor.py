"""Application Insights as a destination.

The exporters sign in as APPLICATIONINSIGHTS_AUTHENTICATION_STRING says: with the app's managed
identity, because an instrumentation key alone is refused where local authentication is disabled.
"""

from azure.monitor.opentelemetry.exporter import (
    AzureMonitorLogExporter,
    AzureMonitorMetricExporter,
    AzureMonitorTraceExporter,
    RateLimitedSampler,
)

from cloud_adapter.telemetry.destination import Destination
from cloud_adapter.telemetry.export_settings import LOGS, METRICS, TRACES, ExportSettings

TRACES_PER_SECOND = 5.0
"""How many traces a process sends at most, as Microsoft's distribution does by default: Application
Insights bills each span. The number that a span stands for is in its ItemCount."""


def azure_monitor_destination(settings: ExportSettings) -> Destination:
    """The exporters to Application Insights.

    Raises:
        ValueError: the connection string is wrong.
    """
    wanted = settings.application_insights
    # An instance's disk is gone with the instance, so what cannot be sent is not stored there.
    return Destination(
        name="Application Insights",
        sampler=_rate_limit,
        spans=AzureMonitorTraceExporter(disable_offline_storage=True) if TRACES in wanted else None,
        metrics=(
            AzureMonitorMetricExporter(disable_offline_storage=True) if METRICS in wanted else None
        ),
        logs=AzureMonitorLogExporter(disable_offline_storage=True) if LOGS in wanted else None,
    )


def _rate_limit() -> RateLimitedSampler:
    return RateLimitedSampler(TRACES_PER_SECOND)
