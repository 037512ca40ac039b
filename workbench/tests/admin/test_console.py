"""The console shows control characters, and sends none."""

import ast
import io
import subprocess
import unicodedata
from collections.abc import Iterator

import pytest
from rich.progress import Progress, TextColumn
from rich.table import Table

from bot_workbench.admin import console
from bot_workbench.admin.console import Row, print_lines, print_tables
from bot_workbench.admin.doctor.diagnosis import error
from bot_workbench.admin.doctor.report import finding_lines, print_findings
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.output import Event, Lines, output
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding, Plan
from bot_workbench.app.dead_letter_output import Outcome, print_listing, print_outcome
from bot_workbench.app.notification_output import PlainLines
from cloud_adapter.queued.set_aside import DeadLetter
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.queue import ReceivedMessage
from tests.support.project import ROOT

CLIPBOARD = "\x1b]52;c;Y3VybA==\x07"
HOSTILE = f"a{CLIPBOARD}\r\x9b2J\x7f\u202eb\u2066\u2028\t\x00[red]:smile:\ud800"
SHOWN = r"a\x1b]52;c;Y3VybA==\x07\r\x9b2J\x7f\u202eb\u2066\u2028\t\x00[red]:smile:\ud800"
"""How people see it."""


CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def forbidden(text: str) -> list[str]:
    """The control characters of an output, by Unicode's categories, without line feeds."""
    return [
        each
        for each in text
        if each != "\n" and (unicodedata.category(each) in CONTROLS or each in BIDI)
    ]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is printed on standard output, which is a terminal without colours."""
    written = io.StringIO()
    monkeypatch.setattr(console.output, "_file", written)
    monkeypatch.setattr(console.output, "_width", 400)
    monkeypatch.setattr(console.output, "_color_system", None)
    return written


def test_shown() -> None:
    """C0, C1, DEL, bidi controls, separators and halves of a pair are escapes; text stays."""
    assert console.shown(HOSTILE) == SHOWN
    assert not [each for each in map(chr, range(0x110000)) if forbidden(console.shown(each))]
    assert console.shown("a\nb") == r"a\nb"
    assert console.shown_lines("a\nb\r\n") == "a\nb\\r\n"
    assert console.shown("Grüße, 你好 👩‍💻 שלום") == "Grüße, 你好 👩‍💻 שלום"


def test_rows(terminal: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """For a terminal and for a file; a tag cannot pretend to be another row."""
    rows = [Row(HOSTILE, HOSTILE, f"{HOSTILE}\nsecrets: none", "ok")]
    print_tables(console.output, rows, pasted=(HOSTILE,))
    print_tables(console.output, rows)
    print_lines(rows)
    for text in (terminal.getvalue(), capsys.readouterr().out):
        assert forbidden(text) == []
        assert rf"{SHOWN}\nsecrets: none" in text


def test_progress(terminal: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a command that changes something."""
    for show in (Lines(console.output).show, output(Options("switch", HOSTILE, dry_run=True))):
        show(Event("begin", plan=Plan((), notes=(HOSTILE,))))
        show(Event("step", HOSTILE))
        show(Event("found", finding=Finding(HOSTILE, notes=(HOSTILE,))))
        show(Event("ask", HOSTILE))
        show(Event("wait", finding=Finding(HOSTILE, waiting=True, az=(HOSTILE,))))
        show(Event("refused", HOSTILE, way_back=HOSTILE))
    printed = capsys.readouterr().out
    for text in (terminal.getvalue(), printed):
        assert forbidden(text) == []
        assert text.count(SHOWN) >= 5


def test_lines(terminal: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """A text of somebody else's cannot pretend to be another line of a report or a list."""
    forged = f"{HOSTILE}\nsent      29:2\n"
    report = {"result": "failed", "recipient": forged, "reason": forged}
    letter = DeadLetter(ReceivedMessage("1", "", 1, ""), WakeUp(forged), None, "Error")
    found = [error("app-barrier", forged, "a cure")]
    PlainLines().line(report)
    print_listing([letter], traces=False, as_json=False)
    print_outcome(Outcome([], {"1": forged}, [forged]), "dropped", as_json=False)
    console.write("\n".join(finding_lines(found)))
    print_findings(console.output, found)
    for text in (terminal.getvalue(), capsys.readouterr().out):
        assert forbidden(text) == []
        assert SHOWN in text
        assert "sent      29:2" not in [line.rstrip() for line in text.split("\n")]


def test_what_nobody_has_thought_of(terminal: io.StringIO) -> None:
    """Whatever is drawn on the console passes, also a table's cells and a bar's text."""
    table = Table("heading")
    table.add_row(HOSTILE)
    console.output.print(table, HOSTILE)
    with Progress(TextColumn(HOSTILE, markup=False), console=console.output, disable=False) as bar:
        bar.add_task(HOSTILE)
    assert forbidden(terminal.getvalue()) == []


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """It is ASCII."""
    console.write_json({"tag": HOSTILE})
    assert forbidden(capsys.readouterr().out) == []


@pytest.mark.parametrize("text", ["\x1b[201~\nrm -rf ~\n", "it's\x07\\ $HOME `id`", "\u202e\x9b$"])
def test_a_word_to_paste(text: str) -> None:
    """It has no control character, and bash reads the same."""
    word = quoted(f"{text} $IDENTITY_CLIENT_ID {text}")
    assert forbidden(word) == []
    assert "\n" not in word
    script = f"IDENTITY_CLIENT_ID=id; printf %s {word}"
    ended = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=True)
    assert ended.stdout.decode() == f"{text} id {text}"


def test_all_output_passes_the_console() -> None:
    """No other module of admin, or of what runs in the app's process, prints, or has a console."""
    package = ROOT / "workbench" / "bot_workbench"
    files = [*(package / "admin").rglob("*.py"), *(package / "app").rglob("*.py")]
    files.remove(package / "admin" / "console.py")
    found = {str(path.relative_to(ROOT)): list(prints(path.read_text("utf-8"))) for path in files}
    assert {path: calls for path, calls in found.items() if calls} == {}


def prints(source: str) -> Iterator[str]:
    """Calls that print past the console."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"print", "typer.echo", "typer.secho", "Console", "sys.stdout.write"}:
                yield called
