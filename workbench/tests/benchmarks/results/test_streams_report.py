"""The report of the streams part compares a part's CPU time with the SDKs' in the same run."""

import dataclasses
import json

import pytest

from benchmarks.contestant import AGENTS, PROJECT, TEAMS
from benchmarks.results import streams_report
from benchmarks.results.streams_report import StreamsSummaries, streams_goals
from benchmarks.streams.comparison import StreamsMeasurement, median
from benchmarks.streams.contestant import STREAM_CONTESTANTS
from tests.benchmarks.results.test_report import FACTS

MEASURED = StreamsMeasurement(
    cpu=1.0,
    cpu_per_request=0.5,
    cpu_per_stream=20.0,
    parts_per_stream=14.0,
    refused=0,
    others=3,
    longest_wait=1.9,
    failures=0,
)


def summaries(ours: StreamsMeasurement) -> StreamsSummaries:
    """Every contestant: the SDKs need 1 ms a part."""
    return {each: ours if each.name == PROJECT else MEASURED for each in STREAM_CONTESTANTS}


def test_medians() -> None:
    """One slow round does not move the CPU time; a wait, 429s and failures are not hidden."""
    slow = dataclasses.replace(MEASURED, cpu=9.0, refused=1, longest_wait=2.5, failures=2)
    found = median([MEASURED, slow, dataclasses.replace(MEASURED, failures=1)])
    assert (found.cpu, found.refused, found.longest_wait, found.failures) == (1.0, 1, 2.5, 3)


@pytest.mark.parametrize(
    ("ours", "missed"),
    [
        (MEASURED, ""),
        (dataclasses.replace(MEASURED, cpu=1.01), f"{AGENTS} {TEAMS}"),
        (dataclasses.replace(MEASURED, longest_wait=2.01), "wait"),
        (dataclasses.replace(MEASURED, refused=1), "429"),
        (dataclasses.replace(MEASURED, failures=1), "end"),
    ],
)
def test_goals(ours: StreamsMeasurement, missed: str) -> None:
    """A part costs no more than an SDK's, and no text waits for more than 2 s or gets 429."""
    text = " ".join(goal.text for goal in streams_goals(summaries(ours)) if not goal.reached)
    assert all(word in text for word in missed.split())
    assert bool(text) == bool(missed)


def test_reports() -> None:
    """The table has a row for each bot; JSON has every figure."""
    found = summaries(MEASURED)
    text = streams_report.as_markdown(found, streams_goals(found), FACTS)
    assert f"| {TEAMS} | 1.00 | 0.50 | 20.0 | 14.0 | 0 | 3 | 1.90 | 0 |" in text
    data = streams_report.as_json(found, streams_goals(found), FACTS)
    assert len(json.loads(json.dumps(data))["contestants"]) == len(STREAM_CONTESTANTS)
