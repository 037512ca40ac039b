"""Each write of each command meets a fault of the network, and one run ends as if it had not."""

from collections import Counter
from pathlib import Path

import pytest

from tests.admin.migrate.interruption.cases import CASES
from tests.admin.migrate.interruption.stage import stage
from tests.admin.migrate.interruption.wire import EACH
from tests.admin.moved_clock import MovedClock
from tests.support.azure.network_faults import DONE, NOT_DONE, reset_before, throttled
from tests.support.azure.writes import Interference


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
def test_each_write_meets_a_fault(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same end state, exit status 0, and no traceback, whatever the fault."""
    case = CASES[name]
    with stage(tmp_path / "whole", monkeypatch, case, MovedClock()) as whole:
        writes = whole.listen()
        whole.run()
        once, end = Counter(map(str, writes)), whole.state()
    for fault in (*NOT_DONE, *DONE):
        with stage(tmp_path / fault.__name__, monkeypatch, case, MovedClock()) as faulty:
            writes = faulty.listen(EACH, fault)
            ended = faulty.run()
            assert faulty.state() == end, f"{fault.__name__}\n{ended.output}"
            times = Counter(map(str, writes))
            again = {write for write in times if times[write] > once[write]}
            if fault in DONE:
                # The step looks first. A restart leaves nothing to see until it is over.
                assert all(write.endswith("/restart") for write in again), fault.__name__
            else:
                assert again == once.keys(), fault.__name__


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("fault", [throttled, reset_before])
def test_each_request_meets_a_fault(
    name: str, fault: Interference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads, too, fail once each, those of the app included: one run still reaches the end."""
    case = CASES[name]
    with stage(tmp_path / "whole", monkeypatch, case, MovedClock()) as whole:
        whole.run()
        end = whole.state()
    with stage(tmp_path / "faulty", monkeypatch, case, MovedClock()) as faulty:
        faulty.listen(EACH, fault, reads=True)
        faulty.run()
        assert faulty.state() == end
