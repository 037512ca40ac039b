"""Route: which requests an HTTP-triggered function takes."""

from collections.abc import Mapping

from bot_workbench.emulator.functions.errors import HostError
from bot_workbench.emulator.functions.route_template import RouteTemplate
from bot_workbench.emulator.functions.workers.function import Function

ANONYMOUS, FUNCTION, ADMIN = "anonymous", "function", "admin"
"""The levels of authorization: no key, a function's or the host's key, the master key."""


class Route:
    """The requests that one HTTP-triggered function takes, and the binding that holds its answer.

    Args:
        function: one with an httpTrigger.
        prefix: host.json's routePrefix.

    Raises:
        HostError: the route's template is invalid.
    """

    def __init__(self, function: Function, prefix: str) -> None:
        trigger = function.trigger
        self.function = function
        self.level = trigger.get("authLevel", FUNCTION).lower()
        """ANONYMOUS, FUNCTION or ADMIN."""
        self.output = next(
            (each["name"] for each in function.bindings if each["type"] == "http"), "$return"
        )
        template = f"{prefix}/{function.route}" if prefix else function.route
        try:
            self._template = RouteTemplate(template)
        except ValueError as error:
            raise HostError(
                f"Function {function.name}: its route template '{template}' is invalid: {error}"
            ) from error

    def params(self, method: str, path: str) -> Mapping[str, str] | None:
        """The route's parameters in a decoded path, absent ones left out; None: no match."""
        methods = self.function.methods
        return self._template.values(path) if not methods or method in methods else None
