"""A run's output: lines for people, a bash script for a dry run, or one JSON object.

The runner says what happens, as events; each format makes of them what its reader needs.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from bot_workbench.admin import console
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.console import shown, shown_lines, styled, write, write_json
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Change, Finding, Plan

Result = Literal["done", "planned", "waiting", "refused", "declined", "failed"]
Kind = Literal["begin", "step", "found", "ask", "plan", "sent", "look", "wait", "stopped"]

ENDS = {"stopped", *get_args(Result)}
"""The kinds of a run's last event."""

_NO_FINDING, _NO_CHANGE, _NO_PLAN = Finding(""), Change("", "", None, "", ()), Plan(())


@dataclass(frozen=True)
class Event:
    """Something that happens in a run.

    Attributes:
        kind: "begin": the run of `plan` starts; "step": a step with the title `text` starts;
            "found": it has looked, and has the `finding`; "ask": in a dry run, `text` would be
            asked now; "plan": the `change` will be sent next, or would be in a dry run; "sent": it
            was sent, and answered; "look": it was sent, and because of `text` the step must look
            whether it was done; "wait": nothing can be sent before another look; "stopped": an
            error or Ctrl-C ended the run; a result: the run has come to this end.
        text: see above; of an end: the reason, or empty if there is nothing to explain.
        finding: of the last look.
        change: one of its changes.
        plan: the plan.
        way_back: of an end: what undoes the run; empty: nothing is to be undone.
        next_command: of an end: the command line to paste after this one; after "stopped", the one
            that goes on; empty: there is none.
    """

    kind: Kind | Result
    text: str = ""
    finding: Finding = _NO_FINDING
    change: Change = _NO_CHANGE
    plan: Plan = _NO_PLAN
    way_back: str = ""
    next_command: str = ""


Show = Callable[[Event], None]


def output(options: Options) -> Show:
    """The format that a command line asks for: it is called with each event."""
    if not options.as_json and not options.dry_run:
        return Lines(console.output).show
    events: list[Event] = []

    def show(event: Event) -> None:
        events.append(event)
        if not options.as_json:
            for line in script_lines(options, events):
                write(line)
        elif event.kind in ENDS:
            write_json(run_json(options, events))

    return show


def run_json(options: Options, events: Sequence[Event]) -> JsonObject:
    """A run as one JSON object, without hidden values.

    Args:
        options: the command line.
        events: all of them.
    """
    steps: list[dict[str, Any]] = []
    for event in events:
        step, finding, change = steps[-1] if steps else {}, event.finding, event.change
        match event.kind:
            case "step":
                steps.append({"title": event.text, "found": [], "notes": [], "changes": []})
            case "found":
                step["found"] += [finding.text] if step["found"][-1:] != [finding.text] else []
                step["notes"] += [note for note in finding.notes if note not in step["notes"]]
            case "ask":
                step["question"] = event.text
            case "plan":
                planned = {
                    "summary": change.summary,
                    "method": change.method,
                    "url": change.url,
                    "body": change.printable_body,
                    "az": list(change.az),
                    "sent": False,
                }
                step["changes"].append(planned)
            case "sent":
                step["changes"][-1]["sent"] = True
            case "look":
                step["changes"][-1]["problem"] = event.text
    end = events[-1]
    return {
        "command": options.command,
        "bot": options.bot,
        "dryRun": options.dry_run,
        "result": "failed" if end.kind == "stopped" else end.kind,
        "reason": end.text or None,
        "notes": list(events[0].plan.notes),
        "steps": steps,
        "wayBack": end.way_back or None,
        "next": (end.kind in {"done", "stopped"} and end.next_command) or None,
    }


def script_lines(options: Options, events: Sequence[Event]) -> Iterator[str]:
    """The lines of a bash script that does what the command would do, for the last event.

    They are in a subshell: a failure ends the script, and not the shell into which it is pasted.
    Nothing follows it, because `read` would take that as the answer to its question. A run that was
    stopped ends it, too, so that nobody pastes half of it.

    Args:
        options: the command line.
        events: of a dry run, until now.
    """
    event, finding, change = events[-1], events[-1].finding, events[-1].change
    match event.kind:
        case "begin":
            yield comment(f"{options.command_line()} would do this; nothing has been changed.")
            yield from map(comment, event.plan.notes)
            yield "(\nset -euo pipefail"
        case "step":
            yield f"\n{comment(event.text)}"
        case "found":
            if not finding.refusal_says_it:
                yield comment(f"found: {finding.text}")
            yield from (comment(f"note: {note}") for note in finding.notes)
        case "ask":
            asked = quoted(f"{event.text} [y/N] ")
            yield f'read -r -p {asked} answer; [ "$answer" = y ] || exit 1'
        case "plan":
            yield comment(f"{change.summary}\n{change.method} {change.url}")
            if change.body is not None:
                yield comment(json.dumps(change.printable_body, indent=2))
            yield from change.az
        case "wait":
            yield from finding.az
        case "stopped":
            if len(events) > 1:
                yield "false\n)"
        case "planned" | "refused":
            yield ""
            if event.way_back:
                yield comment(f"Way back: {event.way_back}")
            if event.kind == "refused":
                yield f"{comment(f'refused: {event.text}')}\nfalse"
            elif event.next_command:
                yield comment(f"Next: {event.next_command}")
            yield ")"


def comment(text: str) -> str:
    """A text as comment lines for bash."""
    return "\n".join(f"# {line}" for line in text.split("\n"))


STYLES = {
    "found": "green",
    "plan": "cyan",
    "sent": "bold green",
    "look": "yellow",
    "note": "magenta",
    "refused": "bold red",
    "declined": "yellow",
    "waiting": "bold yellow",
    "failed": "bold red",
    "done": "bold green",
}
"""Colours on a terminal, by a line's first word."""


class Lines:
    """Prints a run for people. On a terminal, a wait is a progress bar that says what the command
    waits for, and counts the steps that are done: how long Azure takes is not known.

    Args:
        console: standard output.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._steps = 0
        self._done = -1
        self._last = ""

    def show(self, event: Event) -> None:
        """Print one event; what a step finds, only if it is not the same as before."""
        finding, change = event.finding, event.change
        is_known = event.kind == "found" and finding.text == self._last
        if event.kind != "wait" and (finding.question or not is_known):
            self._end_wait()
        if is_known:
            return
        match event.kind:
            case "begin":
                self._steps = len(event.plan.steps)
                for note in event.plan.notes:
                    self._line("note", note)
            case "step":
                self._done, self._last = self._done + 1, ""
                self._print(Text(shown_lines(event.text), style="bold"))
            case "found":
                self._last = finding.text
                if not finding.refusal_says_it:
                    self._line("found", finding.text)
                for note in finding.notes:
                    self._line("note", note)
            case "plan":
                self._line("plan", change.summary)
                self._line("", f"{change.method} {change.url}")
            case "sent":
                self._line("sent", change.summary)
            case "look":
                self._line("look", f"{event.text} Checking whether it was done.")
            case "wait":
                self._wait(finding.text)
            case "done" | "waiting" | "refused" | "declined" | "failed":
                if text := event.text or self._last:
                    self._line(event.kind, text)
                if event.way_back:
                    self._print(styled(f"Way back: {event.way_back}"))
                if event.kind == "done" and event.next_command:
                    self._print(styled(f"Next: {event.next_command}"))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _line(self, word: str, text: str) -> None:
        indented = shown_lines(text).replace("\n", f"\n{' ' * 11}")
        self._print(Text.assemble("  ", (f"{word:9}", STYLES.get(word, "")), indented))

    def _wait(self, text: str) -> None:
        if not self._console.is_terminal:
            return
        if self._bar is None:
            self._bar = Progress(
                SpinnerColumn(),
                # A column of its own, which wraps: by default, a long text would hide the bar.
                TextColumn("wait     {task.description}", markup=False, table_column=Column()),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._bar.add_task("", total=self._steps, completed=self._done)
        for task in self._bar.task_ids:
            self._bar.update(task, description=shown(text))

    def _end_wait(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
