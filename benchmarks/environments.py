"""Environments: a virtual environment for each peer, made anew when its requirements change."""

import hashlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.contestant import ENVIRONMENTS, PEERS, ROOT

_MADE_FOR = "made-for"


def requirements(environment: str) -> tuple[Path, ...]:
    """The files that say what is in one."""
    if environment == "project":
        # What is deployed, and what runs it.
        return (ROOT / "requirements.txt", ROOT / "benchmarks" / "functions-host.txt")
    return (PEERS / environment / "requirements.txt",)


def make(environments: Iterable[str]) -> None:
    """Make what is missing or out of date.

    Raises:
        subprocess.CalledProcessError: pip failed; it has said why.
    """
    for environment in environments:
        folder = ENVIRONMENTS / environment
        state = _state(environment)
        note = folder / _MADE_FOR
        if note.is_file() and note.read_text() == state:
            continue
        print(f"Installing what {environment} needs ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        files = [part for file in requirements(environment) for part in ("-r", str(file))]
        subprocess.run([*pip, "--disable-pip-version-check", *files], check=True)
        note.write_text(state)


def versions(environment: str) -> dict[str, str]:
    """The versions of its packages by their names."""
    pip = [str(ENVIRONMENTS / environment / "bin" / "python"), "-m", "pip", "list"]
    listed = subprocess.run(
        [*pip, "--format=freeze", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    pairs = (line.split("==") for line in listed.splitlines() if "==" in line)
    return {name.lower(): version for name, version in pairs}


def _state(environment: str) -> str:
    files = (ROOT / "constraints.txt", *requirements(environment))
    texts = [sys.version, *(file.read_text() for file in files)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
