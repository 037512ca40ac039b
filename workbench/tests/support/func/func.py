"""Func: the stand-in for Core Tools as a program."""

import subprocess
import sys
from pathlib import Path

from tests.support.azure.publisher import MANAGEMENT, Publisher
from tests.support.func import program
from tests.support.project import ROOT


def write_func(file: Path) -> None:
    """Write the program `func`, for a folder on the PATH of a shell."""
    script = Path(program.__file__)
    file.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n', "utf-8")
    file.chmod(0o755)


def call_func(publisher: Publisher, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Call `func azure functionapp` in a folder, signed in without the Azure CLI."""
    options = ("--access-token", publisher.token(), "--management-url", MANAGEMENT)
    return subprocess.run(
        [sys.executable, program.__file__, "azure", "functionapp", *words, *options],
        cwd=folder,
        env={**publisher.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
