"""`bot`: the commands that work on a deployed bot, or on its storage account.

A new command is one line here, and an `app` in its module: with one verb, or with several.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from bot_workbench.admin import console
from bot_workbench.admin.exit_status import ExitStatus
from cloud_adapter.errors import StorageUnavailable

COMMANDS = {
    "notify": "bot_workbench.admin.notify",
    "app-package": "bot_workbench.admin.app_package.command",
    "dead-letters": "bot_workbench.admin.dead_letters",
    "deployment": "bot_workbench.admin.deployment.application",
    "migrate": "bot_workbench.admin.migrate.application",
    "doctor": "bot_workbench.admin.doctor.command",
}
"""The module of each, which is imported when it is asked for: a pipeline that runs the doctor has
not the packages of the bot."""


class CommandsOnDemand(TyperGroup):
    """The commands of the table, in whose places Typer knows empty ones."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One of them; None: there is none of this name (`Any`: Typer's types are private)."""
        if cmd_name not in COMMANDS:
            return None
        command = get_command(import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        """Run the command; typer prints what is wrong with the command line, which may quote a
        file, or a name of Azure's."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = console.shown_lines(error.message)
            raise


app = typer.Typer(
    cls=CommandsOnDemand,
    help="Work with a bot: through its storage account, or on its resources in Azure."
    "\n\nExit status: 0 done; 1 done, with something to look at; 2 the command line is wrong;"
    " 3 the storage account, or Azure, cannot be reached.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for name in COMMANDS:
    app.command(name)(lambda: None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, and exit with its ExitStatus.

    Args:
        arguments: the command line; None: this process's.
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
