"""The report of the state part has the medians of the rounds, and goals within one run."""

import json

import pytest

from benchmarks.contestant import AGENTS, PROJECT
from benchmarks.results import state_report
from benchmarks.results.state_goals import StateGoals, StateSummaries
from benchmarks.state.contestant import AZURITE, QUEUED, STATE_CONTESTANTS, STATELESS
from benchmarks.state.measurement import (
    LATENCIES,
    BurstFigures,
    LoadFigures,
    StateMeasurement,
    TurnFigures,
    median,
)
from tests.benchmarks.results.test_report import FACTS


def measured(cpu: float, counted: float = 16, errors: float = 0) -> StateMeasurement:
    """A measurement with this CPU time; all else depends on it."""
    times = {latency: cpu + latency for latency in LATENCIES}
    turns = TurnFigures(9, 12.8, times, times, times, 1, 2, 3)
    return StateMeasurement(LoadFigures(100 / cpu, cpu, 1), turns, BurstFigures(counted, errors))


@pytest.fixture
def summaries() -> StateSummaries:
    """Every contestant: this project takes 2 ms of CPU, stateless 1 ms, others 8."""
    return {
        each: measured(1 if each.turns == STATELESS else 2 if each.bot.name == PROJECT else 8)
        if each.storage == AZURITE
        else StateMeasurement(LoadFigures(600, 1 if each.turns == STATELESS else 2, 0))
        for each in STATE_CONTESTANTS
    }


def test_medians_of_rounds_and_the_worst_burst() -> None:
    """One slow round does not move a figure, but one lost message or failed turn is reported."""
    found = median([measured(1, 15, 0), measured(9), measured(2, 16, 1)])
    assert (found.load.cpu, found.load.failures) == (2, 3)
    assert found.turns is not None
    assert found.turns.reply == {0: 2, 5: 7, 20: 22}
    assert found.burst == BurstFigures(15, 1)


def test_medians_without_single_turns() -> None:
    """A contestant that was measured under load only has no other figures."""
    found = median([StateMeasurement(LoadFigures(1, 1, 0))])
    assert found == StateMeasurement(LoadFigures(1, 1, 0))


def test_goals(summaries: StateSummaries) -> None:
    """Differences to the stateless turn, ratios to the peers, and counts."""
    goals = StateGoals(summaries).all()
    found = {goal.text: (goal.figure, goal.bound, goal.reached) for goal in goals}
    beyond = [value for text, value in found.items() if "beyond the stateless" in text]
    assert beyond == [(1, 1.1, True), (1, 3.0, True)]
    peers = [value for text, value in found.items() if AGENTS in text]
    assert peers == [(4, 5, False)]
    assert [each for text, each in found.items() if text.startswith("storage requests")] == [
        (9, 9, True)
    ]
    assert [each for text, each in found.items() if text.startswith("of 16 messages")] == [
        (16, 16, True)
    ]
    assert [each for text, each in found.items() if text.startswith("turns/s")] == [
        (600, 500, True),
        (600, 250, True),
    ]


def test_tables_hold_every_contestant(summaries: StateSummaries) -> None:
    """Queued turns have a row for the time since the delivery as well; missed goals are marked."""
    text = state_report.as_markdown(summaries, StateGoals(summaries).all(), FACTS)
    rows = [line for line in text.splitlines() if line.startswith(f"| {PROJECT}, {QUEUED} |")]
    assert rows == [
        f"| {PROJECT}, {QUEUED} | 9 | 12.8 | 1 | 2 | 2 / 7 / 22 | 2 / 7 / 22 |",
        f"| {PROJECT}, {QUEUED} | 3 | 2 / 7 / 22 |",
        f"| {PROJECT}, {QUEUED} | 2.00 | 50 | 16 | 0 | 1 |",
        f"| {PROJECT}, {QUEUED} | 2.00 | 1.00 | 600 | 0 |",
        f"| {PROJECT}, {QUEUED} | 2.00 |  | 600 | 0 |",
    ]
    assert "**no**" in text


def test_a_part_of_the_contestants(summaries: StateSummaries) -> None:
    """Tables without a contestant are left out."""
    some = {each: found for each, found in summaries.items() if each.turns == QUEUED}
    text = state_report.as_markdown(dict(list(some.items())[:1]), [], FACTS)
    assert "### One turn at a time" in text
    assert "Goals" not in text
    assert "memory" not in text


def test_json_holds_the_same(summaries: StateSummaries) -> None:
    """The JSON can be written, and has every contestant."""
    goals = StateGoals(summaries).all()
    found = json.loads(json.dumps(state_report.as_json(summaries, goals, FACTS)))
    assert len(found["contestants"]) == len(STATE_CONTESTANTS)
    assert len(found["goals"]) == len(goals)
    assert found["contestants"][0]["turns"]["reply"]["20"] == 22
