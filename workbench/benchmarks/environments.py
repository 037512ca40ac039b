"""Environments: a virtual environment for each peer, recreated when its requirements change.

And the app of this project, with each of the benchmark's bots.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.agents.contestant import WITH_AGENTS
from benchmarks.contestant import (
    AGENTS_APP,
    APP,
    COUNTER_APP,
    ENVIRONMENTS,
    PEERS,
    ROOT,
    STREAMING_APP,
)
from benchmarks.telemetry.contestant import WITH_TELEMETRY
from bot_workbench.app_folder import link_app

BOTS = ROOT / "workbench" / "benchmarks"
"""The folder of the benchmark's bots."""

_FINGERPRINT_FILE = "made-for"


def requirements(environment: str) -> tuple[Path, ...]:
    """The requirements files of an environment."""
    if environment == "project":
        # What is deployed, and the host that runs it.
        return (ROOT / "requirements.txt", BOTS / "functions-host.txt")
    if environment == WITH_TELEMETRY:
        return (*requirements("project"), ROOT / "requirements-telemetry.txt")
    if environment == WITH_AGENTS:
        return (*requirements("project"), BOTS / "agents_bot" / "requirements.txt")
    return (PEERS / environment / "requirements.txt",)


def make(environments: Iterable[str]) -> None:
    """Create the environments that are missing or out of date, and the apps.

    Raises:
        subprocess.CalledProcessError: pip failed; its output says why.
    """
    bots = {
        APP: "echo_bot",
        COUNTER_APP: "counter_bot",
        STREAMING_APP: "streaming_bot",
        AGENTS_APP: "agents_bot",
    }
    for app, bot in bots.items():
        shutil.rmtree(app, ignore_errors=True)
        app.mkdir(parents=True)
        link_app(app, BOTS / bot)
    # The app's process finds nothing of the workbench, and this bot needs the scripted model.
    (STREAMING_APP / "benchmarks").symlink_to(BOTS)
    for environment in environments:
        folder = ENVIRONMENTS / environment
        fingerprint = _fingerprint(environment)
        marker = folder / _FINGERPRINT_FILE
        if marker.is_file() and marker.read_text() == fingerprint:
            continue
        print(f"Installing the packages of {environment} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        files = [part for file in requirements(environment) for part in ("-r", str(file))]
        subprocess.run([*pip, "--disable-pip-version-check", *files], check=True)
        marker.write_text(fingerprint)


def versions(environment: str) -> dict[str, str]:
    """The versions of an environment's packages by name."""
    pip = [str(ENVIRONMENTS / environment / "bin" / "python"), "-m", "pip", "list"]
    listed = subprocess.run(
        [*pip, "--format=freeze", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    pairs = (line.split("==") for line in listed.splitlines() if "==" in line)
    return {name.lower(): version for name, version in pairs}


def _fingerprint(environment: str) -> str:
    files = (ROOT / "constraints.txt", *requirements(environment))
    texts = [sys.version, *(file.read_text() for file in files)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
