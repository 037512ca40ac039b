"""The runbooks' commands run: the real Azure CLI, curl and openssl in front of the local Azure."""

from pathlib import Path

import pytest

from tests.docs.runbooks.report import check
from tests.docs.runbooks.runs import RUNS, Run
from tests.docs.runbooks.walk import walk

pytestmark = [pytest.mark.az, pytest.mark.timeout(900)]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_runbook_runs(run: Run, tmp_path: Path, az: Path) -> None:
    """Each command of the run succeeds, from the first block to the last."""
    _, *pastes = walk(run, tmp_path, az)
    check(run.name, pastes)
