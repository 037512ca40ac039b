"""The real Azure CLI takes the commands of the pipelines."""

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.workflows.pipeline_files import AZURE, WORKFLOWS, lines, read

AZ = ROOT / ".cache" / "az" / "bin" / "az"

USAGE = 2
"""az's exit status for arguments that it does not take."""

pytestmark = [
    pytest.mark.az,
    pytest.mark.skipif(not AZ.exists(), reason="no Azure CLI: make runbooks installs it"),
]


def status(line: str, folder: Path) -> int:
    """The exit status of a command, signed out and offline: it gets as far as its arguments."""
    ended = subprocess.run(
        [str(AZ), *shlex.split(line.partition(" > ")[0])[1:]],
        cwd=folder,
        env={
            "AZURE_CONFIG_DIR": str(folder),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "HTTPS_PROXY": "http://127.0.0.1:9",  # a closed port: nothing leaves the machine
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        check=False,
        timeout=200,
    )
    return ended.returncode


def test_az_takes_each_command(tmp_path: Path) -> None:
    """No option is misspelled, and none is missing."""
    found = {line for file in (*WORKFLOWS, AZURE) for line in lines(read(file), "az ")}
    assert len(found) > 2
    assert {line for line in found if status(line, tmp_path) == USAGE} == set()


def test_a_misspelled_option_is_refused(tmp_path: Path) -> None:
    """The exit status tells a wrong command line from a missing sign-in."""
    assert status("az bicep build --files infra/main.bicep", tmp_path) == USAGE
    assert status("az bicep install --target-platform linux-x86", tmp_path) == USAGE
