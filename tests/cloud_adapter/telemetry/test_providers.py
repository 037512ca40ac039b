"""What is exported to an OTLP endpoint, and what an endpoint that does not work costs."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.loopback import LOOPBACK, free_port
from tests.support.telemetry.collector import Collector, attributes
from tests.support.telemetry.exporting_process import ExportingProcess
from tests.support.timing.condition import until

pytestmark = pytest.mark.extended

DELAY = "OTEL_BSP_SCHEDULE_DELAY"
HOST_DROPS_LOGS = {
    "AzureFunctionsJobHost__telemetryMode": "OpenTelemetry",
    "PYTHON_ENABLE_OPENTELEMETRY": "true",
    "OTEL_BLRP_SCHEDULE_DELAY": "50",
}
"""Settings with which the app exports its log lines, soon enough for a test."""

MAX_QUEUE = 2048
"""OpenTelemetry's default of OTEL_BSP_MAX_QUEUE_SIZE."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """An OTLP endpoint."""
    with Collector() as receiver:
        yield receiver


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The file for what the process logs."""
    return tmp_path / "log"


def test_spans_and_metrics(collector: Collector, log: Path) -> None:
    """Spans and metrics arrive, without the log lines that the Functions host sends itself."""
    with ExportingProcess(collector.settings, log) as process:
        process.does("span first")
        process.does("turns 3")
        process.does("log bot a line")
        until(lambda: len(collector.spans) == 3 and "agents.turn.count" in collector.metrics)
        first = next(span for span in collector.spans if span.name == "first")
        child = next(span for span in collector.spans if span.name == "first child")
        assert child.trace_id == first.trace_id
        assert child.parent_span_id == first.span_id
        [point] = collector.metrics["agents.turn.count"].sum.data_points
        assert point.as_int == 3
        assert collector.logs == []
        assert {each.path for each in collector.posted} == {"/v1/traces", "/v1/metrics"}


def test_resource(collector: Collector, log: Path) -> None:
    """The service is named for the Function App, as in the host's telemetry; OTEL_... wins.

    Its version is the base's.
    """
    azure = {"WEBSITE_SITE_NAME": "my-bot-0815", "WEBSITE_INSTANCE_ID": "an instance"}
    with ExportingProcess({**collector.settings, **azure}, log) as process:
        process.does("span first")
        until(lambda: bool(collector.spans))
        assert collector.resource["service.name"] == "my-bot-0815"
        assert collector.resource["service.version"] == "1.2.3"
        assert collector.resource["service.instance.id"] == "an instance"
    chosen = {"OTEL_SERVICE_NAME": "mine", "OTEL_RESOURCE_ATTRIBUTES": "deployment.region=west"}
    with ExportingProcess({**collector.settings, **azure, **chosen}, log) as process:
        process.does("span second")
        until(lambda: len(collector.spans) == 4)
        assert collector.resource["service.name"] == "mine"
        assert collector.resource["deployment.region"] == "west"
        assert collector.resource["service.instance.id"] == "an instance"


def test_logs_that_the_host_drops(collector: Collector, log: Path) -> None:
    """If the host does not export them, log lines are exported with their trace.

    Those of the exporter and of Azure's worker, which logs one with each invocation, are not.
    """
    others = ("azure.core.pipeline", "azure.functions", "azure_functions_runtime", "proxy_worker")
    with ExportingProcess({**collector.settings, **HOST_DROPS_LOGS}, log) as process:
        for logger in others:
            process.does(f"log {logger} no line of the app")
        process.does("log bot a line")
        until(lambda: bool(collector.logs) and len(collector.spans) == len(others) + 1)
        [record] = collector.logs
        assert record.body.string_value == "a line"
        assert record.severity_text == "WARNING"
        *_, span = sorted(collector.spans, key=lambda each: each.start_time_unix_nano)
        assert (record.trace_id, record.span_id) == (span.trace_id, span.span_id)
        assert attributes(record) == {}


def test_a_held_log_line(collector: Collector, log: Path) -> None:
    """A line from between two invocations is exported with the trace in which it was logged."""
    with ExportingProcess({**collector.settings, **HOST_DROPS_LOGS}, log) as process:
        process.does("hold a line")
        until(lambda: bool(collector.logs) and len(collector.spans) == 2)
        [record] = collector.logs
        [own, other] = sorted(collector.spans, key=lambda each: each.start_time_unix_nano)
        assert (own.name, other.name) == ("logs", "invocation")
        assert (record.trace_id, record.span_id) == (own.trace_id, own.span_id)


def test_headers_and_endpoints_of_one_signal(collector: Collector, log: Path) -> None:
    """An endpoint of its own, its headers and a signal that is switched off are respected."""
    settings = {
        DELAY: "50",
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/own/path",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-team=bots",
    }
    with ExportingProcess(settings, log) as process:
        process.does("span first")
        process.does("turns 1")
        until(lambda: bool(collector.posted))
        assert {each.path for each in collector.posted} == {"/own/path"}
        assert collector.posted[0].headers["x-team"] == "bots"
    count = len(collector.posted)
    off = {**collector.settings, "OTEL_TRACES_EXPORTER": "none"}
    with ExportingProcess(off, log) as process:
        process.does("span first")
        process.does("turns 1")
        until(lambda: "agents.turn.count" in collector.metrics)
        assert {each.path for each in collector.posted[count:]} == {"/v1/metrics"}


@pytest.mark.parametrize("flags", ["", "00", "01"])
def test_a_collector_gets_all_traces(flags: str, collector: Collector, log: Path) -> None:
    """Whatever the caller's sampled flag is, a trace is exported, and keeps the caller's id."""
    with ExportingProcess(collector.settings, log) as process:
        assert process.does(f"span first SERVER {flags}") == "sampled True"
        until(lambda: len(collector.spans) == 2)


@pytest.mark.parametrize(
    "chosen",
    [
        {"OTEL_TRACES_SAMPLER": "always_off"},
        {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"},
    ],
    ids=["none", "a ratio"],
)
def test_the_sampler_can_be_chosen(chosen: dict[str, str], collector: Collector, log: Path) -> None:
    """OTEL_TRACES_SAMPLER replaces the app's own choice."""
    settings = {**collector.settings, **chosen}
    with ExportingProcess(settings, log) as process:
        assert process.does("span first") == "sampled False"


def test_a_provider_that_is_set_already(collector: Collector, log: Path) -> None:
    """If the bot or the worker has made a tracer provider, spans go there, and only there."""
    with ExportingProcess(collector.settings, log, "--provider") as process:
        assert process.does("span first") == "own first child"
        process.does("turns 1")
        until(lambda: "agents.turn.count" in collector.metrics)
        assert collector.spans == []
        assert process.logged == []


def test_all_providers_are_set_already(collector: Collector, log: Path) -> None:
    """If all providers are somebody's, as with Microsoft's distribution, nothing is added."""
    settings = {**collector.settings, **HOST_DROPS_LOGS}
    with ExportingProcess(settings, log, "--all-providers") as process:
        assert process.does("threads") == "none"
        assert process.does("span first") == "own first child"
        assert process.logged == []
    with ExportingProcess(settings, log) as process:
        until(lambda: len(process.does("threads").split()) == 3)


@pytest.mark.parametrize(
    ("variable", "lost"),
    [
        (DELAY, "spans"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "spans"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "metrics"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "log lines"),
    ],
)
def test_a_variable_that_is_wrong(
    variable: str, lost: str, collector: Collector, log: Path
) -> None:
    """It costs the one kind of data that it is for, and is one line of the log."""
    settings = {**collector.settings, **HOST_DROPS_LOGS, variable: "0"}
    with ExportingProcess(settings, log) as process:
        process.does("span first")
        process.does("turns 1")
        if lost != "spans":
            until(lambda: bool(collector.spans))
        if lost != "metrics":
            until(lambda: "agents.turn.count" in collector.metrics)
        until(lambda: bool(process.logged))
        [line] = process.logged
        assert f"No {lost} are exported: " in line


def test_headers_that_are_wrong(collector: Collector, log: Path) -> None:
    """They are not logged: they may hold the key of the service that gets the telemetry."""
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": "api-key sesame"}
    with ExportingProcess({**collector.settings, **headers}, log) as process:
        until(lambda: bool(process.logged))
        [line] = process.logged
        assert "Header format invalid!" in line
        assert "sesame" not in line


def test_disabled(collector: Collector, log: Path) -> None:
    """OTEL_SDK_DISABLED switches everything off."""
    settings = {**collector.settings, "OTEL_SDK_DISABLED": "true"}
    with ExportingProcess(settings, log) as process:
        assert process.does("span first") == "sampled False"
        assert process.logged == []


REFUSED = "refused"
SILENT = 0


@pytest.mark.timed
@pytest.mark.parametrize("status", [REFUSED, SILENT, 503, 429])
def test_an_endpoint_that_does_not_work(status: int | str, collector: Collector, log: Path) -> None:
    """The app goes on at full speed, keeps a bounded number of spans, and logs few lines."""
    settings = dict(collector.settings)
    if status == REFUSED:
        settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://{LOOPBACK}:{free_port()}"
    else:
        collector.status = int(status)
    # A test must not wait for the ten seconds after which an exporter gives up.
    settings["OTEL_EXPORTER_OTLP_TIMEOUT"] = "1"
    with ExportingProcess(settings, log) as process:
        assert float(process.does("stall 1")) < 1000, "the event loop waited for the endpoint"
        # The exporters, with the packages that they import, are created after a second, and
        # those of the metrics last.
        until(lambda: "OtelPeriodicExportingMetricReader" in process.does("threads"))
        process.does(f"spans {2 * MAX_QUEUE}")
        until(lambda: any("Exporting telemetry" in line for line in process.logged))
        before = resident(process.pid)
        for _ in range(4):
            process.does(f"spans {2 * MAX_QUEUE}")
        assert resident(process.pid) - before < 8_000_000
        lines = [line for line in process.logged if "Exporting telemetry" in line]
        assert len(lines) <= 6
        assert all("Exporting telemetry" in line for line in process.logged)


def resident(pid: int) -> int:
    """The bytes of a process that are in memory."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return 4096 * int(pages)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(
    ("delay", "lost"), [("60000", 20), ("1", 0)], ids=["before the batch", "after it"]
)
def test_what_a_killed_process_loses(
    delay: str, lost: int, end: signal.Signals, collector: Collector, log: Path
) -> None:
    """A killed process loses the spans of the batch that waits, and no others."""
    with ExportingProcess({**collector.settings, DELAY: delay}, log) as process:
        process.does("spans 10")
        if not lost:
            until(lambda: len(collector.spans) == 20)
        process.kill(end)
    assert 20 - len(collector.spans) == lost


@pytest.mark.timed
def test_a_batch_waits_for_a_second(collector: Collector, log: Path) -> None:
    """Without OTEL_BSP_SCHEDULE_DELAY, spans are sent sooner than OpenTelemetry would."""
    settings = {name: value for name, value in collector.settings.items() if name != DELAY}
    with ExportingProcess(settings, log) as process:
        process.does("span first")
        until(lambda: bool(collector.spans), seconds=4)


def test_a_collector_with_its_own_authority(tmp_path: Path, log: Path) -> None:
    """Over TLS, a collector is trusted if OTEL_EXPORTER_OTLP_CERTIFICATE has its authority."""
    authority = CertificateAuthority(tmp_path)
    with Collector(authority.server_context()) as collector:
        with ExportingProcess(collector.settings, log) as process:
            process.does("span first")
            until(lambda: any("Exporting telemetry" in line for line in process.logged))
            assert collector.posted == []
        trusted = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.path)}
        with ExportingProcess({**collector.settings, **trusted}, log) as process:
            process.does("span second")
            until(lambda: len(collector.spans) == 2)
