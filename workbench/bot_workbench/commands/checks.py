"""`bot test` and `bot check`: the tests, and what reads the code."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.commands.programs import module, run_programs
from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.set_up import ready
from bot_workbench.setup.tools import AZURITE

SHORT = "not extended and not timed and not last and not az and not collector"
"""The tests that take minutes and need nothing beside the app's packages: pyproject.toml describes
the marks."""

PARALLEL = ("--dist", "loadfile", "--no-loadscope-reorder")
"""A file's tests stay in one worker, which shares what the file starts."""

app = typer.Typer(add_completion=False)


def require(command: str, *tools: str) -> None:
    """Check that the tools of a command are installed; `bot` itself does not need them.

    Raises:
        SetUpError: one is missing.
    """
    for tool in tools:
        if find_spec(tool) is None:
            raise SetUpError(
                f"{tool} is missing: name it in requirements-dev.txt, and run the command again."
                f" In the base's own repository, run `make {command}`, which installs it."
            )


@app.command("test", context_settings={"ignore_unknown_options": True})
def run_tests(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGUMENT", help="For pytest, such as files or -k TEXT."),
    ] = None,
) -> None:
    """Run all tests, or those that the arguments name from here.

    All run in three processes if pytest-xdist is installed.
    """
    require("test", "pytest")
    ready(AZURITE)
    command = module("pytest", "-m", SHORT)
    if arguments:
        run_programs([[*command, *arguments]], Path.cwd())
    run_programs([[*command, *(("-n", "3", *PARALLEL) if find_spec("xdist") else ())]])


@app.command("check")
def check() -> None:
    """Lint the code, and check its format and its types."""
    require("check", "ruff", "mypy")
    run_programs(
        [module("ruff", "check", "."), module("ruff", "format", "--check", "."), module("mypy")]
    )
