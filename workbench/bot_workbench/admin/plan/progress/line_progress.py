"""LineProgress: a run, line by line; in colour on a terminal."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from bot_workbench.admin.console import shown, shown_lines, styled
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.step import Finding, Plan

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
    """Prints a run. On a terminal, a wait is a progress bar that says what the command waits for.

    The bar counts the steps that are done: how long Azure takes is not known.

    Args:
        console: standard output.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar | None = None
        self._steps = 0
        self._done = -1
        self._last = ""

    def begin(self, plan: Plan) -> None:
        """Print the plan's notes."""
        self._steps = len(plan.steps)
        for note in plan.notes:
            self._line("note", note)

    def step(self, title: str) -> None:
        """Print the title."""
        self._clear()
        self._last = ""
        self._done += 1
        self._console.print(Text(shown_lines(title), style="bold"), soft_wrap=True)

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
        if self._bar is None:
            self._bar = self._new_bar()
            self._bar.start()
            self._bar.add_task("", total=self._steps, completed=self._done)
        for task in self._bar.task_ids:
            self._bar.update(task, description=shown(finding.text))

    def end(self, plan: Plan, result: str, reason: str, way_back: str) -> None:
        """Print the result, the way back and the next command."""
        self._clear()
        if reason or self._last:
            self._line(result, reason or self._last)
        if way_back:
            self._console.print(styled(f"Way back: {way_back}"), soft_wrap=True)
        if result == "done" and plan.next_command:
            self._console.print(styled(f"Next: {plan.next_command}"), soft_wrap=True)

    def stopped(self, reason: str, again: str) -> None:
        """Stop the bar."""
        self._clear()

    def _new_bar(self) -> Bar:
        return Bar(
            SpinnerColumn(),
            # A column of its own, which wraps: by default, a long text would hide the bar.
            TextColumn("wait     {task.description}", markup=False, table_column=Column()),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _line(self, word: str, text: str) -> None:
        indented = shown_lines(text).replace("\n", f"\n{' ' * 11}")
        line = Text.assemble("  ", (f"{word:9}", _STYLES.get(word, "")), indented)
        self._console.print(line, soft_wrap=True)
