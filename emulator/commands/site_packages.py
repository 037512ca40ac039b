"""Installs the deployed app's packages for Azure's platform, on any machine."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

PYTHON_VERSION = (3, 13)

# Flex Consumption runs CPython on Linux x86_64. Wheels only: a build may be for this machine.
_PLATFORM = [
    *("--implementation", "cp", "--python-version", ".".join(map(str, PYTHON_VERSION))),
    *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64"),
    *("--only-binary", ":all:"),
]


Install = Callable[[Path, Path], None]
"""Installs the packages of a requirements file into an empty folder; raises InstallError."""


class InstallError(Exception):
    """The packages cannot be installed; the message is pip's."""


def install(requirements: Path, target: Path) -> None:
    """Install the packages of a requirements file and their dependencies into an empty folder.

    Raises:
        InstallError: pip failed.
    """
    wanted = ("-r", str(requirements))
    to_target = (*_PLATFORM, "--no-compile", "--target", str(target), *wanted)
    try:
        _pip("install", *to_target)
    except InstallError:
        # Some packages have no wheel, such as emoji, which botbuilder-dialogs needs: build them
        # here. Of the wheels, pip takes only those that fit Azure's platform.
        with tempfile.TemporaryDirectory() as scratch:
            _pip("wheel", "--wheel-dir", scratch, *wanted)
            _pip("install", "--find-links", scratch, *to_target)
    # Console scripts are of no use in Azure, and they hold the path of this machine's Python.
    shutil.rmtree(target / "bin", ignore_errors=True)


def _pip(command: str, *arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", command, "--disable-pip-version-check"]
    done = subprocess.run([*pip, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # Which packages need what, if that is why.
        _, cause, packages = done.stdout.partition("The conflict is caused by:")
        raise InstallError(f"{done.stderr.strip()}\n{cause}{packages}".strip())
