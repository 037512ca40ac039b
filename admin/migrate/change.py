"""Change: one call that changes something in Azure, before it is sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from admin.azure.json_object import JsonObject

Service = Literal["arm", "graph", "vault"]

HIDDEN = "<hidden>"
"""Stands for a value that is not printed."""

_VARIABLE = re.compile(r"\$\{?[A-Z][A-Z0-9_]+\}?")
_ANYWHERE = frozenset({"*"})

ALL_VALUES = _ANYWHERE
"""For `Change.hidden`: no value of `properties` is printed."""


@dataclass(frozen=True)
class Change:
    """One call that changes something, as it will be sent.

    Attributes:
        method: the HTTP method, such as "PATCH".
        url: absolute, with the cloud's public host name and the api-version.
        body: as it is sent; None: no body.
        summary: a sentence for the plan, in the imperative: "Add the public key AB12 to the app
            registration".
        az: shell lines that do the same, to be pasted after those of the changes before. A value
            that is known only after an earlier change is a shell variable, assigned by its lines.
        service: which client sends it.
        hidden: the names in body["properties"] (app settings) whose values are not printed;
            ALL_VALUES: none is printed.
    """

    method: str
    url: str
    body: JsonObject | None
    summary: str
    az: tuple[str, ...]
    service: Service = "arm"
    hidden: frozenset[str] = field(default=frozenset())

    @property
    def printable_body(self) -> JsonObject | None:
        """The body without the hidden values: for plans, dry runs, JSON and logs."""
        properties = (self.body or {}).get("properties")
        if not self.hidden or self.body is None or not isinstance(properties, dict):
            return self.body
        every = self.hidden == ALL_VALUES
        shown = {
            name: HIDDEN if every or name in self.hidden else value
            for name, value in properties.items()
        }
        return {**self.body, "properties": shown}

    @property
    def unresolved(self) -> frozenset[str]:
        """Shell variables in the URL and the printed body: such a change cannot be sent yet."""
        texts = [self.url, *_texts(self.printable_body)]
        return frozenset(match.strip("${}") for text in texts for match in _VARIABLE.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
