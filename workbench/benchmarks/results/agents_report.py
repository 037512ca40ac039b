"""The report of the Agents SDK part, as JSON and as the tables of docs/benchmarks.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.agents.comparison import AgentsMeasurement
from benchmarks.agents.contestant import AGENTS_BOT, AIOHTTP_HOST, AgentsContestant
from benchmarks.contestant import FOUNDRY, PROJECT
from benchmarks.results.goals import Goal
from benchmarks.results.report import goals_table, measured, table, versions_table
from benchmarks.state.trial import IN_FLIGHT as AT_ONCE

AgentsSummaries = Mapping[AgentsContestant, AgentsMeasurement]

MIN_MULTIPLE = 3
"""Of this project's CPU time, that another host takes for the same application's echo turn."""

_ECHO_COLUMNS = (
    "token check",
    "CPU ms",
    "turns/s",
    "first reply ms",
    "... CPU ms",
    "peak MiB",
)
_STATE_COLUMNS = ("kept in", "CPU ms", f"{AT_ONCE} at once: counted", "failed")


def agents_goals(summaries: AgentsSummaries) -> list[Goal]:
    """All goals, for a comparison of all contestants."""
    return list(_goals({each.label: found for each, found in summaries.items()}))


def _goals(found: Mapping[str, AgentsMeasurement]) -> Iterator[Goal]:
    ours = found[AGENTS_BOT]
    for name in (AIOHTTP_HOST, FOUNDRY):
        text = f"CPU of an AgentApplication's echo turn in {name} as a multiple of ours"
        yield Goal(text, found[name].cpu / ours.cpu, MIN_MULTIPLE, at_least=True)
    counted = min(each.counted for label, each in found.items() if label.startswith(PROJECT))
    text = f"of {AT_ONCE} messages at once, those that this project's count has"
    yield Goal(text, counted, AT_ONCE, at_least=True)


def as_json(
    summaries: AgentsSummaries, goals: Sequence[Goal], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """All results, for programs; the arguments are those of the other report."""
    return {
        **facts,
        "goals": [{**asdict(goal), "reached": goal.reached} for goal in goals],
        "contestants": [
            {
                "name": each.label,
                "storage": each.counter.storage,
                "token_check": each.token_check,
                **asdict(found),
            }
            for each, found in summaries.items()
        ],
    }


def as_markdown(summaries: AgentsSummaries, goals: Sequence[Goal], facts: Mapping[str, Any]) -> str:
    """All results, for people; the arguments are those of the other report."""
    # A program that is measured with two storages has one row here.
    programs: dict[str, tuple[AgentsContestant, AgentsMeasurement]] = {}
    for each, found in summaries.items():
        programs.setdefault(each.label, (each, found))
    echo = [
        (
            each.label,
            each.token_check,
            f"{found.cpu:.2f}",
            f"{found.turns_per_second:,.0f}",
            f"{found.first_reply:.0f}",
            f"{found.first_reply_cpu:.0f}",
            f"{found.peak_memory / 1024**2:.0f}",
        )
        for each, found in programs.values()
    ]
    state = [
        (
            each.label,
            each.counter.storage.partition(",")[0],
            f"{found.state_cpu:.2f}",
            f"{found.counted:g}",
            f"{found.failures:g}",
        )
        for each, found in summaries.items()
    ]
    sections = [
        measured(facts),
        *(["### Goals of the Agents SDK's hosts\n", goals_table(goals)] if goals else []),
        "### Echo turns, start and memory\n",
        table(("", *_ECHO_COLUMNS), echo),
        "### Turns that count for the conversation and the user\n",
        table(("", *_STATE_COLUMNS), state),
        "### Versions of the Agents SDK's hosts\n",
        versions_table(facts["versions"]),
    ]
    return "\n".join(sections)
