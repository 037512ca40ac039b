"""The runbooks' commands run: the real Azure CLI, curl and openssl against the local Azure."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.docs.runbooks.page import blocks
from tests.docs.runbooks.recipe import BY_HAND, PROMISED, deployment
from tests.docs.runbooks.report import check
from tests.docs.runbooks.runs import RUNS, Run
from tests.docs.runbooks.walk import walk

pytestmark = [pytest.mark.az, pytest.mark.timeout(900)]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_runbook_runs(run: Run, tmp_path: Path, az: Path) -> None:
    """Each command of the run succeeds, and the reader sees what the page says."""
    _, *pastes = walk(run, tmp_path, az)
    check(run.name, pastes)
    output: defaultdict[str, str] = defaultdict(str)
    for block in (*deployment(run.tags), *(blocks(BY_HAND) if run.app_type else ())):
        output[block.section] += "".join(paste.output.get(str(block), "") for paste in pastes)
    for section, promised in PROMISED.items():
        if section in output:
            assert re.search(promised, output[section], re.M | re.S), (
                f"{section}: {output[section]}"
            )
    if "A package that is ready to run" in output:
        assert re.search(r'"package": "[0-9a-f]{64}"', output["11. Verify that it works"])
