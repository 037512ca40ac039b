"""The report of the state part, as JSON and as the tables of docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.results.goals import Goal
from benchmarks.results.report import goals_table, measured, table, versions_table
from benchmarks.results.state_goals import StateSummaries
from benchmarks.state.contestant import (
    AZURITE,
    AZURITE_BY_TOKEN,
    IN_MEMORY,
    STATELESS,
    StateContestant,
)
from benchmarks.state.measurement import StateMeasurement

_FILES = """\
![CPU milliseconds per turn](benchmarks/state_cpu.png)
![Milliseconds to the reply](benchmarks/state_reply.png)

All figures: [state.json](benchmarks/state.json).
"""

_TURN_COLUMNS = (
    "requests",
    "$ per million turns",
    "round trips before reply",
    "... before HTTP response",
    "reply ms at 0 / 5 / 20 ms",
    "HTTP ms at 0 / 5 / 20 ms",
)
_LOAD_COLUMNS = ("CPU ms", "turns/s", "16 at once: counted", "... apologies, errors", "failed")


def as_json(
    summaries: StateSummaries, goals: Sequence[Goal], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """All results, for programs; the arguments are those of the other report."""
    return {
        **facts,
        "goals": [{**asdict(goal), "reached": goal.reached} for goal in goals],
        "contestants": [
            {"name": each.label, "storage": each.storage, **asdict(found)}
            for each, found in summaries.items()
        ],
    }


def as_markdown(summaries: StateSummaries, goals: Sequence[Goal], facts: Mapping[str, Any]) -> str:
    """All results, for people; the arguments are those of the other report."""
    by_storage = {
        storage: {each: found for each, found in summaries.items() if each.storage == storage}
        for storage in (AZURITE, AZURITE_BY_TOKEN, IN_MEMORY)
    }
    azurite = by_storage[AZURITE]
    sections = [
        measured(facts),
        *(["### Goals of turns with state\n", goals_table(goals)] if goals else []),
        *(["### One turn at a time\n", _turns(azurite), _deliveries(azurite)] if azurite else []),
        *(["### Turns at once\n", _loads(azurite)] if azurite else []),
        *(_other(storage, by_storage[storage]) for storage in (AZURITE_BY_TOKEN, IN_MEMORY)),
        *([_FILES] if goals else []),
        "### Versions of the counter bots\n",
        versions_table(facts["versions"]),
    ]
    return "\n".join(filter(None, sections))


def _turns(summaries: StateSummaries) -> str:
    def row(each: StateContestant, found: StateMeasurement) -> tuple[str, ...]:
        assert found.turns is not None
        turns = found.turns
        return (
            each.label,
            f"{turns.requests:.3g}",
            f"{turns.dollars:.1f}",
            f"{turns.trips_before_reply:g}",
            f"{turns.trips_before_answer:g}",
            _times(turns.reply),
            _times(turns.answer),
        )

    return table(("", *_TURN_COLUMNS), [row(*each) for each in summaries.items()])


def _deliveries(summaries: StateSummaries) -> str:
    rows = [
        (
            each.label,
            f"{found.turns.trips_after_delivery:g}",
            _times(found.turns.reply_after_delivery),
        )
        for each, found in summaries.items()
        if each.is_queued and found.turns is not None
    ]
    columns = ("round trips before reply", "reply ms at 0 / 5 / 20 ms")
    return table(("From the wake-up message's delivery", *columns), rows) if rows else ""


def _loads(summaries: StateSummaries) -> str:
    def row(each: StateContestant, found: StateMeasurement) -> tuple[str, ...]:
        assert found.burst is not None
        return (
            each.label,
            f"{found.load.cpu:.2f}",
            f"{found.load.turns_per_second:,.0f}",
            f"{found.burst.counted:g}",
            f"{found.burst.errors:g}",
            f"{found.load.failures:g}",
        )

    return table(("", *_LOAD_COLUMNS), [row(*each) for each in summaries.items()])


def _other(storage: str, summaries: StateSummaries) -> str:
    """The table of a storage with which only the load is measured; empty without contestants."""
    if not summaries:
        return ""
    stateless = [found.load.cpu for each, found in summaries.items() if each.turns == STATELESS]
    rows = [
        (
            each.label,
            f"{found.load.cpu:.2f}",
            f"{found.load.cpu - stateless[0]:.2f}" if stateless else "",
            f"{found.load.turns_per_second:,.0f}",
            f"{found.load.failures:g}",
        )
        for each, found in summaries.items()
    ]
    heading = ("", "CPU ms", "... beyond stateless", "turns/s", "failed")
    return f"### {storage[0].upper()}{storage[1:]}\n\n{table(heading, rows)}"


def _times(by_latency: Mapping[int, float]) -> str:
    return " / ".join(f"{by_latency[latency]:.0f}" for latency in sorted(by_latency))
