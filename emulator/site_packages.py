"""The deployed app's packages, installed as Azure's build does, whatever this machine is."""

import shutil
import subprocess
import sys
from pathlib import Path

PYTHON_VERSION = (3, 13)

# What Flex Consumption runs on: CPython on Linux, x86_64. Wheels only: nothing is built here.
_PLATFORM = [
    *("--implementation", "cp", "--python-version", ".".join(map(str, PYTHON_VERSION))),
    *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64"),
    *("--only-binary", ":all:"),
]


class InstallError(Exception):
    """The packages cannot be installed; the message is pip's."""


def install(requirements: Path, target: Path) -> None:
    """Install what a requirements file names, with all that it needs, into an empty folder.

    Raises:
        InstallError: pip cannot.
    """
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, *_PLATFORM, "--no-compile", "--target", str(target), "-r", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise InstallError(done.stderr.strip())
    # The packages' commands: nobody runs them in Azure, and they name this machine's Python.
    shutil.rmtree(target / "bin", ignore_errors=True)
