"""The outcome of a scenario: its figures, those that are demands, and the table of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Figure(NamedTuple):
    """A number, and what it must be.

    Attributes:
        value: the number.
        lowest, highest: what it must be at least and at most; None: there is no such demand.
    """

    value: float
    lowest: float | None = None
    highest: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether it is what it must be."""
        return (self.lowest is None or self.value >= self.lowest) and (
            self.highest is None or self.value <= self.highest
        )

    @property
    def shown(self) -> str:
        """The number for the table, with its demand if it misses that."""
        number = f"{self.value:,.1f}" if isinstance(self.value, float) else f"{self.value:,}"
        if self.is_met:
            return number
        bounds = {"at least": self.lowest, "at most": self.highest}
        if self.lowest == self.highest:
            bounds = {"exactly": self.lowest}
        wanted = ", ".join(f"{word} {bound}" for word, bound in bounds.items() if bound is not None)
        return f"**{number}** ({wanted})"


def exactly(value: float, wanted: float) -> Figure:
    """A number that must be this one."""
    return Figure(value, wanted, wanted)


def at_least(value: float, lowest: float) -> Figure:
    """A number that must not be lower."""
    return Figure(value, lowest=lowest)


def at_most(value: float, highest: float) -> Figure:
    """A number that must not be higher."""
    return Figure(value, highest=highest)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a scenario.

    Attributes:
        scenario: its name.
        figures: by what they count.
        fault: why there are none; empty: there are some.
    """

    scenario: str
    figures: Mapping[str, Figure]
    fault: str = ""

    @property
    def missed(self) -> Iterator[str]:
        """A line for each demand that is not met."""
        if self.fault:
            yield f"{self.scenario}: {self.fault}"
        for name, figure in self.figures.items():
            if not figure.is_met:
                yield f"{self.scenario}: {name}: {figure.shown}"


def table_of(outcomes: Sequence[Outcome]) -> str:
    """The figures in Markdown, a column for each scenario; demands that are missed are bold."""
    names = dict.fromkeys(name for each in outcomes for name in each.figures)
    rows = [
        [name, *(each.figures[name].shown if name in each.figures else "" for each in outcomes)]
        for name in names
    ]
    head = ["", *(each.scenario for each in outcomes)]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
