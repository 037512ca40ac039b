"""`bot test` and `bot check`: the bot's tests, and what reads its code."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.app_folder import BOT
from bot_workbench.commands.programs import module, run_programs
from bot_workbench.project import APP
from bot_workbench.public_names import findings
from bot_workbench.setup.errors import SetUpError

TESTS = "tests"
"""The folder with the tests, in that of the app."""

app = typer.Typer(add_completion=False)


def require(tool: str) -> None:
    """Check that the tool of a command is installed; `bot` itself does not need it.

    Raises:
        SetUpError: it is missing.
    """
    if find_spec(tool) is None:
        raise SetUpError(
            f"{tool} is missing: name it in requirements-dev.txt, and run the command again."
        )


@app.command("test", context_settings={"ignore_unknown_options": True})
def run_tests(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGUMENT", help="For pytest, such as files or -k TEXT."),
    ] = None,
) -> None:
    """Run the tests, or those that the arguments name from here."""
    require("pytest")
    if arguments:
        run_programs([module("pytest", *arguments)], Path.cwd())
    run_programs([module("pytest", TESTS)])


@app.command("check")
def check() -> None:
    """Check the lint, the format and the imports of the bot and its tests.

    Settings of ruff are in pyproject.toml. The bot may import what is
    deployed with it, and of the base only its public names.
    """
    require("ruff")
    bot, tests = APP / BOT, APP / TESTS / BOT
    found = [
        line
        for folder in (bot, tests)
        for file in sorted(folder.rglob("*.py"))
        for line in findings(file, bot, is_test=folder == tests)
    ]
    if found:
        print(*found, sep="\n")
        sys.exit(ExitStatus.FOUND)
    folders = [str(each.relative_to(APP)) for each in (bot, tests) if each.is_dir()]
    run_programs([module("ruff", "check", *folders), module("ruff", "format", "--check", *folders)])
