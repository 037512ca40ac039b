"""Func: the stand-in for Core Tools as a program on the PATH of a shell."""

import sys
from pathlib import Path

from tests.support.func import program


def write_func(file: Path) -> None:
    """Write the program `func`."""
    script = Path(program.__file__)
    file.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n', "utf-8")
    file.chmod(0o755)
