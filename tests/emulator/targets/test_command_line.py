"""The commands of `run.py` and make: names, variables and their values."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.__main__ import CHAT_PORT
from emulator.cloud import APP_TYPES
from emulator.commands import azure, playground
from emulator.commands.run import options
from emulator.targets.command_line import TARGETS, main
from emulator.targets.target import Target
from emulator.targets.variable import UsageError
from tests.support.project import ROOT

RUN = TARGETS["run"]


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_each_target_is_one_of_make(target: Target) -> None:
    """`make TARGET` is `run.py TARGET`."""
    command = ["make", "--dry-run", target.name]
    ended = subprocess.run(  # as people do
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.search(rf"run\.py {target.name} *$", ended.stdout)


def test_make_passes_on_what_was_given() -> None:
    """Values arrive as they were typed, with spaces, quotes and what shells expand."""
    values = ["BOT=a bot's", "ONLY=^(a|b)*$", "FEATURES=sso files"]
    command = ["make", "--dry-run", "run", *(each.replace("$", "$$") for each in values)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    # The line that make would run, with a program that prints its arguments.
    line = ended.stdout.replace("exec", f"exec {sys.executable} -c 'import sys; print(sys.argv)'")
    shown = subprocess.run(
        ["/bin/sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(repr(each) in shown.stdout for each in values), shown.stdout


def test_choices_are_those_of_the_programs() -> None:
    """What a variable may be is what the program's option takes."""
    choices = {
        "CREDENTIAL": list(APP_TYPES),
        "TURNS": list(options.TURNS),
        "AUTH": [options.ON, options.OFF],
    }
    for name, names in choices.items():
        for each in names:
            assert RUN.values([f"{name}={each}"])[name] == each
        with pytest.raises(UsageError, match=rf"{name}=foo: {name} is .*{names[0]}.*{names[-1]}"):
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
    parsed = options.RunOptions.parse(command[3:])
    assert (parsed.bot, parsed.storage, parsed.port) == (tmp_path, tmp_path, 1)
    assert (parsed.credential, parsed.turns, parsed.auth) == ("Federated", "Queued", "Off")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "There is no command nonsense: choose one of run, "),
        (["check", "FAST=1"], "check does not take FAST=1: it takes no variables."),
        (["test", "--fast"], "test does not take --fast: it takes FAST=, LOOP=, WORKERS=."),
        (["PORT=70000"], "PORT=70000: PORT is a port up to 65535."),
        (["test", "FAST=yes"], "FAST=yes: FAST is 1."),
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


def test_the_help_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command, and each variable with its default."""
    assert main(["help"]) == 0
    text = capsys.readouterr().out
    for target in TARGETS.values():
        assert re.search(rf"^{target.name} +\w", text, re.M)
        assert all(f"{each.name}={each.default}" in text for each in target.variables)
    assert max(map(len, text.splitlines())) <= 100
