"""Plan: the steps of a command; a step finds what is missing, and the calls that change it."""

import json
import math
from collections.abc import Callable, Collection, Sequence
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


@dataclass(frozen=True)
class Finding:
    """A step's findings.

    Attributes:
        text: what is so now: "the app registration already has this certificate".
        changes: the calls that are missing, in their order; empty: there is nothing to send.
        waiting: it is not so yet, and there is nothing to send: look again later (Entra has not
            accepted the certificate, the restart is not over).
        seconds: if waiting: when to look again at the latest, because it is so then.
        az: if waiting: shell lines that wait for the same, for a dry run.
        refusal: the step refuses, for this reason and with this cure: the command stops with
            ExitStatus.FOUND, and sends nothing more.
        notes: what the reader should know besides, such as warnings; a line each.
        question: what the user must confirm right before these changes are sent, naming what is
            lost; `--yes` answers it. After the answer, the step looks again.
    """

    text: str
    changes: tuple[Change, ...] = ()
    waiting: bool = False
    seconds: float = math.inf
    az: tuple[str, ...] = ()
    refusal: str = ""
    notes: tuple[str, ...] = ()
    question: str = ""

    @property
    def refusal_says_it(self) -> bool:
        """Whether the refusal repeats the text, so that only the refusal is shown."""
        return self.text in self.refusal


@dataclass(frozen=True)
class Step:
    """One thing that must be so.

    Attributes:
        title: what must be so, as a noun or a sentence for the plan: "Endpoint of the Azure Bot".
        look: reads how things stand. It changes nothing, and may be called any number of times.
            Before its first changes are sent, and in a dry run, earlier steps may not be done yet.
            It raises AzureProblem if something that it needs cannot be read.
    """

    title: str
    look: Callable[[], Finding]


@dataclass(frozen=True)
class Plan:
    """The steps of a command, and what to print around them.

    Attributes:
        steps: in their order.
        way_back: the command line that undoes this one, or a sentence why nothing does; empty:
            nothing is shown. It is asked at the end of the run, with False if the run was refused
            before it has sent anything, and may raise AzureProblem.
        next_command: the command line to paste after this one; empty: nothing is left to do.
        notes: what to print before the steps, a line each.
    """

    steps: Sequence[Step]
    way_back: Callable[[bool], str] = lambda _: ""
    next_command: str = ""
    notes: tuple[str, ...] = ()


def unless_refused(text: str) -> Callable[[bool], str]:
    """The way back of a plan that is known before the run. A run that is refused before it has sent
    anything must not name a command that undoes somebody else's work."""
    return lambda has_run: text if has_run else ""
