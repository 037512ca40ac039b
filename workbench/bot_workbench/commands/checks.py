"""`bot test` and `bot check`: the tests, and what reads the code."""

from typing import Annotated

import typer

from bot_workbench.commands.programs import module, run_programs
from bot_workbench.setup.set_up import ready
from bot_workbench.setup.tools import AZURITE

SHORT = "not extended and not timed and not last and not az and not collector"
"""The tests that take minutes and need nothing beside the app's packages: pyproject.toml describes
the marks."""

PARALLEL = ("--dist", "loadfile", "--no-loadscope-reorder")
"""A file's tests stay in one worker, which shares what the file starts."""

app = typer.Typer(add_completion=False)


@app.command("test", context_settings={"ignore_unknown_options": True})
def run_tests(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGUMENT", help="For pytest: files, -k TEXT, ...")
    ] = None,
) -> None:
    """Run the tests: in three processes, or those that the arguments name in one."""
    ready(AZURITE)
    run_programs([module("pytest", "-m", SHORT, *(arguments or ["-n", "3", *PARALLEL]))])


@app.command("check")
def check() -> None:
    """Lint the code, and check its format and its types."""
    run_programs(
        [module("ruff", "check", "."), module("ruff", "format", "--check", "."), module("mypy")]
    )
