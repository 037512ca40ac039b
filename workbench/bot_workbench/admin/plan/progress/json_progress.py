"""JsonProgress: a run as one JSON object, printed at its end."""

from typing import Any

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.console import write_json
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.step import Finding, Plan


def change_json(change: Change, *, sent: bool) -> JsonObject:
    """A change without hidden values."""
    return {
        "summary": change.summary,
        "method": change.method,
        "url": change.url,
        "body": change.printable_body,
        "az": list(change.az),
        "sent": sent,
    }


class JsonProgress:
    """Collects a run.

    Args:
        options: the command line.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._steps: list[dict[str, Any]] = []
        self._notes: tuple[str, ...] = ()

    def begin(self, plan: Plan) -> None:
        """Keep the plan's notes."""
        self._notes = plan.notes

    def step(self, title: str) -> None:
        """Add a step."""
        self._steps.append({"title": title, "found": [], "notes": [], "changes": []})

    def found(self, finding: Finding) -> None:
        """Add what was found, once."""
        step = self._steps[-1]
        if step["found"][-1:] != [finding.text]:
            step["found"].append(finding.text)
        step["notes"] += [note for note in finding.notes if note not in step["notes"]]

    def ask(self, question: str) -> None:
        """Add the question."""
        self._steps[-1]["question"] = question

    def plan(self, change: Change) -> None:
        """Add a change that is not sent yet."""
        self._steps[-1]["changes"].append(change_json(change, sent=False))

    def sent(self, change: Change) -> None:
        """Mark the last change as sent."""
        self._steps[-1]["changes"][-1]["sent"] = True

    def lost(self, change: Change, reason: str) -> None:
        """Say why the last change is not known to be done."""
        self._steps[-1]["changes"][-1]["problem"] = reason

    def wait(self, finding: Finding, seconds: float) -> None:
        """Add nothing."""

    def end(self, plan: Plan, result: str, reason: str, way_back: str) -> None:
        """Print the object."""
        self._print(result, reason, way_back, plan.next_command if result == "done" else "")

    def stopped(self, reason: str, again: str) -> None:
        """Print the object of a run that an error or Ctrl-C ended."""
        self._print("failed", reason, "", again)

    def _print(self, result: str, reason: str, way_back: str, next_command: str) -> None:
        found = {
            "command": self._options.command,
            "bot": self._options.bot,
            "dryRun": self._options.dry_run,
            "result": result,
            "reason": reason or None,
            "notes": list(self._notes),
            "steps": self._steps,
            "wayBack": way_back or None,
            "next": next_command or None,
        }
        write_json(found)
