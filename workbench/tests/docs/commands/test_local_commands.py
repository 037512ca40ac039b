"""The commands of this project that the documentation names exist, with the options it gives."""

import importlib.util
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from bot_workbench.app.command_line import app as in_app
from bot_workbench.command_line import COMMANDS, Command, imported, with_options
from maintenance.targets import TABLE
from tests.support.project import ROOT

PAGES = [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
MAKE = "make"
RUN = r"(?:py|python3?) run\.py"
BOT = r"(?:\.venv/bin/)?bot"

NOT_OF_BOT = {"clean"}
"""What run.py does by itself."""


def commands(page: Path, program: str) -> list[str]:
    """The text after a program's name in a page's code, up to the comment or the end."""
    text = re.sub(r"\\\n *", "", page.read_text("utf-8"))
    found = re.findall(rf"(?:^ *|`){program} ([^`#|\n]+)", text, re.M)
    return [command.strip() for command in found]


def parse(words: list[str], table: Mapping[str, Command]) -> None:
    """Parse a command line, from its command to its last option, without running it.

    A text may name a command alone.

    Args:
        words: those after the program's name.
        table: the program's commands.

    Raises:
        KeyError: there is no such command.
        click.UsageError: it does not take what is given.
    """
    name, *rest = words
    if table[name].module:
        command: Any = imported(name, table)
    else:
        command = get_command(in_app).commands[name]  # type: ignore[attr-defined]
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        command = command.commands[rest.pop(0)]
    if rest not in ([], ["--help"]):
        command.make_context(name, [*with_options(command, rest)])


def makes() -> set[str]:
    """The targets of the Makefile."""
    text = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", "")
    [line] = re.findall(r"^TARGETS := (.+)$", text, re.M)
    return {*line.split()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_has_each_target_and_variable(page: Path) -> None:
    """`make` and `run.py` are called with their commands and variables only."""
    targets = makes()
    for line in commands(page, MAKE):
        assert shlex.split(line)[0] in targets, line
    for line in [*commands(page, MAKE), *commands(page, RUN)]:
        words = shlex.split(line) or ["run"]
        if words[0] not in NOT_OF_BOT | {"--help"}:
            parse(words, TABLE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_module_can_be_run(page: Path) -> None:
    """`python -m` and launch.json name a package with a `__main__`, or a program."""
    named = re.findall(r'"module": "([\w.]+)"', page.read_text("utf-8"))
    lines = commands(page, r"(?:\.venv/bin/)?python -m")
    for module in (*named, *(line.split()[0] for line in lines)):
        found = importlib.util.find_spec(module)
        assert found, module
        if found.submodule_search_locations:
            assert importlib.util.find_spec(f"{module}.__main__"), module
        else:
            assert '__name__ == "__main__"' in Path(str(found.origin)).read_text("utf-8"), module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_bot_takes_each_option(page: Path) -> None:
    """`bot` parses each command line, from its command to its last option."""
    for line in commands(page, BOT):
        words = shlex.split(line)
        if words not in (["--help"], ["--version"]):
            parse(words, COMMANDS)


@pytest.mark.parametrize(
    "line", ["runs", "run --auto", "run COLOR=red", "migrate go", "notify --text hi"]
)
def test_a_wrong_command_is_noticed(line: str) -> None:
    """A command, option or variable that does not exist, or an option that is missing."""
    with pytest.raises(Exception, match=r"runs|--auto|COLOR|go|: to"):
        parse(line.split(), COMMANDS)


def test_commands_are_found() -> None:
    """The pattern finds commands in blocks, in text and in tables."""
    assert {line.split()[0] for page in PAGES for line in commands(page, BOT)} >= {
        "app-package",
        "cloud",
        "dead-letters",
        "deployment",
        "doctor",
        "migrate",
        "notify",
        "run",
    }
    found = {line for page in PAGES for line in commands(page, MAKE)}
    assert {
        "run",
        "test ALL=1",
        "run CREDENTIAL=Federated",
        "run PORT=7072 CHAT_PORT=3980",
    } <= found
    assert "run BOT=examples/dialog" in commands(ROOT / "docs" / "local-development.md", RUN)
