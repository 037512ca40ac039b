"""ExportSettings: whether telemetry is exported, and where to. Does not import OpenTelemetry."""

import importlib.util
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

CONNECTION_STRING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
SAMPLER = "OTEL_TRACES_SAMPLER"

MICROSOFTS = "microsoft."
"""The start of the names of samplers that only Microsoft's distribution knows. OpenTelemetry would
take its default instead, which follows the host's flag and drops nearly every turn."""

TRACES, METRICS, LOGS = "TRACES", "METRICS", "LOGS"
SIGNALS = (TRACES, METRICS, LOGS)
"""OpenTelemetry's kinds of data, as in the names of its environment variables."""

HOST_FILE = Path(__file__).parents[2] / "host.json"
TELEMETRY_MODE = "telemetryMode"
MODE_SETTING = f"AzureFunctionsJobHost__{TELEMETRY_MODE}"
"""The app setting that overrides host.json's value. (learn.microsoft.com, "host.json reference")"""

WORKER_SETTING = "PYTHON_ENABLE_OPENTELEMETRY"
"""The app setting with which Azure's worker announces WorkerOpenTelemetryEnabled to the host. Its
other one, PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY, does so only with Microsoft's distribution,
which then exports the log lines itself. (azure_functions_runtime.handle_event)"""

ON = frozenset({"1", "true", "t", "yes", "y"})
"""The values that Azure's worker takes for true, in any case.
(azure_functions_runtime.utils.app_setting_manager)"""


class Sender(StrEnum):
    """Who exports the app's log lines."""

    HOST = "the host"
    BOT = "the bot"
    NOBODY = "nobody: they are lost"


LOG_LINES = {
    (False, False): (Sender.HOST, Sender.HOST),
    (False, True): (Sender.HOST, Sender.HOST),
    (True, False): (Sender.HOST, Sender.HOST),
    (True, True): (Sender.BOT, Sender.NOBODY),
}
"""By whether the host's telemetryMode is OpenTelemetry, and whether WORKER_SETTING is on: who
exports the app's log lines with the packages, and without them. (azure-functions-host 4.1037,
OpenTelemetryConfigurationExtensions: the host stops exporting these lines only if both are.)"""

LOST = (
    f"WARNING: the log lines of the bot are lost: with {WORKER_SETTING}, the Functions host does"
    " not export them, and the bot cannot, because requirements-telemetry.txt is not installed"
)
"""For stderr, which the host logs in every mode (category Host.Function.Console; a line that
contains `warn` is a warning: azure-functions-host, WorkerProcess)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExportSettings:
    """Where each kind of telemetry is exported to. The exporters read the rest of the OTEL_...
    variables themselves.

    Attributes:
        application_insights: the signals that Application Insights gets.
        otlp: the signals that the OTLP endpoint gets.
        own_sampler: whether OTEL_TRACES_SAMPLER chooses the sampler.
        warnings: what is configured but cannot work.
    """

    application_insights: frozenset[str]
    otlp: frozenset[str]
    own_sampler: bool
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, environ: Mapping[str, str], host_file: Path = HOST_FILE) -> "ExportSettings | None":
        """The settings; None if nothing is to be exported, or if there is no OpenTelemetry SDK.

        An OTLP endpoint without the SDK is logged. Each deployed app has a connection string, which
        the Functions host uses. If the log lines are lost without the SDK, stderr says so.

        Args:
            environ: the environment variables.
            host_file: host.json, with the telemetryMode.
        """
        if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return None
        endpoints = {each for each in SIGNALS if _endpoint(environ, each)}
        if not (endpoints or environ.get(CONNECTION_STRING)):
            return None
        is_announced = environ.get(WORKER_SETTING, "").strip().lower() in ON
        sender, otherwise = LOG_LINES[_is_open_telemetry(environ, host_file), is_announced]
        if not _is_installed():
            if otherwise is Sender.NOBODY:
                sys.stderr.write(f"{LOST}\n")
            if endpoints:
                log.warning(
                    "An OTLP endpoint is set, but requirements-telemetry.txt is not installed"
                )
            return None
        wanted = {each for each in SIGNALS if _is_wanted(environ, each)}
        sampler = environ.get(SAMPLER, "").strip()
        is_known = not sampler.lower().startswith(MICROSOFTS)
        warnings = _protocol_warnings(environ) if endpoints else []
        if not is_known:
            warnings.append(f"{SAMPLER}: only OpenTelemetry's own samplers are supported")
        if sender is not Sender.BOT:
            wanted.discard(LOGS)
        insights = wanted if environ.get(CONNECTION_STRING) else ()
        return cls(
            application_insights=frozenset(insights),
            otlp=frozenset(wanted & endpoints),
            own_sampler=bool(sampler) and is_known,
            warnings=tuple(warnings),
        )


def _is_installed() -> bool:
    """Whether there is the SDK: many libraries bring the API, which alone exports nothing."""
    shared = importlib.util.find_spec("opentelemetry")  # the folder of all of its packages
    folders = (shared and shared.submodule_search_locations) or ()
    return any((Path(folder) / "sdk").is_dir() for folder in folders)


def _endpoint(environ: Mapping[str, str], signal: str) -> str:
    return environ.get(ENDPOINT) or environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or ""


def _is_wanted(environ: Mapping[str, str], signal: str) -> bool:
    return environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() != "none"


def _is_open_telemetry(environ: Mapping[str, str], host_file: Path) -> bool:
    mode = environ.get(MODE_SETTING)
    if mode is None:
        try:
            mode = json.loads(host_file.read_text("utf-8")).get(TELEMETRY_MODE)
        except (OSError, ValueError):
            mode = None
    return str(mode).lower() == "opentelemetry"


def _protocol_warnings(environ: Mapping[str, str]) -> list[str]:
    names = (PROTOCOL, *(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL" for signal in SIGNALS))
    return [
        f"{name}: only http/protobuf is supported, usually at port 4318; telemetry is sent so"
        for name in names
        if environ.get(name, "http/protobuf") not in ("", "http/protobuf")
    ]
