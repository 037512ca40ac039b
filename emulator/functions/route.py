"""Route: which requests an HTTP-triggered function takes."""

import re
from collections.abc import Mapping

from emulator.functions.errors import HostError
from emulator.functions.workers.function import Function

PARAMETER = re.compile(
    r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\??)\}"
)
PIECE = re.compile(r"\{[^}]*\}?|[^{]+")
"""A parameter, or the text between two."""

OPTIONAL = {"*", "?"}
"""What marks a parameter that may be absent."""

CONSTRAINTS = {
    None: r"[^/]+",
    "alpha": r"[A-Za-z]+",
    "bool": r"true|false",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
}
"""What one segment of a path must be, by the route constraint's name (ASP.NET Core routing)."""


class Route:
    """The requests that one HTTP-triggered function takes, and the binding that holds its answer.

    Args:
        function: one with an httpTrigger.
        prefix: host.json's routePrefix.

    Raises:
        HostError: the route has a form that this host does not know.
    """

    def __init__(self, function: Function, prefix: str) -> None:
        trigger = function.trigger
        self.function = function
        self.methods = frozenset(method.upper() for method in trigger.get("methods") or ())
        """In upper case; empty takes every method."""
        self.needs_key = trigger.get("authLevel", "function").lower() != "anonymous"
        self.output = next(
            (each["name"] for each in function.bindings if each["type"] == "http"), "$return"
        )
        template = "/".join((prefix, trigger.get("route") or function.name))
        self._names: list[str] = []
        pattern = "".join(self._segment(part) for part in template.split("/") if part)
        # ASP.NET Core ignores the case of literals, and a slash at the end.
        self._pattern = re.compile(pattern + "/?", re.IGNORECASE)

    def _segment(self, part: str) -> str:
        form = PARAMETER.fullmatch(part)
        if form is not None:
            segment = f"/{self._value(part)}"
            return f"(?:{segment})?" if form["optional"] or form["rest"] else segment
        # Text and parameters in one segment, such as {name}.png.
        if OPTIONAL & set(part):
            raise self._unknown(part)
        pieces = (
            self._value(piece) if piece.startswith("{") else re.escape(piece)
            for piece in PIECE.findall(part)
        )
        return "/" + "".join(pieces)

    def _value(self, piece: str) -> str:
        form = PARAMETER.fullmatch(piece)
        if form is None or form["constraint"] not in CONSTRAINTS:
            raise self._unknown(piece)
        self._names.append(form["name"])
        return f"({'.*' if form['rest'] else CONSTRAINTS[form['constraint']]})"

    def _unknown(self, part: str) -> HostError:
        return HostError(
            f"Function {self.function.name}: the route's part '{part}' is not known to this host."
            " It knows {name}, {name?}, {*name}, text{name}text, {name:constraint} with the"
            f" constraints {', '.join(filter(None, CONSTRAINTS))}."
        )

    def params(self, method: str, path: str) -> Mapping[str, str] | None:
        """The route's parameters in a decoded path, absent ones left out; None: no match."""
        match = self._pattern.fullmatch(path)
        if match is None or (self.methods and method not in self.methods):
            return None
        values = zip(self._names, match.groups(), strict=True)
        return {name: value for name, value in values if value}
