"""The providers that export the app's telemetry: made once for each process, in the warm-up.

A cold start pays for what its first trace needs, and for no more: the exporters, with the packages
that they import, and the metrics follow a second later, in a thread.
"""

import logging
import random
import threading
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from cloud_adapter.telemetry.export_settings import LOGS, METRICS, TRACES, ExportSettings
from cloud_adapter.telemetry.log_handlers import ExportLog, LogExport
from cloud_adapter.telemetry.metrics import SCOPE, BotMetrics

BATCH_DELAY_MS = 1000.0
"""The time that spans and log lines wait for others, unless OTEL_BSP_SCHEDULE_DELAY or
OTEL_BLRP_SCHEDULE_DELAY say otherwise. A killed worker loses what waits, so OpenTelemetry's own
five seconds are long."""

LATE_SECONDS = 1.0
"""The time from the start of the export until the exporters are created, so that the first turn
comes first."""

QUIET = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
"""Keeps Microsoft's exporter from reporting about itself, and from asking for its configuration, at
addresses that nobody has configured; and from adding a metric with the resource's attributes to
each batch. The exporter reads these variables when it is created."""

log = logging.getLogger(__name__)


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

    Attributes:
        inner: decides about a trace; None: no further trace is taken yet.
    """

    def __init__(self, inner: Sampler | None = None) -> None:
        self.inner = inner
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
        if self.inner is None:
            return SamplingResult(Decision.DROP, attributes, context.trace_state)
        # An empty context: without a parent, the inner sampler decides by itself.
        any_id = random.getrandbits(128)
        return self.inner.should_sample(
            Context(), any_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """The sampler's name."""
        return f"EntrySampler{{{self.inner and self.inner.get_description()}}}"


def _like(parent: trace.Span, attributes: Attributes) -> SamplingResult:
    state = parent.get_span_context().trace_state
    if not parent.get_span_context().trace_flags.sampled:
        return SamplingResult(Decision.DROP, attributes, state)
    rate = (getattr(parent, "attributes", None) or {}).get(SAMPLE_RATE)
    if rate is not None:
        attributes = {**(attributes or {}), SAMPLE_RATE: rate}
    return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)


class LateSpanExporter(SpanExporter):
    """Passes spans on to an exporter that is created later; its batches wait for that."""

    def __init__(self) -> None:
        self._exporter: SpanExporter | None = None
        self._is_ready = threading.Event()

    def use(self, exporter: SpanExporter | None) -> None:
        """Pass spans on to this exporter from now on; None: it cannot be created."""
        self._exporter = exporter
        self._is_ready.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch, in the batch processor's thread."""
        self._is_ready.wait()
        if self._exporter is None:
            return SpanExportResult.FAILURE
        return self._exporter.export(spans)


@dataclass(frozen=True)
class Destination:
    """A service that gets telemetry.

    Attributes:
        name: for the log.
        signals: the kinds of data that it gets.
        exporter: creates the exporter of a signal. Raises ImportError if it is not installed, and
            ValueError if a variable has a wrong value.
        sampler: chooses the traces, unless OTEL_TRACES_SAMPLER does; None takes all of them.
    """

    name: str
    signals: frozenset[str]
    exporter: Callable[[str], Any]
    sampler: Callable[[], Sampler] | None = None


def _otlp_exporter(signal: str) -> Any:
    """The exporter to OTEL_EXPORTER_OTLP_ENDPOINT and its variants, over HTTP.

    That is any OpenTelemetry collector, or a service that takes OTLP.
    """
    if signal == TRACES:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    if signal == METRICS:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        return OTLPMetricExporter()
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    return OTLPLogExporter()


def _insights_exporter(signal: str) -> Any:
    from cloud_adapter.telemetry import azure_monitor

    return azure_monitor.exporter(signal)


def _rate_limit() -> Sampler:
    from cloud_adapter.telemetry import azure_monitor

    return azure_monitor.rate_limit()


def start_export(
    settings: ExportSettings, environ: MutableMapping[str, str], measured: BotMetrics, version: str
) -> None:
    """Export what the process records from now on. Takes 30 ms or more: call it in a thread.

    If the Functions worker or the bot has already set a provider for a signal, it is used, and
    nothing is added to it. What cannot work is logged, and the app runs without it.

    Args:
        settings: what to export.
        environ: os.environ, where Microsoft's exporter looks for its settings.
        measured: the app's metrics.
        version: the base's.
    """
    ExportLog().attach()
    for warning in settings.warnings:
        log.warning("%s", warning)
    destinations: list[Destination] = []
    if insights := settings.application_insights:
        for name, value in QUIET.items():
            environ.setdefault(name, value)
        destinations.append(
            Destination("Application Insights", insights, _insights_exporter, _rate_limit)
        )
    if settings.otlp:
        destinations.append(Destination("OTLP", settings.otlp, _otlp_exporter))
    Export(settings, environ, destinations, measured, version).start()


class Export:
    """Creates the providers: that of spans at once, or after LATE_SECONDS.

    Args:
        settings: what to export.
        environ: os.environ.
        destinations: the services that get it.
        measured: the app's metrics.
        version: the base's.
    """

    def __init__(
        self,
        settings: ExportSettings,
        environ: Mapping[str, str],
        destinations: Sequence[Destination],
        measured: BotMetrics,
        version: str,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._destinations = destinations
        self._measured = measured
        self._resource = _resource(environ, version)
        self._sampler = EntrySampler()
        self._failed: set[str] = set()
        self._spans = [
            (each, LateSpanExporter()) for each in destinations if TRACES in each.signals
        ]

    def start(self) -> None:
        """Create those of spans and of log lines, and the rest later."""
        self._attempt("spans", self._start_traces)
        self._attempt("log lines", self._start_logs)
        timer = threading.Timer(LATE_SECONDS, self._follow)
        timer.daemon = True
        timer.start()

    def _follow(self) -> None:
        self._attempt("spans", self._create_exporters)
        self._attempt("metrics", self._start_metrics)

    def _attempt(self, name: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001  # a variable may have any value
            log.warning("No %s are exported: %s", name, error)

    def _created(self, destination: Destination, signal: str) -> Any:
        """The exporter of a signal; None if there is none. The first failure is logged."""
        if signal not in destination.signals or destination.name in self._failed:
            return None
        try:
            return destination.exporter(signal)
        except Exception as error:  # noqa: BLE001  # the bot works without telemetry, whatever it is
            self._failed.add(destination.name)
            missing = isinstance(error, ImportError)
            hint = "install requirements-telemetry.txt: " if missing else ""
            log.warning("Nothing is exported to %s: %s%s", destination.name, hint, error)
        return None

    def _start_traces(self) -> None:
        if _is_set(trace.get_tracer_provider()):
            log.info("Spans go to the tracer provider that is already set")
            self._spans = []
            return
        is_limited = any(each.sampler for each, _ in self._spans)
        chosen = self._sampler if is_limited else ALWAYS_ON
        sampler = None if self._settings.own_sampler else chosen
        provider = TracerProvider(sampler, self._resource, shutdown_on_exit=False)
        delay = self._delay("OTEL_BSP_SCHEDULE_DELAY")
        for _, exporter in self._spans:
            processor = BatchSpanProcessor(exporter, schedule_delay_millis=delay)
            provider.add_span_processor(processor)
        trace.set_tracer_provider(provider)

    def _create_exporters(self) -> None:
        usable = []
        for destination, late in self._spans:
            exporter = self._created(destination, TRACES)
            late.use(exporter)
            if exporter is not None:
                usable.append(destination)
        limits = [each.sampler for each in usable if each.sampler is not None]
        if usable:  # otherwise no trace is taken: it would go nowhere
            self._sampler.inner = limits[0]() if limits else ALWAYS_ON

    def _start_metrics(self) -> None:
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        if _is_set(metrics.get_meter_provider()):
            log.info("Metrics go to the meter provider that is already set")
        else:
            created = (self._created(each, METRICS) for each in self._destinations)
            readers = [PeriodicExportingMetricReader(each) for each in created if each is not None]
            # Exemplars are spans' ids beside a metric's values: Application Insights has no place
            # for them.
            provider = MeterProvider(
                readers, self._resource, AlwaysOffExemplarFilter(), shutdown_on_exit=False
            )
            metrics.set_meter_provider(provider)
        self._measured.export_to(metrics.get_meter(SCOPE))

    def _start_logs(self) -> None:
        destinations = [each for each in self._destinations if LOGS in each.signals]
        if not destinations:
            return
        from opentelemetry import _logs
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        if _is_set(_logs.get_logger_provider()):
            return
        provider = LoggerProvider(self._resource, shutdown_on_exit=False)
        delay = self._delay("OTEL_BLRP_SCHEDULE_DELAY")
        for each in destinations:
            if (exporter := self._created(each, LOGS)) is not None:
                processor = BatchLogRecordProcessor(exporter, schedule_delay_millis=delay)
                provider.add_log_record_processor(processor)
        _logs.set_logger_provider(provider)
        logging.getLogger().addHandler(LogExport())

    def _delay(self, name: str) -> float | None:
        """BATCH_DELAY_MS; None if the variable is set, which the processor reads itself."""
        return None if self._environ.get(name) else BATCH_DELAY_MS


def _resource(environ: Mapping[str, str], version: str) -> Resource:
    """The values of OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, else the Function App's name.

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
