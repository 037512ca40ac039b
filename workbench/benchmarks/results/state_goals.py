"""StateGoals: this project's goals for turns with state, within one comparison."""

from collections.abc import Iterator, Mapping

from benchmarks.contestant import AGENTS, BOTBUILDER, PROJECT
from benchmarks.results.goals import Goal
from benchmarks.state.contestant import (
    AZURITE,
    AZURITE_BY_TOKEN,
    IN_MEMORY,
    INLINE,
    QUEUED,
    STATELESS,
    StateContestant,
)
from benchmarks.state.measurement import BurstFigures, StateMeasurement, TurnFigures

StateSummaries = Mapping[StateContestant, StateMeasurement]


class StateGoals:
    """All goals, for a comparison of all counter bots.

    Args:
        summaries: the comparison's medians.
    """

    def __init__(self, summaries: StateSummaries) -> None:
        self._summaries = summaries

    def all(self) -> list[Goal]:
        """All goals, in the table's order."""
        return [*self._cpu(), *self._turns(), *self._bursts(), *self._speed()]

    def _of(self, storage: str, turns: str, name: str = PROJECT) -> StateMeasurement:
        return next(
            summary
            for each, summary in self._summaries.items()
            if (each.bot.name, each.storage, each.turns) == (name, storage, turns)
        )

    def _single(self, turns: str) -> TurnFigures:
        found = self._of(AZURITE, turns).turns
        assert found is not None
        return found

    def _cpu(self) -> Iterator[Goal]:
        stateless = self._of(AZURITE_BY_TOKEN, STATELESS).load.cpu
        for turns, bound in ((INLINE, 1.1), (QUEUED, 3.0)):
            text = f"CPU ms of a turn beyond the stateless turn's ({turns}; {AZURITE_BY_TOKEN})"
            yield Goal(text, self._of(AZURITE_BY_TOKEN, turns).load.cpu - stateless, bound)
        ours = self._of(AZURITE, INLINE).load.cpu
        for name in (BOTBUILDER, AGENTS):
            text = f"CPU of {name}'s turn as a multiple of ours ({INLINE}; {AZURITE})"
            theirs = self._of(AZURITE, "", name).load.cpu
            yield Goal(text, theirs / ours, 5, at_least=True)

    def _turns(self) -> Iterator[Goal]:
        inline, queued = self._single(INLINE), self._single(QUEUED)
        yield Goal(f"ms to the reply, storage 20 ms ({INLINE})", inline.reply[20], 26)
        text = f"ms from the wake-up message's delivery to the reply, storage 20 ms ({QUEUED})"
        yield Goal(text, queued.reply_after_delivery[20], 75)
        yield Goal(f"round trips before the reply ({INLINE})", inline.trips_before_reply, 1)
        text = f"round trips from the wake-up message's delivery to the reply ({QUEUED})"
        yield Goal(text, queued.trips_after_delivery, 3)
        text = f"round trips before the HTTP response ({QUEUED})"
        yield Goal(text, queued.trips_before_answer, 1)
        yield Goal(f"storage requests per turn ({QUEUED})", queued.requests, 9)

    def _bursts(self) -> Iterator[Goal]:
        bursts: list[BurstFigures] = [
            summary.burst
            for each, summary in self._summaries.items()
            if each.bot.name == PROJECT and summary.burst is not None
        ]
        counted = min(each.counted for each in bursts)
        text = "of 16 messages at once, those that the count has, the worst of all"
        yield Goal(text, counted, 16, at_least=True)
        errors = max(each.errors for each in bursts)
        yield Goal("apologies and refused messages of these, the worst of all", errors, 0)

    def _speed(self) -> Iterator[Goal]:
        for turns, bound in ((INLINE, 500), (QUEUED, 250)):
            text = f"turns/s on one core ({turns}; {IN_MEMORY})"
            figure = self._of(IN_MEMORY, turns).load.turns_per_second
            yield Goal(text, figure, bound, at_least=True)
