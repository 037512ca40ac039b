"""Change: one call that changes something in Azure, before it is sent."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.plan.shell import VARIABLE

Service = Literal["arm", "graph", "vault", "file"]

HIDDEN = "<hidden>"
"""Stands for a value that is not printed."""

ALL_VALUES = frozenset({"*"})
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
        service: which client sends it; "file": it changes a file here, and `send` does it.
        hidden: the names in the body and in body["properties"] (app settings) whose values are not
            printed; ALL_VALUES: no value of `properties` is printed.
        done_codes: error codes of an answer that means "it is so already", such as
            "InvalidFederatedIdentityCredentialValue": the step looks again.
        send: does the change in place of the client.
    """

    method: str
    url: str
    body: JsonObject | None
    summary: str
    az: tuple[str, ...]
    service: Service = "arm"
    hidden: frozenset[str] = frozenset()
    done_codes: frozenset[str] = frozenset()
    send: Callable[[], object] | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """The key by which two changes are the same: method, URL and summary."""
        return self.method, self.url, self.summary

    @property
    def printable_body(self) -> JsonObject | None:
        """The body without the hidden values: for plans, dry runs, JSON and logs."""
        if not self.hidden or self.body is None:
            return self.body
        shown = _without(self.body, self.hidden - ALL_VALUES)
        properties = self.body.get("properties")
        if isinstance(properties, dict):
            every = self.hidden >= ALL_VALUES
            shown["properties"] = _without(properties, properties if every else self.hidden)
        return shown

    @property
    def unresolved(self) -> frozenset[str]:
        """VARIABLES in the URL and the printed body: such a change cannot be sent yet."""
        body = json.dumps(self.printable_body, ensure_ascii=False)
        return frozenset(VARIABLE.findall(f"{self.url}\n{body}"))


def _without(values: JsonObject, hidden: Collection[str]) -> JsonObject:
    return {name: HIDDEN if name in hidden else value for name, value in values.items()}
