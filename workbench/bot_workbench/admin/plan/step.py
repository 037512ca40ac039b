"""Step: one thing that must be so at the end of a command, and what is missing for it now."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot_workbench.admin.plan.change import Change


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
