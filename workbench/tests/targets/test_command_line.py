"""The commands of `run.py` and make: names, variables and their values."""

import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from auth.credential_kinds import KINDS
from bot_workbench.commands import azure, playground
from bot_workbench.commands.cloud import CHAT_PORT
from bot_workbench.commands.run import options
from bot_workbench.setup.python_packages import PythonPackages
from bot_workbench.targets.command_line import TARGETS, main
from bot_workbench.targets.target import Target, needs
from bot_workbench.targets.variable import UsageError
from tests.support.bots.make_target import environ_of_make
from tests.support.project import ROOT

RUN = TARGETS["run"]


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_each_target_is_one_of_make(target: Target) -> None:
    """`make TARGET` is `run.py TARGET`."""
    command = ["make", "--dry-run", target.name]
    ended = subprocess.run(
        command, cwd=ROOT, env=environ_of_make(), capture_output=True, text=True, check=True
    )
    assert re.search(rf"run\.py {target.name} *$", ended.stdout)


def test_make_passes_on_what_was_given() -> None:
    """Values arrive as they were typed, with spaces, quotes and what shells expand."""
    values = ["BOT=a bot's", "ONLY=^(a|b)*$", "FEATURES=sso files"]
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


def test_choices_are_those_of_the_programs() -> None:
    """What a variable may be is what the program's option takes."""
    choices = {
        "CREDENTIAL": list(KINDS),
        "TURNS": list(options.TURNS),
        "AUTH": [options.ON, options.OFF],
    }
    for name, names in choices.items():
        for each in names:
            assert RUN.values([f"{name}={each}"])[name] == each
        said = rf"{name}=foo: {name} must be .*{names[0]}.*{names[-1]}"
        with pytest.raises(UsageError, match=said):
            RUN.values([f"{name}=foo"])
    for each in azure.APP_TYPES:
        assert TARGETS["azure"].values([f"APP_TYPE={each}"])["APP_TYPE"] == each


def test_defaults_are_those_of_the_programs() -> None:
    """A program that is run by itself uses the same ports."""
    values = RUN.values([])
    assert values["PORT"] == str(options.BOT_PORT)
    assert values["SKILL_PORT"] == str(options.SKILL_PORT)
    assert values["CHAT_PORT"] == str(CHAT_PORT)
    port = TARGETS["playground"].values([])["PLAYGROUND_PORT"]
    assert port == str(playground.PLAYGROUND_PORT)


def test_the_run_takes_each_option(tmp_path: Path) -> None:
    """The command that is run is one that the program parses, with the values that were given."""
    given = [f"BOT={tmp_path}", "CREDENTIAL=Federated", "TURNS=Queued", "AUTH=Off", "PORT=1"]
    [command] = RUN.commands(RUN.values([*given, f"STORAGE={tmp_path}"]))
    parsed = options.RunOptions.parse(command[4:])
    assert (parsed.bot, parsed.storage, parsed.port) == (tmp_path, tmp_path, 1)
    assert (parsed.credential, parsed.turns, parsed.auth) == ("Federated", "Queued", "Off")


@pytest.mark.parametrize("target", ["run", "playground"])
def test_a_debugger_can_be_asked_for(target: str) -> None:
    """DEBUG=1 names the debugger's port, WAIT=1 also waits for it; without them there is none."""
    found = TARGETS[target]
    [plain], [debug], [wait] = (
        found.commands(found.values(words)) for words in ([], ["DEBUG=1"], ["WAIT=1"])
    )
    assert [*debug] == [*plain, "--debug-port", "5678"]
    assert [*wait] == [*debug, "--debug-wait"]
    assert "DEBUG_PORT" not in found.ports(found.values([]))
    assert found.ports(found.values(["WAIT=1"]))["DEBUG_PORT"] == "5678"


def test_only_ports_that_are_used_must_be_free() -> None:
    """A skill's with a skill, the page's with authentication."""
    assert [*RUN.ports(RUN.values([]))] == ["PORT", "CHAT_PORT"]
    assert [*RUN.ports(RUN.values(["AUTH=Off"]))] == ["PORT"]
    pair = RUN.values(["BOT=examples/skill_pair"])
    assert [*RUN.ports(pair)] == ["PORT", "CHAT_PORT", "SKILL_PORT"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "There is no command nonsense: choose one of run, "),
        (["check", "ALL=1"], "check does not take ALL=1: it takes no variables."),
        (["test", "--fast"], "test does not take --fast: it takes ALL=, LOOP=, WORKERS=."),
        (["PORT=70000"], "PORT=70000: PORT must be a port from 1 to 65535."),
        (["PORT=0"], "PORT=0: PORT must be a port from 1 to 65535."),
        (["test", "ALL=yes"], "ALL=yes: ALL must be 1 or 0."),
        (["test", "WORKERS=0"], "WORKERS=0: WORKERS must be a number, 1 or more."),
    ],
)
def test_a_wrong_command_line_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what would be right, and nothing is run."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert err.count("\n") == 1


def test_a_port_in_use_is_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is installed for a command that cannot start."""
    (tmp_path / "requirements.txt").touch()
    packages = PythonPackages("Packages", tmp_path / "venv", [tmp_path / "requirements.txt"], [])
    target = replace(RUN, steps=needs(packages), commands=lambda _: [])
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main([RUN.name, f"PORT={port}"], {RUN.name: target}) == 1
    out, err = capsys.readouterr()
    assert (out, packages.folder.exists()) == ("", False)
    assert re.fullmatch(rf"Port {port} is in use: .* PORT=\d+\n", err)


def test_it_needs_no_package() -> None:
    """Before the set-up there is only Python's own library."""
    command = [sys.executable, "-I", "-S", str(ROOT / "run.py"), "help"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("make COMMAND")


def test_the_help_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command, and each variable with its default; those of maintainers on demand."""
    assert main(["help"]) == 0
    short = capsys.readouterr().out
    assert main(["help", "ALL=1"]) == 0
    text = capsys.readouterr().out
    for target in TARGETS.values():
        assert re.search(rf"^{target.name} +\w", text, re.M)
        assert all(f"{each.name}={each.default}" in text for each in target.variables)
        is_listed = bool(re.search(rf"^{target.name} +\w", short, re.M))
        assert is_listed is not target.is_for_maintainers
    assert max(map(len, text.splitlines())) <= 100
