"""A pytest plugin that records each test of a run at once, so that a process that dies loses none.

Usage: pytest -p tests.support.run_record -o cache_dir=FOLDER
"""

import json
from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import pytest

NAME = "record.jsonl"
PHASES = {"setup", "call", "teardown"}


def pytest_configure(config: pytest.Config) -> None:
    """Record where the reports of all processes of pytest-xdist arrive."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Writer(Path(config.getini("cache_dir")) / NAME))


@dataclass(frozen=True)
class RunRecord:
    """The outcome of the tests of a run, by their node ids.

    Attributes:
        collected: those that were to run.
        passed: those that passed.
        skipped: those that were skipped, or failed as expected.
        failed: those of which a phase failed, and `died`.
        died: those during which a process died.
        not_collected: files, or folders, that could not be.
    """

    collected: Set[str]
    passed: Set[str]
    skipped: Set[str]
    failed: Set[str]
    died: Set[str]
    not_collected: Set[str]

    @classmethod
    def read(cls, folder: Path) -> "RunRecord":
        """Read what the plugin has written with this `cache_dir`."""
        events: defaultdict[str, set[str]] = defaultdict(set)
        for line in (folder / NAME).read_text("utf-8").splitlines():
            event, test = json.loads(line)
            events[event].add(test)
        died = events["died"] | (events["started"] - events["finished"])
        failed = events["failed"] | died
        skipped = events["skipped"] - failed
        passed = events["finished"] - failed - skipped
        return cls(events["collected"], passed, skipped, failed, died, events["not collected"])

    @property
    def has_failures(self) -> bool:
        """Whether pytest's exit status is 1."""
        return bool(self.failed or self.not_collected)

    @property
    def ended(self) -> Set[str]:
        """The tests whose outcome is known."""
        return self.passed | self.skipped | self.failed


class _Writer:
    """Writes a line of JSON for each event: its name and the node id."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._write("collected", *ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._write("collected", *(item.nodeid for item in session.items))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write("not collected", report.nodeid)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._write("started", nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # pytest-xdist makes up a report, of no phase, for the test during which a worker died.
        self._write(report.outcome if report.when in PHASES else "died", report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._write("finished", nodeid)

    def _write(self, event: str, *tests: str) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps([event, test]) + "\n" for test in tests)
