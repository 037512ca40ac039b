"""Which tests `make test` runs, which ALL=1 adds, and which have a command of their own."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from maintenance.targets import collector, runbooks, suite
from tests.support.project import ROOT

pytestmark = pytest.mark.timeout(600)  # a busy machine takes minutes to import all files

SHORT = suite()
REST = suite(rest=True)
ALL = suite(everything=True)
ELSEWHERE = [runbooks(), collector()]

COLLECT = """
import json, pathlib, sys, pytest

class Record:
    def pytest_collection_finish(self, session):
        tests = {
            item.nodeid: [
                [mark.name, mark.kwargs.get("covered_by", [])] for mark in item.iter_markers()
            ]
            for item in session.items
        }
        assert len(tests) == len(session.items)
        pathlib.Path(sys.argv[1]).write_text(json.dumps(tests), "utf-8")

options = ["--collect-only", "-qq", "-m", "", "-p", "no:cacheprovider"]
sys.exit(pytest.main(options, plugins=[Record()]))
"""
"""Collects all tests, and writes the names of each one's marks, with the files in `covered_by`."""


@dataclass(frozen=True)
class Collected:
    """A test.

    Attributes:
        file: its path in the project.
        marks: the names of its marks.
        covered_by: the files that its marks name.
    """

    file: str
    marks: frozenset[str]
    covered_by: frozenset[str]


@dataclass(frozen=True)
class Run:
    """A pytest command of a target.

    Attributes:
        expression: what follows -m: marks, each with or without `not`, joined by `and`.
        folders: those that it looks into; all, if there are none.
    """

    expression: str
    folders: Sequence[str]

    def has(self, test: Collected) -> bool:
        """Whether it runs a test."""
        if self.folders and not test.file.startswith(tuple(f"{each}/" for each in self.folders)):
            return False
        words = self.expression.split(" and ")
        return all(
            (word.removeprefix("not ") in test.marks) == (not word.startswith("not "))
            for word in words
        )


def runs(commands: Sequence[Sequence[str]]) -> Iterator[Run]:
    """What pytest runs in some commands."""
    for command in commands:
        # The last -m: the ones before it name the modules that are run.
        at = len(command) - 1 - [*reversed(command)].index("-m")
        expression, *rest = command[at + 1 :]
        yield Run(expression, [word for word in rest if re.match(r"(workbench/)?tests/", word)])


@pytest.fixture(scope="module")
def tests(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Collected]:
    """All tests, by their node ids."""
    file = tmp_path_factory.mktemp("collected") / "tests.json"
    subprocess.run([sys.executable, "-c", COLLECT, str(file)], cwd=ROOT, check=True)
    return {
        node: Collected(
            node.partition("::")[0],
            frozenset(name for name, _ in marks),
            frozenset(each for _, files in marks for each in files),
        )
        for node, marks in json.loads(file.read_text("utf-8")).items()
    }


@pytest.mark.parametrize("commands", [[*SHORT, *REST], ALL], ids=["test and REST=1", "ALL=1"])
def test_each_test_runs_once(
    commands: Sequence[Sequence[str]], tests: Mapping[str, Collected]
) -> None:
    """None is lost, and none runs in two commands, or twice in one; both ways run the same."""
    every = [*runs([*commands, *ELSEWHERE])]
    times = {node: sum(run.has(test) for run in every) for node, test in tests.items()}
    assert {node: count for node, count in times.items() if count != 1} == {}


def test_what_is_left_out_is_covered(tests: Mapping[str, Collected]) -> None:
    """`covered_by` names files of which `make test` runs a test."""
    [short] = runs(SHORT)
    files = {test.file for test in tests.values() if short.has(test)}
    wrong = {(test.file, each) for test in tests.values() for each in test.covered_by - files}
    assert wrong == set()
