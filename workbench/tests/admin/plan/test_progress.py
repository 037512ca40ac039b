"""Output: what a run prints on a terminal, into a pipe, and as a script."""

import re
import subprocess
from io import StringIO

import pytest
from rich.console import Console

from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.output import Event, Lines, Result, output
from bot_workbench.admin.plan.step import Finding, Plan
from tests.admin.plan.scripted_step import ScriptedStep, change, scripted

DRY_RUN = Options("switch", "contoso-bot", dry_run=True)


def shown(*findings: Finding, terminal: bool, result: Result = "done", width: int = 200) -> str:
    """What a person sees of a run with one step."""
    file = StringIO()
    console = Console(file=file, force_terminal=terminal, width=width, highlight=False)
    show = Lines(console).show
    steps = scripted([ScriptedStep(Finding("so")) for _ in range(3)])
    show(Event("begin", plan=Plan(steps, notes=("note",))))
    show(Event("step", "A step"))
    for finding in findings:
        show(Event("found", finding=finding))
        for each in finding.changes:
            show(Event("plan", change=each))
            show(Event("sent", change=each))
        if finding.waiting:
            show(Event("wait", finding=finding))
    reason = "" if result == "done" else "because"
    show(Event(result, reason, way_back="bot migrate back", next_command="next"))
    return file.getvalue()


def test_a_pipe_gets_plain_lines() -> None:
    """No escape sequence, one line each, and the same finding once."""
    waiting = Finding("not yet", waiting=True)
    text = shown(waiting, waiting, Finding("no", (change(int),)), Finding("so"), terminal=False)
    assert "\x1b" not in text
    assert [line.split()[0] for line in text.splitlines()] == [
        *("note", "A", "found", "found", "plan", "PATCH", "sent", "found", "done", "Way", "Next:"),
    ]


def test_a_terminal_shows_the_wait() -> None:
    """A wait is a line that changes, with how many steps are done, and it is gone at the end."""
    text = shown(Finding("not yet", waiting=True), Finding("so"), terminal=True)
    assert "\x1b" in text
    assert "wait     not yet" in text
    assert "0/3" in text


def test_a_long_wait_text_leaves_room_for_the_bar() -> None:
    """On a terminal of 80 columns, a long text is on several lines, and none of it is lost."""
    words = [f"word{number}" for number in range(30)]
    finding = Finding(" ".join(words), waiting=True)
    _, _, bar = shown(finding, terminal=True, result="waiting", width=80).partition(
        "wait     word0"
    )
    assert "0/3" in bar
    assert {*re.findall(r"word\d+", bar)} >= {*words[1:]}


@pytest.mark.parametrize("name", ["[app]", "[/subscriptions/1]", "[red]"])
def test_a_wait_is_no_markup(name: str) -> None:
    """Brackets in Azure's texts are printed as they are."""
    assert f"wait     {name}" in shown(Finding(name, waiting=True), terminal=True)


def test_a_refusal_shows_the_way_back_and_no_next_command() -> None:
    """Whoever must fix something first is not sent on."""
    text = shown(Finding("no"), terminal=False, result="refused")
    assert "refused  because" in text
    assert "Way back:" in text
    assert "Next:" not in text


def test_a_refusal_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    """What was found is shown besides only if the refusal does not say it; further lines are
    indented like the first."""
    finding = Finding("no secret\nis left", refusal="no secret\nis left: stop")
    file = StringIO()
    for show in (Lines(Console(file=file, width=200, highlight=False)).show, output(DRY_RUN)):
        show(Event("step", "A step"))
        show(Event("found", finding=finding))
        show(Event("refused", finding.refusal))
    assert file.getvalue() == "A step\n  refused  no secret\n           is left: stop\n"
    assert capsys.readouterr().out.count("no secret") == 1


def test_the_end_says_what_is_so() -> None:
    """The last step's finding is the result."""
    text = shown(Finding("the endpoint is x"), terminal=False)
    assert "  done     the endpoint is x\n" in text


def test_a_dry_run_is_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    """bash reads it; a question asks, a refusal stops it, and the reader's shell goes on."""
    show = output(DRY_RUN)
    waiting = Finding("not yet", waiting=True, az=("for i in 1 2; do", "  true", "done"))
    for event in (
        Event("begin", plan=Plan(())),
        Event("step", "A step\nwith two lines"),
        Event("found", finding=Finding("it's so", notes=("note",))),
        Event("ask", "Delete 'it'?"),
        Event("plan", change=change(int)),
        Event("wait", finding=waiting),
        Event("refused", "because", way_back="back", next_command="next"),
    ):
        show(event)
    text = capsys.readouterr().out
    assert text.endswith("# Way back: back\n# refused: because\nfalse\n)\n")
    # Pasted into a shell without az: it stops at the answer, and the shell goes on.
    pasted = f"{text}\necho still here"
    assert bash(pasted, "n\n") == "still here\n"
    assert bash(pasted.replace("az x", "true"), "y\n") == "still here\n"


def test_a_script_that_was_stopped_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody pastes half of it; of a run that never began there is nothing to paste."""
    output(DRY_RUN)(Event("stopped", "no answer"))
    assert capsys.readouterr().out == ""
    show = output(DRY_RUN)
    show(Event("begin", plan=Plan(())))
    show(Event("stopped", "no answer"))
    assert capsys.readouterr().out.endswith("set -euo pipefail\nfalse\n)\n")


def bash(script: str, answers: str) -> str:
    """The output of a script, on both streams."""
    ended = subprocess.run(
        ["bash", "-c", script],  # noqa: S607  # as people start it
        input=answers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.stdout
