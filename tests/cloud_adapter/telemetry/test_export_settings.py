"""When telemetry is exported, and that nothing is imported when it is not."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_adapter.telemetry.export_settings import (
    CONNECTION_STRING,
    ENDPOINT,
    LOG_LINES,
    LOGS,
    METRICS,
    MODE_SETTING,
    TRACES,
    WORKER_SETTING,
    ExportSettings,
    Sender,
)
from tests.support.project import ROOT
from tests.support.telemetry.host_export import announcements, exports_log_lines

INSIGHTS = {CONNECTION_STRING: "InstrumentationKey=x"}
COLLECTOR = {ENDPOINT: "http://localhost:4318"}
HOST_DROPS_LOGS = {MODE_SETTING: "OpenTelemetry", WORKER_SETTING: "true"}


def of(environ: dict[str, str]) -> tuple[set[str], set[str]] | None:
    """What Application Insights and the collector get; None: telemetry is off."""
    settings = ExportSettings.of(environ)
    if settings is None:
        return None
    return set(settings.application_insights), set(settings.otlp)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {CONNECTION_STRING: "", ENDPOINT: ""},
        {"OTEL_SERVICE_NAME": "bot", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"},
        {**INSIGHTS, **COLLECTOR, "OTEL_SDK_DISABLED": "True"},
    ],
)
def test_off(environ: dict[str, str]) -> None:
    """Without an endpoint, or with OTEL_SDK_DISABLED, nothing is exported."""
    assert of(environ) is None


@pytest.mark.parametrize(
    ("environ", "insights", "otlp"),
    [
        (INSIGHTS, {TRACES, METRICS}, set()),
        (COLLECTOR, set(), {TRACES, METRICS}),
        ({**INSIGHTS, **COLLECTOR}, {TRACES, METRICS}, {TRACES, METRICS}),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "x"}, set(), {TRACES}),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "x"}, set(), {METRICS}),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "x"}, set(), set()),
        ({**COLLECTOR, "OTEL_METRICS_EXPORTER": "none"}, set(), {TRACES}),
        ({**COLLECTOR, **HOST_DROPS_LOGS}, set(), {TRACES, METRICS, LOGS}),
        ({**INSIGHTS, **HOST_DROPS_LOGS}, {TRACES, METRICS, LOGS}, set()),
        ({**COLLECTOR, **HOST_DROPS_LOGS, "OTEL_LOGS_EXPORTER": "none"}, set(), {TRACES, METRICS}),
    ],
)
def test_what_goes_where(environ: dict[str, str], insights: set[str], otlp: set[str]) -> None:
    """Each destination gets the signals that are configured for it."""
    assert of(environ) == (insights, otlp)


MODES = ("ApplicationInsights", "OpenTelemetry")
COMBINATIONS = [(mode, setting) for mode in MODES for setting in ("", "true")]


@pytest.mark.parametrize(("mode", "setting"), COMBINATIONS)
def test_each_log_line_is_exported_once(mode: str, setting: str) -> None:
    """By the app where the host does not, and only there."""
    environ = {**COLLECTOR, MODE_SETTING: mode, WORKER_SETTING: setting}
    settings = ExportSettings.of(environ)
    assert settings is not None
    assert [LOGS in settings.otlp, exports_log_lines(environ)].count(True) == 1


def test_the_page_has_the_table() -> None:
    """docs/telemetry.md says who exports the log lines, as the code does."""
    page = (ROOT / "docs" / "telemetry.md").read_text("utf-8")
    rows = re.findall(r"^\| .*`(\w+)`.* \| (on|off) \| (.+) \| (.+) \|$", page, re.MULTILINE)
    said = {(mode == MODES[1], setting == "on"): (yes, no) for mode, setting, yes, no in rows}
    assert said == LOG_LINES
    assert len(rows) == len(LOG_LINES)


def test_the_worker_s_setting() -> None:
    """The app understands PYTHON_ENABLE_OPENTELEMETRY as Azure's worker does."""
    values = ["true", "1", "t", "y", "yes", " TRUE ", "on", "2", "false", ""]
    announced = announcements([{WORKER_SETTING: value} for value in values])
    assert set(announced) == {True, False}
    for value, host_drops in zip(values, announced, strict=True):
        environ = {**COLLECTOR, **HOST_DROPS_LOGS, WORKER_SETTING: value}
        settings = ExportSettings.of(environ)
        assert settings is not None
        assert (LOGS in settings.otlp) == host_drops, value


def test_microsoft_s_distribution() -> None:
    """Without it, the worker's other setting changes nothing: the host exports the lines."""
    environ = {
        **COLLECTOR,
        MODE_SETTING: "OpenTelemetry",
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
    }
    settings = ExportSettings.of(environ)
    assert settings is not None
    assert LOGS not in settings.otlp
    assert exports_log_lines(environ)


@pytest.mark.parametrize(
    ("text", "exported"),
    [
        ('{"version": "2.0", "telemetryMode": "OpenTelemetry"}', True),
        ('{"telemetryMode": "openTelemetry"}', True),
        ('{"telemetryMode": "ApplicationInsights"}', False),
        ('{"version": "2.0"}', False),
        ("no JSON", False),
    ],
)
def test_mode_of_the_host(text: str, exported: bool, tmp_path: Path) -> None:
    """Log lines are exported only if host.json makes the host drop them."""
    (tmp_path / "host.json").write_text(text)
    environ = {**COLLECTOR, WORKER_SETTING: "true"}
    settings = ExportSettings.of(environ, tmp_path / "host.json")
    assert settings is not None
    assert (LOGS in settings.otlp) == exported
    app_setting = ExportSettings.of({**environ, MODE_SETTING: ""}, tmp_path / "host.json")
    assert app_setting is not None
    assert LOGS not in app_setting.otlp


def test_protocol() -> None:
    """Another protocol than HTTP is named in a warning."""
    settings = ExportSettings.of({**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert settings is not None
    [warning] = settings.warnings
    assert warning.startswith("OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf")
    fine = ExportSettings.of({**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"})
    assert fine is not None
    assert fine.warnings == ()


@pytest.mark.parametrize(
    ("sampler", "is_own"),
    [("", False), ("traceidratio", True), ("microsoft.rate_limited", False)],
)
def test_sampler(sampler: str, is_own: bool) -> None:
    """OpenTelemetry's samplers replace the app's; those of Microsoft's distribution do not."""
    settings = ExportSettings.of({**INSIGHTS, "OTEL_TRACES_SAMPLER": sampler})
    assert settings is not None
    assert settings.own_sampler == is_own
    assert [each[:20] for each in settings.warnings] == (
        ["OTEL_TRACES_SAMPLER:"] if sampler.startswith("microsoft") else []
    )


ASK = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[3]]
from cloud_adapter.telemetry.export_settings import ExportSettings
settings = ExportSettings.of(json.loads(sys.argv[2]))
print(settings is None, [name for name in sys.modules if name.startswith("opentelemetry")])
"""


NOT_INSTALLED = "An OTLP endpoint is set, but requirements-telemetry.txt is not installed\n"


def without_packages(environ: dict[str, str], packages: Path) -> str:
    """What is written to stderr if telemetry is off, because only these packages are installed."""
    asked = (str(ROOT), json.dumps(environ), str(packages))
    command = [sys.executable, "-I", "-S", "-c", ASK, *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"
    return done.stderr


@pytest.mark.parametrize(
    ("environ", "logged"), [(INSIGHTS, ""), (COLLECTOR, NOT_INSTALLED)], ids=["insights", "otlp"]
)
@pytest.mark.parametrize("has_api", [True, False])
def test_packages_are_not_installed(
    environ: dict[str, str], logged: str, has_api: bool, tmp_path: Path
) -> None:
    """Without the SDK, telemetry is off, whatever is set; another library may have the API.

    The log says so if somebody has set a collector; the other setting is the host's, too.
    """
    if has_api:
        (tmp_path / "opentelemetry" / "trace").mkdir(parents=True)
    assert without_packages(environ, tmp_path) == logged


@pytest.mark.parametrize(("mode", "setting"), COMBINATIONS)
def test_lines_that_nobody_exports(mode: str, setting: str, tmp_path: Path) -> None:
    """One line on stderr says so, as a warning: the host takes it although it drops the log's."""
    environ = {**INSIGHTS, MODE_SETTING: mode, WORKER_SETTING: setting}
    lines = without_packages(environ, tmp_path).splitlines()
    is_lost = LOG_LINES[mode == MODES[1], bool(setting)][1] is Sender.NOBODY
    assert is_lost == (not exports_log_lines(environ))
    assert [each[:37] for each in lines] == (["WARNING: the log lines of the bot are"] * is_lost)
