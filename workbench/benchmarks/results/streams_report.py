"""The report of the streams part, as JSON and as the tables of docs/benchmarks.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.contestant import AGENTS, PROJECT, TEAMS, Contestant
from benchmarks.results.goals import Goal
from benchmarks.results.report import goals_table, measured, table, versions_table
from benchmarks.streams.comparison import StreamsMeasurement

StreamsSummaries = Mapping[Contestant, StreamsMeasurement]

MAX_WAIT_SECONDS = 2

_COLUMNS = (
    "CPU ms per part",
    "... per request",
    "CPU ms per stream",
    "parts per stream",
    "429",
    "other activities",
    "longest wait s",
    "failed",
)


def streams_goals(summaries: StreamsSummaries) -> list[Goal]:
    """All goals, for a comparison of all contestants."""
    return list(_goals({each.name: found for each, found in summaries.items()}))


def _goals(found: Mapping[str, StreamsMeasurement]) -> Iterator[Goal]:
    ours = found[PROJECT]
    for name in (AGENTS, TEAMS):
        text = f"CPU of a part as a multiple of {name}'s"
        yield Goal(text, ours.cpu / found[name].cpu, 1)
    text = "longest wait of new text for its part, in s, the worst of all"
    yield Goal(text, ours.longest_wait, MAX_WAIT_SECONDS)
    yield Goal("requests that got 429, the worst of all", ours.refused, 0)
    yield Goal("streams without their whole text or an end", ours.failures, 0)


def as_json(
    summaries: StreamsSummaries, goals: Sequence[Goal], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """All results, for programs; the arguments are those of the other report."""
    return {
        **facts,
        "goals": [{**asdict(goal), "reached": goal.reached} for goal in goals],
        "contestants": [{"name": each.name, **asdict(found)} for each, found in summaries.items()],
    }


def as_markdown(
    summaries: StreamsSummaries, goals: Sequence[Goal], facts: Mapping[str, Any]
) -> str:
    """All results, for people; the arguments are those of the other report."""
    rows = [
        (
            each.name,
            f"{found.cpu:.2f}",
            f"{found.cpu_per_request:.2f}",
            f"{found.cpu_per_stream:.1f}",
            f"{found.parts_per_stream:.1f}",
            f"{found.refused:,.0f}",
            f"{found.others:,.0f}",
            f"{found.longest_wait:.2f}",
            f"{found.failures:.0f}",
        )
        for each, found in summaries.items()
    ]
    sections = [
        measured(facts),
        *(["### Goals of streaming replies\n", goals_table(goals)] if goals else []),
        "### 100 streams at once\n",
        table(("", *_COLUMNS), rows),
        "### Versions of the streaming bots\n",
        versions_table(facts["versions"]),
    ]
    return "\n".join(sections)
