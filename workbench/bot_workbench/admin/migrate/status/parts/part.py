"""Part: something that a status shows, or why it could not be read."""

from collections.abc import Callable
from dataclasses import dataclass

from bot_workbench.admin.azure.errors import AzureProblem


@dataclass(frozen=True)
class Part[Value]:
    """Something that was read.

    Attributes:
        value: what was read; None if it could not be.
        problem: why not, with what to do; empty if it was read.
    """

    value: Value | None
    problem: str = ""


def read[Value](reader: Callable[[], Value]) -> Part[Value]:
    """Read a part; a part that cannot be read does not hide the others."""
    try:
        return Part(reader())
    except AzureProblem as error:
        return Part(None, str(error))
