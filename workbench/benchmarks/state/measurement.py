"""StateMeasurement: the figures of one counter bot in one round, and their medians."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.state.single_turn import SingleTurn

LATENCIES = (0, 5, 20)
"""Milliseconds by which the proxy delays each request to storage."""


@dataclass(frozen=True)
class LoadFigures:
    """Several conversations at once, storage without a delay.

    Attributes:
        turns_per_second: turns whose response and reply both arrived.
        cpu: milliseconds of CPU time per turn, of the bot's processes with their host.
        failures: turns without a count in the reply.
    """

    turns_per_second: float
    cpu: float
    failures: float


@dataclass(frozen=True)
class BurstFigures:
    """16 messages at once in one conversation.

    Attributes:
        counted: by how much the count rose.
        errors: apologies, and messages that were refused or had no reply.
    """

    counted: float
    errors: float


@dataclass(frozen=True)
class TurnFigures:
    """One turn at a time. Each figure is that of SingleTurn; times by LATENCIES.

    `requests` and `dollars` are means, because not every turn has the same requests. Round trips
    are counted at the longest latency, where no call ends early enough to look as if the next one
    had waited for it.
    """

    requests: float
    dollars: float
    reply: Mapping[int, float]
    answer: Mapping[int, float]
    reply_after_delivery: Mapping[int, float]
    trips_before_reply: float
    trips_before_answer: float
    trips_after_delivery: float

    @classmethod
    def of(cls, turns: Mapping[int, Sequence[SingleTurn]]) -> "TurnFigures":
        """The figures of turns by latency."""
        every = [turn for latency in turns.values() for turn in latency]

        def middle(figure: Callable[[SingleTurn], float]) -> dict[int, float]:
            return {latency: statistics.median(map(figure, turns[latency])) for latency in turns}

        slow = max(turns)
        return cls(
            statistics.fmean(turn.requests for turn in every),
            statistics.fmean(turn.dollars for turn in every),
            middle(lambda turn: turn.reply),
            middle(lambda turn: turn.answer),
            middle(lambda turn: turn.reply_after_delivery),
            middle(lambda turn: turn.trips_before_reply)[slow],
            middle(lambda turn: turn.trips_before_answer)[slow],
            middle(lambda turn: turn.trips_after_delivery)[slow],
        )


@dataclass(frozen=True)
class StateMeasurement:
    """The figures of a contestant.

    Attributes:
        load: under load.
        turns, burst: of single turns, and of messages at once; None: not measured there.
    """

    load: LoadFigures
    turns: TurnFigures | None = None
    burst: BurstFigures | None = None


def median(rounds: Sequence[StateMeasurement]) -> StateMeasurement:
    """The median of each figure; for `failures` the sum, for a burst the worst."""
    loads = [each.load for each in rounds]
    turns = [each.turns for each in rounds if each.turns is not None]
    bursts = [each.burst for each in rounds if each.burst is not None]
    return StateMeasurement(
        LoadFigures(
            statistics.median(each.turns_per_second for each in loads),
            statistics.median(each.cpu for each in loads),
            sum(each.failures for each in loads),
        ),
        _median_turns(turns) if turns else None,
        BurstFigures(min(each.counted for each in bursts), max(each.errors for each in bursts))
        if bursts
        else None,
    )


def _median_turns(rounds: Sequence[TurnFigures]) -> TurnFigures:
    def middle(figure: Callable[[TurnFigures], float]) -> float:
        return statistics.median(map(figure, rounds))

    def by_latency(times: Callable[[TurnFigures], Mapping[int, float]]) -> dict[int, float]:
        latencies = times(rounds[0])
        return {key: statistics.median(times(each)[key] for each in rounds) for key in latencies}

    return TurnFigures(
        middle(lambda each: each.requests),
        middle(lambda each: each.dollars),
        by_latency(lambda each: each.reply),
        by_latency(lambda each: each.answer),
        by_latency(lambda each: each.reply_after_delivery),
        middle(lambda each: each.trips_before_reply),
        middle(lambda each: each.trips_before_answer),
        middle(lambda each: each.trips_after_delivery),
    )
