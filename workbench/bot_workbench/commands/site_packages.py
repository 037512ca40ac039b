"""Installs the deployed app's packages for Azure's platform, with uv, on any machine.

uv chooses packages by the markers of Azure's platform, where pip would take this machine's: on
Windows, it leaves out what is not for Windows.
"""

import csv
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PYTHON_VERSION = (3, 13)

# Flex Consumption runs CPython on Linux x86_64.
_PLATFORM = [
    *("--python-version", ".".join(map(str, PYTHON_VERSION))),
    *("--python-platform", "x86_64-manylinux_2_28"),
]

_NO_WHEEL = (
    "What has no wheel for Linux x86_64 goes by Azure's build:"
    " `func azure functionapp publish APP`, typed in the project's folder."
)
_OTHER_INDEX = (
    "uv reads neither pip.conf nor pip's variables: for another index than PyPI, set"
    " UV_DEFAULT_INDEX where pip has PIP_INDEX_URL, and UV_INDEX where it has PIP_EXTRA_INDEX_URL."
)
_CURES = {
    " build `": _NO_WHEEL,
    "Failed to fetch": _OTHER_INDEX,
    "was not found in the package registry": _OTHER_INDEX,
}
"""The cures, by the messages of uv, such as "Failed to build `emoji==1.7.0`"."""

Install = Callable[[Path, Path], None]
"""Installs the packages of a requirements file into an empty folder; raises InstallError."""


class InstallError(Exception):
    """The packages cannot be installed; the message is uv's, with what helps."""


def install(requirements: Path, target: Path) -> None:
    """Install the packages of a requirements file and their dependencies into an empty folder.

    A package without a wheel, such as emoji, which botbuilder-dialogs needs, is built here.

    Raises:
        InstallError: uv failed, or what it built runs on this machine only.
    """
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", *_PLATFORM]
    # System certificates, as pip has it; copies, because the cache's files are not ours to change.
    options = ["--python", sys.executable, "--system-certs", "--link-mode", "copy"]
    done = subprocess.run(
        [*command, *options, "--target", str(target), "-r", str(requirements)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        cures = {cure: None for sign, cure in _CURES.items() if sign in done.stderr}
        raise InstallError("\n".join([done.stderr.strip(), *cures]))
    if built := [info.name for info in target.glob("*.dist-info") if not _fits(info)]:
        names = ", ".join(sorted(name.removesuffix(".dist-info") for name in built))
        raise InstallError(f"Built here, for machines like this one only: {names}. {_NO_WHEEL}")
    # Console scripts are of no use in Azure, and they hold the path of this machine's Python.
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)
    for record in target.glob("*.dist-info/RECORD"):
        _forget_missing(record, target)


def _fits(info: Path) -> bool:
    """Whether a package's tags name Azure's platform, or every one; a wheel built here has others.

    Source: PEP 425, and the field Tag of PEP 427.
    """
    lines = (info / "WHEEL").read_text("utf-8").splitlines()
    tags = [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")]
    platforms = [tag.rpartition("-")[2] for tag in tags]
    return any(each == "any" or "manylinux" in each for each in platforms)


def _forget_missing(record: Path, target: Path) -> None:
    """Drop what is not there from a package's list of files, which then is any machine's."""
    with record.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if (target / row[0]).exists()]
    with record.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
