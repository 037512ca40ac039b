"""What `make test` leaves out: folders, files and credentials."""

import os
import re
from pathlib import Path

import pytest

from bot_workbench.credential_kinds import KINDS, MANAGED_IDENTITY
from tests.support.project import ROOT

FOLDERS = (
    "examples",
    "tests/agents",
    "tests/cloud_adapter/state/objects/agents",
    "tests/infra",
    "tests/samples",
    "workbench/tests/admin",
    "workbench/tests/app_package",
    "workbench/tests/benchmarks",
    "workbench/tests/commands",
    "workbench/tests/docs",
    "workbench/tests/editor",
    "workbench/tests/emulator",
    "workbench/tests/maintenance",
    "workbench/tests/runs/commands",
    "workbench/tests/runs/deployment",
    "workbench/tests/runs/migration",
    "workbench/tests/runs/reload",
    "workbench/tests/sample/browser",
    "workbench/tests/setup",
    "workbench/tests/template",
    "workbench/tests/workflows",
)
"""All tests in them are extended."""

_PREFIXES = tuple(f"{ROOT / folder}{os.sep}" for folder in FOLDERS)

_MARKED = re.compile(r"^pytestmark = (?:\[[^\]]*)?\bpytest\.mark\.extended\b", re.MULTILINE)


def in_extended_folder(path: Path) -> bool:
    """Whether a file or folder is, or is in, one of FOLDERS."""
    return f"{path}{os.sep}".startswith(_PREFIXES)  # of each of thousands of tests


def is_extended(path: Path) -> bool:
    """Whether all tests of a file or folder are extended.

    `make test` does not import these files, which may need packages that it does not install.
    """
    if in_extended_folder(path):
        return True
    return path.suffix == ".py" and bool(_MARKED.search(path.read_text("utf-8")))


def credentials(*covered_by: str) -> list[object]:
    """Parameters: each credential, of which `make test` runs the managed identity alone.

    Args:
        covered_by: the files that show the same of the others.
    """
    mark = pytest.mark.extended(covered_by=[*covered_by])
    others = (each for each in KINDS if each != MANAGED_IDENTITY)
    return [MANAGED_IDENTITY, *(pytest.param(each, marks=mark) for each in others)]
