"""TurnProgress: the outcome of a turn, from reports in any order."""

import itertools
import random
from collections.abc import Callable

from bot_workbench.emulator.inspector.turns.turn_progress import (
    DONE,
    FAILED,
    QUEUED,
    RUNNING,
    TurnProgress,
)

PID = 100


def answered(progress: TurnProgress, status: int = 200) -> None:
    progress.answered(2.0, ok=status < 300, accepted=status == 202)


def test_a_turn_runs_until_it_is_answered() -> None:
    """A delivery runs until the channel has an answer."""
    progress = TurnProgress()
    progress.sent()
    assert progress.outcome == RUNNING
    answered(progress)
    assert progress.outcome == DONE
    assert progress.ended_at == 2.0


def test_no_success() -> None:
    """An answer that is no success is a failure, even if the process saw no error."""
    progress = TurnProgress()
    progress.sent()
    progress.run_started(PID)
    progress.run_ended(PID, 1.5, failed=False)
    answered(progress, 501)
    assert progress.outcome == FAILED


def test_a_failure_behind_a_200() -> None:
    """The channel gets 200 when the bot's code raises: its process knows of the failure."""
    progress = TurnProgress()
    progress.sent()
    answered(progress)
    progress.run_ended(PID, 1.9, failed=True)
    assert progress.outcome == FAILED
    assert progress.ended_at == 2.0


def test_a_queued_turn() -> None:
    """An accepted activity waits, runs, may fail and run again; the last run counts."""
    progress = TurnProgress()
    progress.sent()
    answered(progress, 202)
    assert progress.outcome == QUEUED
    progress.run_started(PID)
    assert progress.outcome == RUNNING
    progress.run_ended(PID, 3.0, failed=True)
    assert progress.outcome == FAILED
    progress.run_started(PID + 1)
    assert progress.outcome == RUNNING
    progress.run_ended(PID + 1, 4.0, failed=False)
    assert progress.outcome == DONE
    assert progress.ended_at == 4.0


def test_a_queued_turn_in_any_order() -> None:
    """The answer, the end of the accepting run, and the queued run come from three places."""
    steps: dict[str, Callable[[TurnProgress], None]] = {
        "answer": lambda progress: answered(progress, 202),
        "accepted": lambda progress: progress.put_into_queue(PID, 2.1),
        "run": lambda progress: progress.run_started(PID),
        "ran": lambda progress: progress.run_ended(PID, 5.0, failed=False),
    }
    for order in itertools.permutations(steps):
        if order.index("run") > order.index("ran"):
            continue
        progress = TurnProgress()
        progress.sent()
        progress.run_started(PID)
        for name in order:
            steps[name](progress)
        assert (progress.outcome, progress.ended_at) == (DONE, 5.0), order


def test_a_process_that_ends() -> None:
    """The runs of a process end with it, and those of other processes go on."""
    progress = TurnProgress()
    progress.run_started(PID)
    assert not progress.process_ended(PID + 1, 3.0)
    assert progress.outcome == RUNNING
    assert progress.process_ended(PID, 3.0)
    assert progress.outcome == FAILED
    assert progress.ended_at == 3.0
    assert not progress.process_ended(PID, 4.0)


def test_a_run_whose_start_is_unknown() -> None:
    """An end without a start ends the turn, and a start that comes later does not revive it."""
    progress = TurnProgress()
    progress.run_ended(PID, 1.0, failed=False)
    assert progress.outcome == DONE
    progress.run_started(PID)
    assert progress.outcome == DONE


def test_starts_and_ends_in_random_order() -> None:
    """Whatever the order, a turn that was answered and whose runs ended is over."""
    chance = random.Random(17)  # noqa: S311  # no secret
    for _ in range(500):
        progress = TurnProgress()
        progress.sent()
        steps = [("answered", 0)]
        for pid in range(chance.randrange(4)):
            steps += [("started", pid), ("ended", pid)]
        chance.shuffle(steps)
        for step, pid in steps:
            if step == "answered":
                answered(progress)
            elif step == "started":
                progress.run_started(pid)
            else:
                progress.run_ended(pid, 5.0, failed=False)
            assert progress.outcome in (RUNNING, DONE)
        assert progress.outcome == DONE
