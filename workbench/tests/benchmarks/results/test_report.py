"""The report has the medians of the measurements, and goals as ratios of them."""

import json

import pytest

from benchmarks import environments
from benchmarks.benchmark_cloud import Counts
from benchmarks.comparison import Results
from benchmarks.contestant import CONTESTANTS, FUNCTIONS_HOST, PROJECT
from benchmarks.results import report
from benchmarks.results.goals import MAIN_CELL, Goals
from benchmarks.results.measurement import CELLS, Cell, Measurement, median
from benchmarks.results.summary import Summaries, Summary
from benchmarks.traffic.load import LoadOutcome
from bot_workbench.credential_kinds import CERTIFICATE, MANAGED_IDENTITY

FACTS = {
    "measured": "2026-11-24T10:00:00+00:00",
    "rounds": 3,
    "seconds": 1.0,
    "machine": {"processor": "p", "cores": "2", "memory": "8 GiB", "system": "s", "python": "3"},
    "event_loop": "uvloop 0",
    "versions": {"project": {"aiohttp": "3"}},
}


def measured(speed: float) -> Measurement:
    """A measurement at this speed; all else is one."""
    return Measurement(speed, 1.0, 1.0, 1.0, 1.0, 1.0, 1)


def results(speeds: list[float]) -> Results:
    """Those of a contestant that was as fast in each cell, in these rounds."""
    found = Results()
    for cell in CELLS:
        found.cells[cell] = [measured(speed) for speed in speeds]
    found.cold_starts[0], found.cold_starts[60] = [100.0], [speeds[0]]
    found.peak_memory, found.imports = [1024**2], [50.0]
    return found


@pytest.fixture
def summaries() -> Summaries:
    """Every contestant: this project makes 200 turns/s, with a cold start of 200 ms; others 100."""
    return {
        each: Summary.of(results([200.0 if each.name == PROJECT else 100.0]))
        for each in CONTESTANTS
    }


def test_a_measurement_is_of_turns_that_succeeded() -> None:
    """Figures are per successful turn; failed turns are counted separately."""
    outcome = LoadOutcome(2.0, [0.001, 0.003, 0.002, 0.1], ["status 500"])
    found = Measurement.of(outcome, cpu_seconds=0.5, counts=Counts(2, 4))
    assert found == Measurement(2.0, 2.5, 100.0, 125.0, 500.0, 1000.0, 1)
    with pytest.raises(RuntimeError, match="status 500"):
        Measurement.of(LoadOutcome(1.0, [], ["status 500"]), 0.0, Counts(0, 0))


def test_medians_of_rounds_and_the_sum_of_failures() -> None:
    """One slow round does not move a figure; a failure in any round is reported."""
    found = median([measured(1.0), measured(90.0), measured(100.0)])
    assert (found.turns_per_second, found.failures) == (90.0, 3)


def test_goals_are_ratios(summaries: Summaries) -> None:
    """Twice as fast misses the first goal, and meets the one beside the bare function."""
    goals = {goal.text: goal for goal in Goals(summaries).all()}
    first = goals[
        "turns/s as a multiple of BotBuilder Python's"
        f" ({CERTIFICATE}; {FUNCTIONS_HOST}; {MAIN_CELL})"
    ]
    assert (first.figure, first.bound, first.reached) == (2.0, 100, False)
    bare = "turns/s as a part of the bare function's"
    slow_connector = goals[f"{bare} ({Cell(64, 50, 0)}; a new token in each turn)"]
    assert (slow_connector.figure, slow_connector.reached) == (2.0, True)
    assert goals[f"{bare} ({MAIN_CELL}; a new token in each turn)"].bound == 0.9
    assert goals[f"{bare} ({MAIN_CELL}; one token)"].bound == 1.0
    cold = goals[f"cold start as a part of BotBuilder Python's ({MANAGED_IDENTITY}; auth 60 ms)"]
    assert (cold.figure, cold.reached) == (2.0, False)


def test_tables_hold_every_contestant_in_every_cell(summaries: Summaries) -> None:
    """Each contestant has a row in every table; missed goals are marked."""
    text = report.as_markdown(summaries, Goals(summaries).all(), FACTS)
    rows = [line for line in text.splitlines() if line.startswith(f"| {PROJECT}, Federated |")]
    assert len(rows) == len(CELLS) + 1
    assert rows[0] == f"| {PROJECT}, Federated | 200 | 1.0 | 1.0 | 1.00 | 1 | 1 | 1 |"
    assert "**no**" in text
    assert "3 rounds of 1.0 s" in text
    assert "every contestant on uvloop 0." in text


def test_every_contestant_has_the_same_event_loop() -> None:
    """Every contestant runs on uvloop, in the version of Azure's Python worker."""
    for environment in {each.environment for each in CONTESTANTS}:
        texts = [file.read_text() for file in environments.requirements(environment)]
        assert "\nuvloop==0.21.0\n" in "\n".join(texts), environment


def test_json_holds_the_same(summaries: Summaries) -> None:
    """The JSON can be written, and has every cell of every contestant."""
    found = json.loads(json.dumps(report.as_json(summaries, Goals(summaries).all(), FACTS)))
    assert len(found["contestants"]) == len(CONTESTANTS)
    assert {len(each["cells"]) for each in found["contestants"]} == {len(CELLS)}
    assert found["contestants"][0]["cells"][0]["turns_per_second"] == 200.0
