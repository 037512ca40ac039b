"""The commands of this project that the documentation names exist, with the options it gives."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from bot_workbench.targets.command_line import TARGETS
from typer.main import get_command

from bot_workbench.command_line import app
from tests.support.project import ROOT

PAGES = [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
MAKE = r"(?:make|(?:py|python3?) run\.py)"


def commands(page: Path, program: str) -> list[str]:
    """What follows a program's name in a page's code, up to the comment or the end."""
    text = re.sub(r"\\\n *", "", page.read_text("utf-8"))
    found = re.findall(rf"(?:^ *|`)(?:\S+/)?{program} ([^`#|\n]+)", text, re.M)
    return [command.strip() for command in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_has_each_target_and_variable(page: Path) -> None:
    """`make` and `run.py` are called with their targets and variables only."""
    for command in commands(page, MAKE):
        target, *given = shlex.split(command) or ["run"]
        if target == "help":
            continue
        assert target in TARGETS, command
        TARGETS[target].values(given)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_module_can_be_run(page: Path) -> None:
    """`python -m` and launch.json name a package with a `__main__`, or a program."""
    named = re.findall(r'"module": "([\w.]+)"', page.read_text("utf-8"))
    for module in (*named, *(command.split()[0] for command in commands(page, "python -m"))):
        found = importlib.util.find_spec(module)
        assert found, module
        if found.submodule_search_locations:
            assert importlib.util.find_spec(f"{module}.__main__"), module
        else:
            assert '__name__ == "__main__"' in Path(str(found.origin)).read_text("utf-8"), module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_admin_takes_each_option(page: Path) -> None:
    """`bot` parses each command line, from its subcommand to its last option."""
    for line in commands(page, "bot"):
        command: Any = get_command(app)
        arguments = shlex.split(line)
        # A group of commands may be named by itself, and may have options of its own.
        while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
            assert arguments[0] in command.commands, line
            command = command.get_command(None, arguments.pop(0))
        if arguments:
            command.make_context("admin", arguments)


def test_commands_are_found() -> None:
    """The pattern finds commands in blocks, in text and in tables."""
    assert {c.split()[0] for page in PAGES for c in commands(page, "bot")} >= {
        "app-package",
        "dead-letters",
        "deployment",
        "doctor",
        "migrate",
        "notify",
    }
    found = {command for page in PAGES for command in commands(page, MAKE)}
    assert {
        "run",
        "test ALL=1",
        "run CREDENTIAL=Federated",
        "run PORT=7072 CHAT_PORT=3980",
    } <= found
