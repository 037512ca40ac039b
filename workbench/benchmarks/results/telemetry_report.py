"""The report of the telemetry part, as JSON and as the tables of docs/benchmarks.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.results.goals import Goal
from benchmarks.results.report import goals_table, measured, table
from benchmarks.telemetry.comparison import TelemetryMeasurement
from benchmarks.telemetry.contestant import NOT_INSTALLED, OFF, OTLP, TelemetryContestant

TelemetrySummaries = Mapping[TelemetryContestant, TelemetryMeasurement]

MAX_OTLP_MICROSECONDS = 400
MAX_OFF = 1.05
"""The limit of what off costs, as a multiple: two rounds of the same program differ by a few
percent."""

_COLUMNS = ("CPU µs per turn", "... beyond off", "turns/s", "first reply ms", "peak MB", "requests")


def telemetry_goals(summaries: TelemetrySummaries) -> list[Goal]:
    """All goals, for a comparison of all contestants."""
    return list(_goals({each.label: found for each, found in summaries.items()}))


def _goals(found: Mapping[str, TelemetryMeasurement]) -> Iterator[Goal]:
    off = found[NOT_INSTALLED].cpu
    text = "CPU µs of a turn beyond that without the packages (OTLP, every trace)"
    yield Goal(text, found[OTLP].cpu - off, MAX_OTLP_MICROSECONDS)
    text = "CPU of a turn as a multiple of that without the packages (installed, not configured)"
    yield Goal(text, found[OFF].cpu / off, MAX_OFF)


def as_json(
    summaries: TelemetrySummaries, goals: Sequence[Goal], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """All results, for programs; the arguments are those of the other report."""
    return {
        **facts,
        "goals": [{**asdict(goal), "reached": goal.reached} for goal in goals],
        "contestants": [{"name": each.label, **asdict(found)} for each, found in summaries.items()],
    }


def as_markdown(
    summaries: TelemetrySummaries, goals: Sequence[Goal], facts: Mapping[str, Any]
) -> str:
    """All results, for people; the arguments are those of the other report."""
    off = [found.cpu for each, found in summaries.items() if each.label == NOT_INSTALLED]
    rows = [
        (
            each.label,
            f"{found.cpu:,.0f}",
            f"{found.cpu - off[0]:,.0f}" if off else "",
            f"{found.turns_per_second:,.0f}",
            f"{found.first_reply:.0f}",
            f"{found.peak_memory / 1e6:.0f}",
            f"{found.requests:.2g}",
        )
        for each, found in summaries.items()
    ]
    sections = [
        measured(facts),
        *(["### Goals of turns with telemetry\n", goals_table(goals)] if goals else []),
        "### Turns with telemetry, 16 in flight\n",
        table(("", *_COLUMNS), rows),
    ]
    return "\n".join(filter(None, sections))
