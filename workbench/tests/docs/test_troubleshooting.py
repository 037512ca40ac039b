"""docs/troubleshooting.md explains lines that the code logs, and each failure of the sign-in."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from bot_workbench.admin.doctor.checks.app import HOST_LINES
from tests.end_to_end.security.sign_in_failures import FAILURES
from tests.support.project import ROOT
from tests.test_imports import DEPLOYED

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
ANY_TEXT = "…"


def phrases(section: str) -> list[str]:
    """The words in backticks in the first column of a section's table."""
    body = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in body.splitlines() if line.startswith("| `")]
    return [phrase for cell in cells for phrase in re.findall(r"`([^`]+)`", cell)]


def texts_of(files: Iterable[Path]) -> str:
    """Every text in the code of these files, one a line, with `…` for what is filled in."""
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    texts = "\n".join(found for node in nodes if (found := _text(node)))
    return re.sub(r"%[.\d]*[sdrf]", ANY_TEXT, texts)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or ANY_TEXT for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def test_every_failure_is_explained() -> None:
    """The phrases of the page's table are those that the tests have seen in the bot's log."""
    explained = phrases("The bot cannot sign in")
    assert len(explained) == len(set(explained))
    assert set(explained) == {failure.says for failure in FAILURES.values()}


def test_the_doctor_looks_for_the_hosts_lines() -> None:
    """The page explains the lines of the host that the doctor finds, and no others."""
    assert phrases("The host's own lines") == [line.says for line in HOST_LINES]


@pytest.mark.parametrize(
    "section",
    [
        "Warnings",
        "The channel is refused",
        "The bot's own calls are refused",
        "State and queued turns",
        "A turn takes too long, or ends the process",
    ],
)
def test_other_phrases_are_the_codes(section: str) -> None:
    """A phrase of the other tables is one that the code has."""
    said = texts_of(DEPLOYED)
    for phrase in phrases(section):
        assert re.sub(r"^Answered \d+: ", "", phrase) in said
