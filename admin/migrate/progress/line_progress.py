"""LineProgress: a run, line by line; in colour on a terminal."""

from rich.console import Console
from rich.status import Status
from rich.text import Text

from admin.migrate.change import Change
from admin.migrate.step import Finding, Plan

_STYLES = {
    "found": "green",
    "plan": "cyan",
    "sent": "bold green",
    "look": "yellow",
    "wait": "yellow",
    "note": "magenta",
    "refused": "bold red",
    "declined": "yellow",
    "waiting": "bold yellow",
    "failed": "bold red",
    "done": "bold green",
}


class LineProgress:
    """Prints a run. On a terminal, a wait is one line that changes.

    Args:
        console: standard output.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._last = ""

    def begin(self, plan: Plan) -> None:
        """Print the plan's notes."""
        for note in plan.notes:
            self._line("note", note)

    def step(self, title: str) -> None:
        """Print the title."""
        self._clear()
        self._last = ""
        self._console.print(Text(title, style="bold"), soft_wrap=True)

    def found(self, finding: Finding) -> None:
        """Print what was found, once."""
        if finding.question:
            self._clear()  # the terminal is needed for the answer
        if finding.text != self._last:
            self._clear()
            if not finding.refusal_says_it:
                self._line("found", finding.text)
            for note in finding.notes:
                self._line("note", note)
        self._last = finding.text

    def ask(self, question: str) -> None:
        """Print the question."""
        self._line("ask", question)

    def plan(self, change: Change) -> None:
        """Print the call."""
        self._clear()
        self._line("plan", change.summary)
        self._line("", f"{change.method} {change.url}")

    def sent(self, change: Change) -> None:
        """Print that it was answered."""
        self._line("sent", change.summary)

    def lost(self, change: Change, reason: str) -> None:
        """Print why the step looks again."""
        self._line("look", f"{reason} Checking whether it was done.")

    def wait(self, finding: Finding, seconds: float) -> None:
        """Show that the command waits."""
        if not self._console.is_terminal:
            return
        text = Text(f"  wait     {finding.text}")  # a str would be read as markup
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)

    def end(self, plan: Plan, result: str, reason: str) -> None:
        """Print the result, the way back and the next command."""
        self._clear()
        if result == "done":
            self._line("done", self._last)
        else:
            self._line(result, reason)
        if plan.way_back:
            self._console.print(f"Way back: {plan.way_back}", soft_wrap=True)
        if result == "done" and plan.next_command:
            self._console.print(f"Next: {plan.next_command}", soft_wrap=True)

    def stopped(self, reason: str, again: str) -> None:
        """Stop the line that changes."""
        self._clear()

    def _clear(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _line(self, word: str, text: str) -> None:
        indented = text.replace("\n", f"\n{' ' * 11}")
        line = Text.assemble("  ", (f"{word:9}", _STYLES.get(word, "")), indented)
        self._console.print(line, soft_wrap=True)
