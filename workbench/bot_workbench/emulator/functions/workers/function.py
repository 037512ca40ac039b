"""Function: one function of an app, as its worker indexes it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bot_workbench.emulator.functions.errors import FunctionError
from bot_workbench.emulator.functions.workers.protocol import TypedData

SETTING = re.compile(r"%([^%]+)%")


def is_trigger(binding: Mapping[str, Any]) -> bool:
    """Whether a binding starts its function; the case of a type does not matter."""
    return str(binding.get("type")).lower().endswith("trigger")


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
        return next(each for each in self.bindings if is_trigger(each))

    @property
    def is_http(self) -> bool:
        """Whether HTTP requests start it."""
        return bool(self.trigger["type"].lower() == "httptrigger")

    @cached_property
    def methods(self) -> frozenset[str]:
        """The methods of an httpTrigger, in upper case; empty: all."""
        return frozenset(method.upper() for method in self.trigger.get("methods") or ())

    @property
    def route(self) -> str:
        """The template of an httpTrigger's route, without host.json's prefix."""
        route = str(self.trigger.get("route") or "")
        return route if route.strip() else self.name

    def is_disabled(self, environ: Mapping[str, str]) -> bool:
        """Whether a setting disables it.

        Source: JobHost's FunctionIndexer of the WebJobs SDK, and "How to disable functions".
        """
        names = (f"AzureWebJobs.{self.name}.Disabled", f"AzureWebJobs_{self.name}_Disabled")
        return any(environ.get(name, "").lower() in ("1", "true") for name in names)

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
