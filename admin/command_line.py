"""`python -m admin`: the commands that work on a deployed bot, or on its storage account.

A new command is one line here: `app.command` for a verb, `app.add_typer` for a noun with verbs.
"""

import sys
from collections.abc import Sequence

import typer

from admin import console, dead_letters
from admin.app_package.command import app_package
from admin.deployment import application as deployment
from admin.doctor.command import CODES_HELP, DoctorBotOption, doctor
from admin.exit_status import ExitStatus
from admin.migrate import application
from admin.notify import notify
from admin.plan.options import CHANGING, with_options
from cloud_adapter.errors import StorageUnavailable

app = typer.Typer(
    help="Work with a bot: through its storage account, or on its resources in Azure."
    "\n\nExit status: 0 done; 1 done, with something to look at; 2 the command line is wrong;"
    " 3 the storage account, or Azure, cannot be reached.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("notify")(notify)
app.command("app-package")(app_package)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(deployment.app, name="deployment")
app.add_typer(application.app, name="migrate")
app.command("doctor", epilog=CODES_HELP)(
    with_options("doctor", doctor, without=CHANGING, replaced={"bot": (DoctorBotOption, "")})
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, and exit with its ExitStatus.

    Args:
        arguments: the command line; None: this process's.
    """
    try:
        app(arguments, prog_name="python -m admin")
    except StorageUnavailable as error:
        console.errors.print(f"{error}\n{_WHICH_ACCOUNT}", soft_wrap=True)
        sys.exit(ExitStatus.UNREACHABLE)


_WHICH_ACCOUNT = (
    "The command uses the account that --account or --connection-string names; without them,"
    " Azurite on this machine, which `make run` starts."
)
