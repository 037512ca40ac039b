"""The report of the telemetry part has medians of the rounds, and goals within one run."""

import json

import pytest

from benchmarks.results import telemetry_report
from benchmarks.results.telemetry_report import TelemetrySummaries, telemetry_goals
from benchmarks.telemetry.comparison import TelemetryMeasurement, median
from benchmarks.telemetry.contestant import OTLP, TELEMETRY_CONTESTANTS
from tests.benchmarks.results.test_report import FACTS


def measured(cpu: float, failures: float = 0) -> TelemetryMeasurement:
    """A measurement with this CPU time."""
    return TelemetryMeasurement(cpu, 1e6 / cpu, 500, 80e6, 7, failures)


def summaries(otlp: float) -> TelemetrySummaries:
    """Every contestant: 300 µs, but this with OTLP."""
    return {each: measured(otlp if each.label == OTLP else 300) for each in TELEMETRY_CONTESTANTS}


def test_medians() -> None:
    """One slow round does not move a figure, but a failed turn is reported."""
    found = median([measured(300), measured(900, 1), measured(310)])
    assert (found.cpu, found.failures) == (310, 1)


@pytest.mark.parametrize(("otlp", "reached"), [(700, True), (701, False)])
def test_goal_of_a_turn(otlp: float, reached: bool) -> None:
    """OTLP may add 0.4 ms of CPU time to a turn."""
    first, second = telemetry_goals(summaries(otlp))
    assert (first.figure, first.reached) == (otlp - 300, reached)
    assert second.reached


def test_reports() -> None:
    """The table has a row for each way of exporting; JSON has every figure."""
    found = summaries(550)
    text = telemetry_report.as_markdown(found, telemetry_goals(found), FACTS)
    assert "| OTLP, every trace | 550 | 250 | 1,818 | 500 | 80 | 7 |" in text
    data = telemetry_report.as_json(found, telemetry_goals(found), FACTS)
    assert len(json.loads(json.dumps(data))["contestants"]) == len(TELEMETRY_CONTESTANTS)


def test_some_contestants_only() -> None:
    """Without the bot that exports nothing, there is nothing to compare with."""
    [only] = [each for each in TELEMETRY_CONTESTANTS if each.label == OTLP]
    text = telemetry_report.as_markdown({only: measured(500)}, [], FACTS)
    assert "| OTLP, every trace | 500 |  |" in text
