"""The providers that export the app's telemetry: made once for each process, in the warm-up."""

import logging
from collections.abc import Callable, Mapping, MutableMapping
from functools import partial

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from cloud_adapter.telemetry.destination import Destination, otlp_destination
from cloud_adapter.telemetry.entry_sampler import EntrySampler
from cloud_adapter.telemetry.export_settings import ExportSettings
from cloud_adapter.telemetry.log_handlers import ExportLog, LogExport

BATCH_DELAY_MS = 1000.0
"""How long spans and log lines wait for others, unless OTEL_BSP_SCHEDULE_DELAY or
OTEL_BLRP_SCHEDULE_DELAY say otherwise. A killed worker loses what waits, so OpenTelemetry's own
five seconds are long."""

QUIET = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
"""Keeps Microsoft's exporter from reporting about itself, and from asking for its configuration, at
addresses that nobody has configured; and from adding a metric with the resource's attributes to
each batch. The exporter reads these variables when it is created."""

log = logging.getLogger(__name__)


def start_export(settings: ExportSettings, environ: MutableMapping[str, str], version: str) -> None:
    """Export what the process records from now on. Takes 50 ms or more: call it in a thread.

    If the Functions worker or the bot has already set a provider for a signal, it is used, and
    nothing is added to it. What cannot work is logged, and the app runs without it.

    Args:
        settings: what to export.
        environ: os.environ, where Microsoft's exporter looks for its settings.
        version: the base's.
    """
    ExportLog().attach()
    for warning in settings.warnings:
        log.warning("%s", warning)
    destinations = _destinations(settings, environ)
    if not destinations:
        return
    resource = _resource(environ, version)
    starts: dict[str, Callable[[], None]] = {
        "spans": partial(_start_traces, settings, destinations, resource, environ),
        "metrics": partial(_start_metrics, destinations, resource),
        "log lines": partial(_start_logs, destinations, resource, environ),
    }
    for name, start in starts.items():
        try:
            start()
        except Exception as error:  # noqa: BLE001  # a variable may have any value
            log.warning("No %s are exported: %s", name, error)


def _destinations(
    settings: ExportSettings, environ: MutableMapping[str, str]
) -> tuple[Destination, ...]:
    created: list[Destination] = []
    if settings.application_insights:
        for name, value in QUIET.items():
            environ.setdefault(name, value)
        _add(created, partial(_application_insights, settings), "Application Insights")
    if settings.otlp:
        _add(created, partial(otlp_destination, settings), "OTLP")
    return tuple(created)


def _add(created: list[Destination], create: Callable[[], Destination], name: str) -> None:
    try:
        created.append(create())
    except ImportError as error:
        text = "Nothing is exported to %s: install requirements-telemetry.txt (%s)"
        log.warning(text, name, error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the bot works without telemetry
        log.warning("Nothing is exported to %s: %s", name, error)


def _application_insights(settings: ExportSettings) -> Destination:
    from cloud_adapter.telemetry.azure_monitor import azure_monitor_destination

    return azure_monitor_destination(settings)


def _resource(environ: Mapping[str, str], version: str) -> Resource:
    """What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, and else the Function App's name.

    The Functions host has the same name in its own telemetry, as the role's.
    """
    attributes = {
        "service.name": environ.get("WEBSITE_SITE_NAME") or "bot",
        "service.version": version,
    }
    if instance := environ.get("WEBSITE_INSTANCE_ID"):
        attributes["service.instance.id"] = instance
    return Resource.create({**attributes, **OTELResourceDetector().detect().attributes})


def _is_set(provider: object) -> bool:
    """Whether a provider is somebody's own: those of the API record nothing."""
    return not type(provider).__module__.startswith(
        ("opentelemetry.trace", "opentelemetry.metrics", "opentelemetry._logs")
    )


def _start_traces(
    settings: ExportSettings,
    destinations: tuple[Destination, ...],
    resource: Resource,
    environ: Mapping[str, str],
) -> None:
    if _is_set(trace.get_tracer_provider()):
        log.info("Spans go to the tracer provider that is already set")
        return
    sampler = None if settings.own_sampler else _sampler(destinations)
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
    for each in destinations:
        if each.spans is not None:
            delay = _delay(environ, "OTEL_BSP_SCHEDULE_DELAY")
            processor = BatchSpanProcessor(each.spans, schedule_delay_millis=delay)
            provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)


def _sampler(destinations: tuple[Destination, ...]) -> Sampler:
    limits = [each.sampler for each in destinations if each.sampler is not None]
    return EntrySampler(limits[0]()) if limits else ALWAYS_ON


def _start_metrics(destinations: tuple[Destination, ...], resource: Resource) -> None:
    if _is_set(metrics.get_meter_provider()):
        log.info("Metrics go to the meter provider that is already set")
        return
    readers = [
        PeriodicExportingMetricReader(each.metrics)
        for each in destinations
        if each.metrics is not None
    ]
    # Exemplars are spans' ids beside a metric's values: Application Insights has no place for them.
    provider = MeterProvider(readers, resource, AlwaysOffExemplarFilter(), shutdown_on_exit=False)
    metrics.set_meter_provider(provider)


def _start_logs(
    destinations: tuple[Destination, ...], resource: Resource, environ: Mapping[str, str]
) -> None:
    exporters = [each.logs for each in destinations if each.logs is not None]
    if not exporters or _is_set(_logs.get_logger_provider()):
        return
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    for exporter in exporters:
        delay = _delay(environ, "OTEL_BLRP_SCHEDULE_DELAY")
        processor = BatchLogRecordProcessor(exporter, schedule_delay_millis=delay)
        provider.add_log_record_processor(processor)
    _logs.set_logger_provider(provider)
    logging.getLogger().addHandler(LogExport())


def _delay(environ: Mapping[str, str], name: str) -> float | None:
    """BATCH_DELAY_MS; None if the variable is set, which the processor reads itself."""
    return None if environ.get(name) else BATCH_DELAY_MS
