"""ScriptProgress: a dry run, as a bash script to read and to paste."""

import json

from bot_workbench.admin.console import shown, write
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding, Plan


class ScriptProgress:
    """Prints a script that does what the command would do.

    Args:
        options: the command line.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._is_open = False

    def begin(self, plan: Plan) -> None:
        """Open a subshell: a failure ends the script, and not the reader's shell."""
        write(f"# {self._options.command_line()} would do this; nothing has been changed.")
        for note in plan.notes:
            _comment(note)
        write("(\nset -euo pipefail")
        self._is_open = True

    def step(self, title: str) -> None:
        """Print the title."""
        write()
        _comment(title)

    def found(self, finding: Finding) -> None:
        """Print what was found."""
        if not finding.refusal_says_it:
            _comment(f"found: {finding.text}")
        for note in finding.notes:
            _comment(f"note: {note}")

    def ask(self, question: str) -> None:
        """Print lines that ask."""
        asked = quoted(f"{question} [y/N] ")
        write(f'read -r -p {asked} answer; [ "$answer" = y ] || exit 1')

    def plan(self, change: Change) -> None:
        """Print the call as a comment, then its shell lines."""
        _comment(change.summary)
        _comment(f"{change.method} {change.url}")
        if change.body is not None:
            _comment(json.dumps(change.printable_body, indent=2))
        for line in change.az:
            write(line)

    def sent(self, change: Change) -> None:
        """Nothing is sent in a dry run."""

    def lost(self, change: Change, reason: str) -> None:
        """Nothing is lost in a dry run."""

    def wait(self, finding: Finding, seconds: float) -> None:
        """Print the lines that wait."""
        for line in finding.az:
            write(line)

    def end(self, plan: Plan, result: str, reason: str, way_back: str) -> None:
        """Close the subshell.

        Nothing is printed after it: when the script is pasted, `read` would take the next line as
        the answer to its question.
        """
        write()
        if way_back:
            _comment(f"Way back: {way_back}")
        if result == "refused":
            _comment(f"refused: {reason}")
            write("false")
        elif plan.next_command:
            _comment(f"Next: {plan.next_command}")
        write(")")

    def stopped(self, reason: str, again: str) -> None:
        """Close the subshell, so that nobody pastes half of it."""
        if self._is_open:
            write("false\n)")


def _comment(text: str) -> None:
    for line in text.split("\n"):
        write(shown(f"# {line}"))
