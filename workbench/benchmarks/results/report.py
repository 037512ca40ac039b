"""Report: a comparison's results, as JSON and as the tables of docs/benchmarks.md."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.contestant import FUNCTIONS_HOST, OWN_HOST, Contestant
from benchmarks.results.goals import MAIN_CELL, Goal
from benchmarks.results.measurement import CELLS, Cell
from benchmarks.results.summary import Summaries, Summary

_COLUMNS = (
    "turns/s",
    "p50 ms",
    "p99 ms",
    "CPU s / 1000",
    "token requests / 1000",
    "connections / 1000",
    "failed",
)


def as_json(
    summaries: Summaries, goals: Sequence[Goal], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """All results, for programs.

    Args:
        summaries: the medians.
        goals: computed from the medians.
        facts: how, where and with which versions they were measured.
    """
    return {
        **facts,
        "goals": [{**asdict(goal), "reached": goal.reached} for goal in goals],
        "contestants": [_contestant(each, summary) for each, summary in summaries.items()],
    }


def _contestant(contestant: Contestant, summary: Summary) -> dict[str, Any]:
    return {
        "name": contestant.name,
        "credential": contestant.credential,
        "host": contestant.host,
        "variant": contestant.variant,
        "peak_memory": summary.peak_memory,
        "imports": summary.imports,
        "cold_starts": summary.cold_starts,
        "cells": [{**asdict(cell), **asdict(found)} for cell, found in summary.cells.items()],
    }


def as_markdown(summaries: Summaries, goals: Sequence[Goal], facts: Mapping[str, Any]) -> str:
    """All results, for people; the arguments are those of `as_json`."""
    sections = [
        measured(facts),
        *(["### Goals\n", goals_table(goals)] if goals else []),
        f"### Warm turns, {MAIN_CELL}\n",
        _warm(summaries, MAIN_CELL),
        "### Start and memory\n",
        _start(summaries),
        "### Every other cell\n",
        *(
            f"<details><summary>{cell}</summary>\n\n{_warm(summaries, cell)}\n</details>\n"
            for cell in CELLS
            if cell != MAIN_CELL
        ),
        "### Versions\n",
        versions_table(facts["versions"]),
    ]
    return "\n".join(sections)


def measured(facts: Mapping[str, Any]) -> str:
    """The sentence about when, where and how."""
    where = facts["machine"]
    day = datetime.datetime.fromisoformat(facts["measured"]).date()
    return (
        f"Measured on {day}: {where['processor']}, {where['cores']} cores, {where['memory']};"
        f" {where['system']}; Python {where['python']}, every contestant on {facts['event_loop']}."
        f" {facts['rounds']} rounds of {facts['seconds']} s in each cell, medians.\n"
    )


def goals_table(goals: Iterable[Goal]) -> str:
    """A row for each goal."""
    rows = (
        (
            goal.text,
            f"{goal.figure:.3g}",
            f"{'at least' if goal.at_least else 'at most'} {goal.bound:g}",
            "yes" if goal.reached else "**no**",
        )
        for goal in goals
    )
    return table(("", "measured", "goal", "reached"), rows)


def _warm(summaries: Summaries, cell: Cell) -> str:
    def row(contestant: Contestant, summary: Summary) -> tuple[str, ...]:
        found = summary.cells[cell]
        return (
            contestant.label,
            f"{found.turns_per_second:,.0f}",
            f"{found.p50:.1f}",
            f"{found.p99:.1f}",
            f"{found.cpu:.2f}",
            f"{found.token_requests:,.0f}",
            f"{found.connections:,.0f}",
            f"{found.failures:.0f}",
        )

    return _by_host(summaries, _COLUMNS, row)


def _start(summaries: Summaries) -> str:
    def row(contestant: Contestant, summary: Summary) -> tuple[str, ...]:
        return (
            contestant.label,
            f"{summary.cold_starts[0]:.0f}",
            f"{summary.cold_starts[60]:.0f}",
            f"{summary.imports:.0f}",
            f"{summary.peak_memory / 1024**2:.0f}",
        )

    columns = ("first reply, auth 0 ms", "first reply, auth 60 ms", "imports ms", "peak MiB")
    return _by_host(summaries, columns, row)


def _by_host(summaries: Summaries, columns: Sequence[str], row: Any) -> str:
    parts = []
    for host in (FUNCTIONS_HOST, OWN_HOST):
        rows = [row(each, found) for each, found in summaries.items() if each.host == host]
        if rows:
            parts.append(table((f"In {host}", *columns), rows))
    return "\n".join(parts)


def versions_table(versions: Mapping[str, Mapping[str, str]]) -> str:
    """A row for each environment."""
    rows = (
        (environment, ", ".join(f"{name} {version}" for name, version in sorted(found.items())))
        for environment, found in versions.items()
    )
    return table(("environment", "packages"), rows)


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, right-aligned but for the first column."""
    marks = ("---", *("---:" for _ in heading[1:]))
    lines = (heading, marks, *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
