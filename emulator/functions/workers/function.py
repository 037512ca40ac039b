"""Function: one function of an app, as its worker indexes it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Function:
    """One indexed function.

    Attributes:
        id: GUID, derived from the name.
        name: the function's name in the app.
        bindings: the function.json form of each binding (`type`, `direction`, `name`, ...).
    """

    id: str
    name: str
    bindings: tuple[dict[str, Any], ...]

    @cached_property
    def trigger(self) -> dict[str, Any]:
        """The binding that starts the function; its `type` is httpTrigger, queueTrigger, ..."""
        return next(each for each in self.bindings if each["type"].endswith("Trigger"))
