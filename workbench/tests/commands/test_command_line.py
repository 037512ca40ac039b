"""The command `bot`: its commands, the variables of make, and where it works."""

import re
import shutil
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot_workbench import command_line
from bot_workbench.command_line import COMMANDS, app, imported, with_options
from bot_workbench.commands import azure
from bot_workbench.commands.options import CHAT_PORT
from bot_workbench.commands.run.debugging import NO_DEBUGGER, Debugging
from bot_workbench.commands.run.options import OFF, ON, RunOptions
from bot_workbench.credential_kinds import KINDS
from bot_workbench.project import APP, MARKS
from bot_workbench.setup.errors import SetUpError
from maintenance.targets import TABLE
from tests.support.bots.make_target import environ_of_make
from tests.support.project import ROOT

MAKE = str(shutil.which("make"))
OF_GROUPS = {"deployment", "migrate", "dead-letters", "notify", "doctor"}
"""Commands that are not targets of make: their options are not variables."""


def options(name: str, *words: str) -> dict[str, Any]:
    """The parameters that a command line gives a command."""
    command = imported(name, TABLE)
    found: dict[str, Any] = command.make_context(name, [*with_options(command, words)]).params
    return found


@pytest.mark.parametrize("name", sorted({*TABLE} - OF_GROUPS - {"cloud"}))
def test_each_is_a_target_of_make(name: str) -> None:
    """`make NAME` is `run.py NAME`."""
    command = ["make", "--dry-run", name]
    ended = subprocess.run(
        command, cwd=ROOT, env=environ_of_make(), capture_output=True, text=True, check=True
    )
    assert re.search(rf"run\.py {name} *$", ended.stdout)


def test_make_names_what_an_author_needs() -> None:
    """Its help has the commands and its other targets; each of them exists."""
    ended = subprocess.run([MAKE], cwd=ROOT, capture_output=True, text=True, check=True)
    named = re.findall(r"^  ([a-z-]+)  +\w", ended.stdout, re.M)
    maintainers = re.search(r"^For maintainers: (.+)$", ended.stdout, re.M)
    assert maintainers
    assert {*named} == ({*COMMANDS} - OF_GROUPS - {"cloud"}) | {"clean"}
    assert {*maintainers[1].split()} == {*TABLE} - {*COMMANDS}


def test_make_passes_on_what_was_given() -> None:
    """Values arrive as they were typed, with spaces, quotes and what shells expand."""
    values = ["BOT=a bot's", "ONLY=^(a|b)*$", "FEATURE=sso files"]
    command = ["make", "--dry-run", "run", *(each.replace("$", "$$") for each in values)]
    ended = subprocess.run(
        command, cwd=ROOT, env=environ_of_make(), capture_output=True, text=True, check=True
    )
    # The line that make would run, with a program that prints its arguments.
    line = ended.stdout.replace("exec", f"exec {sys.executable} -c 'import sys; print(sys.argv)'")
    shown = subprocess.run(
        ["/bin/sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(repr(each) in shown.stdout for each in values), shown.stdout


def test_variables_are_options() -> None:
    """Each sets the option of its name; an empty one is not given, and a flag is 1 or 0."""
    found = options("run", "BOT=a b", "CREDENTIAL=Federated", "PORT=1", "TURNS=", "DEBUG=1")
    assert (found["bot"], found["credential"], found["port"]) == (Path("a b"), "Federated", 1)
    assert (found["turns"], found["debug"], found["wait"]) == ("Inline", True, False)
    assert options("run", "DEBUG=0") == options("run")
    found = options("app-package", "FEATURE=sso files", "WRITE_MANIFEST=1")
    assert (found["feature"], found["write_manifest"]) == (["sso", "files"], True)
    assert options("test", "ALL=1", "WORKERS=2")["everything"]


def test_the_value_of_an_option_is_no_variable() -> None:
    """`--set NAME=VALUE` keeps its word, whatever the name is."""
    assert options("app-package", "--set", "FEATURE=x")["given"] == ["FEATURE=x"]
    assert options("app-package", "--set=TO=x")["given"] == ["TO=x"]


def test_the_version(tmp_path: Path) -> None:
    """That of the base in whose folder `bot` is started; elsewhere, that of the workbench."""
    app_folder = tmp_path / "app"
    app_folder.mkdir()
    for name in MARKS:
        (app_folder / name).touch()
    (app_folder / "composition.py").write_text('VERSION = "1.2.3"\n', "utf-8")
    for folder, shown in ((app_folder, "1.2.3"), (tmp_path, metadata.version("bot-workbench"))):
        code = "from bot_workbench.command_line import run; run(['--version'])"
        command = [sys.executable, "-c", code]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        assert ended.stdout == f"{shown}\n"


@pytest.mark.parametrize("name", [*KINDS, ON, OFF])
def test_choices(name: str) -> None:
    """Each is taken; another is refused with those that there are."""
    variable = "AUTH" if name in {ON, OFF} else "CREDENTIAL"
    assert options("run", f"{variable}={name}")[variable.lower()] == name
    ended = CliRunner().invoke(app, ["run", f"{variable}=foo"], env={"COLUMNS": "300"})
    assert ended.exit_code == 2
    assert re.search(f"'foo' is none of .*{name}", ended.output)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["run", "ALL=1"], "run does not take ALL=1: it takes BOT=, AUTH=, "),
        (["check", "ALL=1"], "check does not take ALL=1: it takes no variables"),
        (["run", "PORT=70000"], "Input should be less than or equal to 65535"),
        (["run", "PORT=0"], "Input should be greater than or equal to 1"),
        (["run", "DEBUG=yes"], "DEBUG=yes: DEBUG must be 1 or 0"),
        (["run", "HELP=1"], "run does not take HELP=1"),
    ],
)
def test_a_wrong_command_line_is_refused(words: list[str], said: str) -> None:
    """It says what would be right, and nothing is run."""
    ended = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert ended.exit_code == 2, ended.output
    assert said in ended.output


@pytest.mark.parametrize("name", COMMANDS)
def test_outside_an_apps_folder(name: str, tmp_path: Path) -> None:
    """A command that needs the app says so, and its help is there all the same."""
    command = [sys.executable, "-m", "bot_workbench", name]
    words = {"notify": ["--to", "all", "--text", "x"], "dead-letters": ["list"]}.get(name, [])
    if COMMANDS[name].needs_app:
        ended = subprocess.run(
            [*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert f"There is no bot in {tmp_path}: go to the folder that has" in " ".join(
            ended.stderr.split()
        )
    if not COMMANDS[name].module:
        return  # the app's process has its help
    helped = subprocess.run(
        [*command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert helped.returncode == 0, helped.stderr
    assert "Usage: bot" in helped.stdout


def test_a_folder_of_the_app_is_the_apps(tmp_path: Path) -> None:
    """The app is found from any folder in it."""
    code = "from bot_workbench.project import APP; print(APP)"
    inside, outside = (
        subprocess.run(
            [sys.executable, "-c", code], cwd=each, capture_output=True, text=True, check=True
        )
        for each in (ROOT / "docs", tmp_path)
    )
    assert (inside.stdout, outside.stdout) == (f"{APP}\n", f"{tmp_path}\n")


def test_the_help_imports_no_command() -> None:
    """A pipeline with the packages of the doctor alone gets it."""
    code = (
        "import sys\nfrom bot_workbench.command_line import app\n"
        "try: app(['--help'], prog_name='bot')\n"
        "finally: print(sorted({'aiohttp', 'azure', 'auth', 'jwt'} & {*sys.modules}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stdout.splitlines()[-1] == "[]"
    assert all(f" {name} " in ended.stdout for name in COMMANDS)


def ports(bot: str, auth: str = ON, debugging: Debugging = NO_DEBUGGER) -> set[str]:
    """The ports that must be free for a run."""
    folder = ROOT / bot
    run = RunOptions(folder, auth, "", "", None, 7071, 7072, CHAT_PORT, debugging)
    return {*run.ports()}


def test_only_ports_that_are_used_must_be_free() -> None:
    """A skill's with a skill, the page's with authentication, a debugger's if it may attach."""
    assert ports("bot_logic") == {"PORT", "CHAT_PORT"}
    assert ports("bot_logic", OFF) == {"PORT"}
    assert ports("examples/skill_pair") == {"PORT", "CHAT_PORT", "SKILL_PORT"}
    attached = Debugging.chosen(debug=False, wait=True, port=5678)
    assert attached == Debugging(5678, waits=True)
    assert ports("bot_logic", OFF, attached) == {"PORT", "DEBUG_PORT"}
    assert Debugging.chosen(debug=False, wait=False, port=5678) == NO_DEBUGGER


def test_a_port_in_use_is_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is installed for a command that cannot start."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            command_line.run(["run", f"PORT={port}"])
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"Port {port} is in use: .* PORT=\d+\n", err)


def test_the_local_azure_needs_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the old bot's SDK it says where to name it, before it starts anything."""
    monkeypatch.setattr(azure, "OLD_BOTS_SDK", "absent_sdk")
    with pytest.raises(SetUpError, match="add `azure` to the extras of bot-workbench"):
        azure.local_azure()
