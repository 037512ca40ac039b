"""When telemetry is exported, and that nothing is imported when it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from cloud_adapter.telemetry.export_settings import (
    CONNECTION_STRING,
    ENDPOINT,
    LOGS,
    METRICS,
    MODE_SETTING,
    TRACES,
    ExportSettings,
)
from tests.support.project import ROOT

INSIGHTS = {CONNECTION_STRING: "InstrumentationKey=x"}
COLLECTOR = {ENDPOINT: "http://localhost:4318"}
HOST_DROPS_LOGS = {MODE_SETTING: "OpenTelemetry"}


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
    settings = ExportSettings.of(COLLECTOR, tmp_path / "host.json")
    assert settings is not None
    assert (LOGS in settings.otlp) == exported
    app_setting = ExportSettings.of({**COLLECTOR, MODE_SETTING: ""}, tmp_path / "host.json")
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
import sys
sys.path[:0] = [sys.argv[1], sys.argv[3]]
from cloud_adapter.telemetry.export_settings import ExportSettings
settings = ExportSettings.of({sys.argv[2]: "x"})
print(settings is None, [name for name in sys.modules if name.startswith("opentelemetry")])
"""


@pytest.mark.parametrize(
    ("setting", "logged"),
    [
        (CONNECTION_STRING, ""),
        (ENDPOINT, "An OTLP endpoint is set, but requirements-telemetry.txt is not installed\n"),
    ],
)
@pytest.mark.parametrize("has_api", [True, False])
def test_packages_are_not_installed(
    setting: str, logged: str, has_api: bool, tmp_path: Path
) -> None:
    """Without the SDK, telemetry is off, whatever is set; another library may have the API.

    The log says so if somebody has set a collector; the other setting is the host's, too.
    """
    if has_api:
        (tmp_path / "opentelemetry" / "trace").mkdir(parents=True)
    command = [sys.executable, "-I", "-S", "-c", ASK, str(ROOT), setting, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True []\n", logged)
