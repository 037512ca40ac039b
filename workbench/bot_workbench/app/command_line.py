"""The commands of `bot` that work on the storage account of a bot, as the bot does."""

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from bot_workbench.admin import console
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.app import dead_letters
from bot_workbench.app.notify import notify
from cloud_adapter.errors import StorageUnavailable


class _Commands(TyperGroup):
    """The commands."""

    def invoke(self, ctx: Any) -> Any:
        """Run one; typer prints what is wrong with the command line, which may quote a file."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = console.shown_lines(error.message)
            raise


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("notify")(notify)
app.add_typer(dead_letters.app, name="dead-letters")


def main(arguments: Sequence[str]) -> None:
    """Run one command, and exit with its ExitStatus.

    Args:
        arguments: its name, and what follows it on the command line.
    """
    try:
        app(arguments, prog_name="bot")
    except StorageUnavailable as error:
        console.write_error(f"{error}\n{_WHICH_ACCOUNT}")
        sys.exit(ExitStatus.UNREACHABLE)


_WHICH_ACCOUNT = (
    "The command uses the account that --account or --connection-string names; without them,"
    " Azurite on this machine, which `make run` starts."
)
