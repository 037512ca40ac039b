"""The report of the hosts of an AgentApplication has medians of the rounds, and its goals."""

import json
from dataclasses import replace

import pytest

from benchmarks.agents.comparison import AgentsMeasurement, median
from benchmarks.agents.contestant import AGENTS_BOT, AGENTS_CONTESTANTS, AIOHTTP_HOST
from benchmarks.results import agents_report
from benchmarks.results.agents_report import AgentsSummaries, agents_goals
from tests.benchmarks.results.test_report import FACTS

MEASURED = AgentsMeasurement(500, 400, 3, 300, 90 * 1024**2, 9, 16, 0)


def summaries(ours: float, counted: float = 16) -> AgentsSummaries:
    """Every contestant: 3 ms of CPU time, but this in our host."""
    bridge = replace(MEASURED, cpu=ours, counted=counted)
    return {each: bridge if each.label == AGENTS_BOT else MEASURED for each in AGENTS_CONTESTANTS}


def test_medians() -> None:
    """One slow round does not move a figure, but a failed turn and a lost count are reported."""
    slow = replace(MEASURED, cpu=9, counted=3, failures=1)
    found = median([MEASURED, slow, MEASURED])
    assert (found.cpu, found.counted, found.failures) == (3, 3, 1)


@pytest.mark.parametrize(("ours", "reached"), [(1, True), (1.1, False)])
def test_goal_of_an_echo_turn(ours: float, reached: bool) -> None:
    """The other hosts take at least three times the CPU time of ours."""
    aiohttp, foundry, counted = agents_goals(summaries(ours))
    assert (aiohttp.figure, aiohttp.reached) == (3 / ours, reached)
    assert (foundry.reached, counted.reached) == (reached, True)


def test_goal_of_the_count() -> None:
    """A message that the count lacks misses the goal."""
    assert not agents_goals(summaries(1, counted=15))[-1].reached


def test_reports() -> None:
    """A program has one row of echo turns, and one of counts for each storage; JSON has all."""
    found = summaries(1)
    text = agents_report.as_markdown(found, agents_goals(found), FACTS)
    assert text.count(f"| {AIOHTTP_HOST} | yes | 3.00 | 300 | 500 | 400 | 90 |") == 1
    assert text.count("| Foundry's Activity host | no: the platform's | 3.00 |") == 1
    assert "| Foundry's Activity host | Azurite | 9.00 | 16 | 0 |" in text
    assert "| Foundry's Activity host | the process's memory | 9.00 | 16 | 0 |" in text
    data = agents_report.as_json(found, agents_goals(found), FACTS)
    assert len(json.loads(json.dumps(data))["contestants"]) == len(AGENTS_CONTESTANTS)


def test_some_contestants_only() -> None:
    """Without the others there are no goals."""
    [only] = [each for each in AGENTS_CONTESTANTS if each.label == AIOHTTP_HOST]
    text = agents_report.as_markdown({only: MEASURED}, [], FACTS)
    assert f"| {AIOHTTP_HOST} | yes | 3.00 |" in text
    assert "Goals" not in text
