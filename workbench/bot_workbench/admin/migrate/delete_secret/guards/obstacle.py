"""Obstacle: why a bot's secret must not be deleted now."""

from collections.abc import Callable
from dataclasses import dataclass

from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence


@dataclass(frozen=True)
class Obstacle:
    """A reason, and what removes it; a line each.

    Attributes:
        reason: what was found.
        cure: what to do.
    """

    reason: str
    cure: str

    def __str__(self) -> str:
        return f"{self.reason}.\n{self.cure}."


Guard = Callable[[Evidence], Obstacle | None]
"""Finds one kind of obstacle; None: there is none."""


def first_obstacle(guards: tuple[Guard, ...], evidence: Evidence) -> Obstacle | None:
    """The first obstacle that the guards find, in their order; None: there is none.

    Raises:
        AzureProblem: something cannot be read. Then nothing may be deleted either.
    """
    for guard in guards:
        obstacle = guard(evidence)
        if obstacle is not None:
            return obstacle
    return None
