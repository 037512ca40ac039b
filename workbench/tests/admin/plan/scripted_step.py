"""ScriptedStep: a step that finds what a test has written down."""

from collections import deque
from collections.abc import Callable, Sequence

from bot_workbench.admin.plan.step import Change, Finding, Step


class ScriptedStep:
    """Gives its findings one after the other; the last one stays.

    Args:
        findings: what the looks find.
        title: the step's title.
    """

    def __init__(self, *findings: Finding, title: str = "A step") -> None:
        self.title = title
        self.looks = 0
        self._findings = deque(findings)

    def look(self) -> Finding:
        """The next finding."""
        self.looks += 1
        return self._findings.popleft() if len(self._findings) > 1 else self._findings[0]


def scripted(steps: Sequence[ScriptedStep]) -> list[Step]:
    """The steps of a plan."""
    return [Step(each.title, each.look) for each in steps]


def change(
    send: Callable[[], object], summary: str = "Change it", url: str = "https://graph/x"
) -> Change:
    """A change that calls `send`."""
    return Change("PATCH", url, {"a": 1}, summary, ("az x",), "graph", send=send)
