"""TelemetryContestant: this project's bot with one way of exporting telemetry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.contestant import APP, FUNCTIONS_HOST, PROJECT, Contestant
from benchmarks.telemetry.sink import TelemetrySink
from bot_workbench.credential_kinds import MANAGED_IDENTITY

WITH_TELEMETRY = "project_telemetry"
"""The virtual environment of an app that adds requirements-telemetry.txt."""

NOT_INSTALLED = "off: the packages are not installed"
OFF = "off: installed, but nothing is configured"
OTLP = "OTLP, every trace"
INSIGHTS = "Application Insights, five traces a second"
INSIGHTS_ALL = "Application Insights, every trace"

NO_KEY = "00000000-0000-4000-8000-000000000000"
"""An instrumentation key; the bot signs in with its identity."""


@dataclass(frozen=True, eq=False)
class TelemetryContestant:
    """This project's echo bot, with a managed identity.

    Attributes:
        label: its name in tables.
        environment: its virtual environment.
        otlp, insights: whether it exports to a collector, and to Application Insights.
        settings: added to its environment.
    """

    label: str
    environment: str = WITH_TELEMETRY
    otlp: bool = False
    insights: bool = False
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def key(self) -> str:
        """Its name for --only."""
        return f"telemetry, {self.label}"

    @property
    def bot(self) -> Contestant:
        """Its program."""
        return Contestant(PROJECT, MANAGED_IDENTITY, FUNCTIONS_HOST, APP, self.environment, "")

    def environ(self, cloud: BenchmarkCloud, sink: TelemetrySink) -> dict[str, str]:
        """The settings with which it exports."""
        found = dict(self.settings)
        if self.otlp:
            found["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink.collector_url
        if self.insights:
            connection = f"InstrumentationKey={NO_KEY};IngestionEndpoint={sink.insights_url}"
            client_id = cloud.cloud.registration.app_id
            found["APPLICATIONINSIGHTS_CONNECTION_STRING"] = connection
            found["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] = (
                f"Authorization=AAD;ClientId={client_id}"
            )
            found["REQUESTS_CA_BUNDLE"] = str(cloud.cloud.authority.path)
        return found


TELEMETRY_CONTESTANTS = (
    TelemetryContestant(NOT_INSTALLED, "project"),
    TelemetryContestant(OFF),
    TelemetryContestant(OTLP, otlp=True),
    TelemetryContestant(INSIGHTS, insights=True),
    TelemetryContestant(
        INSIGHTS_ALL,
        insights=True,
        settings=MappingProxyType({"OTEL_TRACES_SAMPLER": "always_on"}),
    ),
)
"""In the order of the table's rows."""
