"""Goals: this project's performance goals, as ratios within one comparison."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.contestant import (
    AGENTS,
    BOTBUILDER,
    FROM_FILE,
    FUNCTIONS_HOST,
    ONE_TOKEN,
    OWN_HOST,
    PROJECT,
)
from benchmarks.results.measurement import Cell
from benchmarks.results.summary import Summaries, Summary
from bot_workbench.credential_kinds import CERTIFICATE, MANAGED_IDENTITY

MAIN_CELL = Cell(in_flight=16, connector=0, auth=0)


@dataclass(frozen=True)
class Goal:
    """One figure and its goal.

    Attributes:
        text: what the figure is.
        figure: the measured value.
        bound: the goal.
        at_least: `bound` is a minimum; otherwise it is a maximum.
    """

    text: str
    figure: float
    bound: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the figure meets the goal."""
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound


class Goals:
    """All goals, for a comparison of all contestants.

    Args:
        summaries: the comparison's medians.
    """

    def __init__(self, summaries: Summaries) -> None:
        self._summaries = summaries

    def all(self) -> list[Goal]:
        """All goals, in the table's order."""
        return [*self._speed(), *self._distance_from_bare(), *self._cost(), *self._cold_start()]

    def _summary(
        self, name: str, credential: str, host: str = FUNCTIONS_HOST, variant: str = ""
    ) -> Summary:
        wanted = (name, credential, host, variant)
        return next(
            summary
            for each, summary in self._summaries.items()
            if (each.name, each.credential, each.host, each.variant) == wanted
        )

    def _speed(self) -> Iterator[Goal]:
        rivals = (
            (BOTBUILDER, CERTIFICATE, FUNCTIONS_HOST, 100),
            (AGENTS, CERTIFICATE, OWN_HOST, 4),
            (AGENTS, MANAGED_IDENTITY, OWN_HOST, 4),
        )
        for name, credential, host, bound in rivals:
            theirs = self._summary(name, credential, host).cells[MAIN_CELL].turns_per_second
            for variant in ("", ONE_TOKEN):
                ours = self._summary(PROJECT, credential, variant=variant).cells[MAIN_CELL]
                parts = (credential, host, str(MAIN_CELL), variant)
                condition = "; ".join(part for part in parts if part)
                text = f"turns/s as a multiple of {name}'s ({condition})"
                yield Goal(text, ours.turns_per_second / theirs, bound, at_least=True)

    def _distance_from_bare(self) -> Iterator[Goal]:
        bare = self._summary("bare function", MANAGED_IDENTITY).cells
        # With a slow connector the rest of a turn hardly matters: differences are mostly noise.
        bounds = ((0, "", 0.90), (0, ONE_TOKEN, 1.0), (50, "", 0.97), (50, ONE_TOKEN, 0.97))
        for connector, variant, bound in bounds:
            ours = self._summary(PROJECT, MANAGED_IDENTITY, variant=variant).cells
            for in_flight in (1, 16, 64):
                cell = Cell(in_flight, connector, auth=0)
                condition = f"{cell}; {variant or 'a new token in each turn'}"
                text = f"turns/s as a part of the bare function's ({condition})"
                figure = ours[cell].turns_per_second / bare[cell].turns_per_second
                yield Goal(text, figure, bound, at_least=True)

    def _cost(self) -> Iterator[Goal]:
        ours = [cells.cells for each, cells in self._summaries.items() if each.name == PROJECT]
        every = [measurement for cells in ours for measurement in cells.values()]
        worst = max(cells[MAIN_CELL].cpu for cells in ours)
        yield Goal(f"CPU s per 1000 turns, the worst credential ({MAIN_CELL})", worst, 0.45)
        requests = max(each.token_requests for each in every)
        yield Goal("token requests per 1000 warm turns, the worst of all", requests, 0)
        connections = max(each.connections for each in every)
        yield Goal("connections per 1000 warm turns, the worst of all", connections, 5)
        for credential in (CERTIFICATE, MANAGED_IDENTITY):
            ours_peak = self._summary(PROJECT, credential).peak_memory
            theirs_peak = self._summary(BOTBUILDER, credential).peak_memory
            text = f"peak memory as a part of {BOTBUILDER}'s ({credential})"
            yield Goal(text, ours_peak / theirs_peak, 1)

    def _cold_start(self) -> Iterator[Goal]:
        # BotBuilder reads its certificate from a file, not from a vault.
        for credential, variant in ((CERTIFICATE, FROM_FILE), (MANAGED_IDENTITY, "")):
            ours = self._summary(PROJECT, credential, variant=variant).cold_starts
            theirs = self._summary(BOTBUILDER, credential).cold_starts
            kind = f"{credential} {variant}".strip()
            for auth, bound in ((60, 0.6), (0, 1.0)):
                text = f"cold start as a part of {BOTBUILDER}'s ({kind}; auth {auth} ms)"
                yield Goal(text, ours[auth] / theirs[auth], bound)
