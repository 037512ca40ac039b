"""The runbooks' commands run: the real Azure CLI, curl and openssl in front of the local Azure."""

from pathlib import Path

import pytest

from tests.docs.runbooks.runs import RUNS, Run
from tests.docs.runbooks.walk import walk

pytestmark = [pytest.mark.az, pytest.mark.timeout(600)]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_runbook_runs(run: Run, tmp_path: Path, az: Path) -> None:
    """Each command of the run succeeds, from the first block to the last."""
    for paste in walk(run, tmp_path, az):
        failed = [
            f"{call.place}: {call.command}\n{call.errors}" for call in paste.calls if call.status
        ]
        print("\n".join(failed), paste.output)
        assert not failed
        assert not paste.failures, paste.errors
        assert paste.status == 0, paste.errors
