"""The app's process: where it starts, what it needs, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot_workbench import app_process
from bot_workbench.command_line import run
from bot_workbench.project import NoAppError
from tests.support.program import Program
from tests.support.project import ROOT

RUN = (
    "import sys; from bot_workbench import app_process; app_process.run(sys.argv[1], sys.argv[2:])"
)
LIST = ("dead-letters", "list", "--json", "--connection-string")


def test_a_command(storage: str) -> None:
    """It has the terminal of the process that it replaces, and ends with its own exit status."""
    command = [sys.executable, "-c", RUN, *LIST]
    done = subprocess.run([*command, storage], cwd=ROOT, capture_output=True, check=True)
    assert json.loads(done.stdout) == []
    done = subprocess.run([*command, "nonsense"], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (3, b"")


def test_a_folder_of_the_app(tmp_path: Path) -> None:
    """A command may be started there: its files are named from there."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("function_app.py", "host.json"):
        (tmp_path / name).write_text("")
    for package in ("auth", "cloud_adapter", "http_client"):
        (tmp_path / package).symlink_to(ROOT / package)
    (folder / "card.json").write_text("no JSON")
    words = ("notify", "--to", "all", "--card", "card.json")
    command = [sys.executable, "-c", RUN, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the card in card.json is not JSON" in " ".join(done.stderr.replace("│", "").split())


def test_no_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere, one sentence says what is missing, and what to do."""
    monkeypatch.chdir(tmp_path)
    for needs_app in (app_process.run, app_process.ask):
        with pytest.raises(NoAppError, match="go to the folder"):
            needs_app("notify", [])


def test_the_doctor_needs_an_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so before it signs in to Azure."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        run(["doctor"])
    assert ending.value.code == 2
    assert "go to the folder" in capsys.readouterr().err


def test_questions() -> None:
    """They are answered in their turn, by one process."""
    started = app_process._started.cache_info().currsize
    for app_type in ("SingleTenant", "no type", "SingleTenant"):
        problems = app_process.ask("settings", {"MicrosoftAppType": app_type})
        assert any(each.startswith("MicrosoftAppId: ") for each in problems)
        assert any("'no type'" in each for each in problems) == (app_type == "no type")
    assert app_process._started.cache_info().currsize <= started + 1


def test_a_question_needs_python_alone() -> None:
    """The doctor of a pipeline has few packages; and nothing of this project is installed there."""
    command = [sys.executable, "-I", "-S", str(app_process._ENTRY), "settings"]
    given = {"MicrosoftAppType": "MultiTenant", "MicrosoftAppId": "x"}
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    assert [each.partition(": ")[0] for each in json.loads(done.stdout)] == [
        "MicrosoftAppId",
        "BotCredential",
    ]


def test_code_that_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The app's own error is shown, and which app it is of."""
    for name in ("function_app.py", "host.json"):
        (tmp_path / name).write_text("")
    (tmp_path / "auth").mkdir()
    (tmp_path / "auth" / "errors.py").write_text("raise RuntimeError('mine')\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=str(tmp_path)):
        app_process.ask("settings", {})
    assert "RuntimeError: mine" in capfd.readouterr().err


def test_ctrl_c_leaves_the_questions_to_the_doctor() -> None:
    """The terminal sends it to both: the one that is asked ends with the other, in silence."""
    command = [sys.executable, str(app_process._ENTRY), "settings"]
    with Program(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        print("{}", file=program.stdin, flush=True)
        assert program.line()
        os.kill(program.pid, signal.SIGINT)
        print("{}", file=program.stdin, flush=True)
        assert program.line()
        _, errors = program.communicate(timeout=30)
    assert (program.returncode, errors) == (0, "")
