"""Progress: what a running command shows; for people, for pipelines, and as a script."""

from typing import Protocol

from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.step import Finding, Plan


class Progress(Protocol):
    """The events of a run, as they happen."""

    def begin(self, plan: Plan) -> None:
        """The run starts."""
        ...

    def step(self, title: str) -> None:
        """A step starts."""
        ...

    def found(self, finding: Finding) -> None:
        """The step has looked."""
        ...

    def ask(self, question: str) -> None:
        """In a dry run: the question that would be asked now."""
        ...

    def plan(self, change: Change) -> None:
        """This will be sent next; in a dry run, it would be."""
        ...

    def sent(self, change: Change) -> None:
        """It was sent, and answered."""
        ...

    def lost(self, change: Change, reason: str) -> None:
        """It was sent, but its outcome is not known, or it was refused for now."""
        ...

    def wait(self, finding: Finding, seconds: float) -> None:
        """Nothing can be sent: the step looks again after so many seconds."""
        ...

    def end(self, plan: Plan, result: str, reason: str, way_back: str) -> None:
        """The run ends.

        Args:
            plan: the plan.
            result: "done", "planned", "waiting", "refused", "declined" or "failed".
            reason: why it is not "done" or "planned"; else empty.
            way_back: what undoes the run; empty: nothing is to be undone.
        """
        ...

    def stopped(self, reason: str, again: str) -> None:
        """An error or Ctrl-C ended the run.

        Args:
            reason: what ended it.
            again: the command line that goes on; empty: running it again does not help.
        """
        ...
