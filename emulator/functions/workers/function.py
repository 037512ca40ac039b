"""Function: one function of an app, as its worker indexes it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emulator.functions.errors import FunctionError
from emulator.functions.workers.protocol import TypedData

SETTING = re.compile(r"%([^%]+)%")


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

    def resolved(self, field: str, environ: Mapping[str, str]) -> str:
        """A field of the trigger, with each `%SETTING%` replaced by its value.

        Raises:
            FunctionError: a setting is missing.
        """

        def value(found: re.Match[str]) -> str:
            if found[1] not in environ:
                raise FunctionError(f"its {field} names the setting {found[1]}, which is missing.")
            return environ[found[1]]

        return SETTING.sub(value, self.trigger[field])


InvokeFunction = Callable[[Function, TypedData, Mapping[str, TypedData]], Awaitable[object]]
"""Runs a function on what its trigger received and its metadata; raises InvocationError."""
