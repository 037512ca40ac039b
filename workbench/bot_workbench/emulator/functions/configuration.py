"""HostConfiguration: what local.settings.json, host.json and the import path are to an app."""

import json
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bot_workbench.emulator.functions.errors import HostError
from bot_workbench.emulator.functions.queues.settings import (
    TIME_SPAN,
    QueueSettings,
    time_span_seconds,
)
from bot_workbench.project import WORKBENCH

OVERRIDES = "azurefunctionsjobhost"
"""The prefix of settings that override host.json, in any case."""

TIMEOUT_SETTING = "AzureFunctionsJobHost__functionTimeout"
"""Overrides host.json's functionTimeout; -1: no function is ended."""

DEFAULT_FUNCTION_TIMEOUT_SECONDS = 30 * 60.0
"""On Flex Consumption. Source: azure-functions-host, ScriptJobHostOptionsSetup."""
MIN_FUNCTION_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True)
class HostConfiguration:
    """The settings of triggers in host.json.

    Attributes:
        route_prefix: extensions.http.routePrefix.
        queues: extensions.queues.
        function_timeout: seconds that a function may run; None: as long as it likes.
    """

    route_prefix: str
    queues: QueueSettings
    function_timeout: float | None = DEFAULT_FUNCTION_TIMEOUT_SECONDS

    @classmethod
    def read(cls, app_folder: Path, environ: Mapping[str, str]) -> Self:
        """Read host.json; what it leaves out has the host's default.

        Args:
            app_folder: has the file.
            environ: the app's settings, some of which may override the file's values. Source:
                Microsoft's reference of host.json, "Override host.json values".

        Raises:
            HostError: the file is not JSON, or one of the values is invalid.
        """
        content = _read_json(app_folder / "host.json")
        for name, text in environ.items():
            prefix, *path = name.split("__")
            if prefix.lower() == OVERRIDES and path:
                _override(content, path, text)
        http = content.get("extensions", {}).get("http", {})
        return cls(
            str(http.get("routePrefix", "api")),
            QueueSettings.of(content),
            _function_timeout(content.get("functionTimeout")),
        )


def apply_settings(app_folder: Path, environ: MutableMapping[str, str]) -> None:
    """Make `environ` what Core Tools make it for the app's process.

    Raises:
        HostError: local.settings.json is not JSON, or is encrypted.
    """
    settings = _read_json(app_folder / "local.settings.json")
    if settings.get("IsEncrypted"):
        raise HostError("local.settings.json is encrypted: run `func settings decrypt` first.")
    for name, value in settings.get("Values", {}).items():
        environ.setdefault(name, value if isinstance(value, str) else json.dumps(value))
    environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    # With it the worker's library takes this machine for Linux Consumption.
    environ.pop("CONTAINER_NAME", None)


def hide_project() -> None:
    """Take this project's folder and the working folder off the import path: Azure has neither.

    The app's modules are then found in the app's folder only; the emulator's own are found through
    its package. An installed wheel has no project's folder: it is among the packages that the app
    needs.
    """
    hidden = {Path.cwd()}
    if (WORKBENCH / "pyproject.toml").exists():
        hidden.add(WORKBENCH.resolve())
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() not in hidden]


def _function_timeout(value: object) -> float | None:
    """The seconds of a functionTimeout; None: there is no limit.

    Raises:
        HostError: it is no time span.
    """
    if value is None:
        return DEFAULT_FUNCTION_TIMEOUT_SECONDS
    if str(value) == "-1":
        return None
    span = TIME_SPAN.fullmatch(str(value))
    seconds = time_span_seconds(span) if span else 0.0
    if seconds < MIN_FUNCTION_TIMEOUT_SECONDS:
        raise HostError(f'host.json: functionTimeout is {value!r}, it must be "hh:mm:ss" or "-1".')
    return seconds


def _override(section: dict[str, Any], path: Sequence[str], text: str) -> None:
    """Replace the value at a path of names, which may be written in any case."""
    name = next((known for known in section if known.lower() == path[0].lower()), path[0])
    if len(path) > 1:
        _override(section.setdefault(name, {}), path[1:], text)
        return
    try:
        section[name] = json.loads(text)  # a number, or true or false
    except ValueError:
        section[name] = text


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise HostError(f"{path.name} is not JSON: {error}") from error
    return content
