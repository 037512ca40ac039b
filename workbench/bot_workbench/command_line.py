"""The command line of `bot`: its commands, and what they have in common.

A new command is a row of COMMANDS, and an `app` in its module: with one verb, or with several.
"""

import re
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from bot_workbench import app_process
from bot_workbench.admin import console
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.commands.ports import PortInUseError
from bot_workbench.project import NoAppError, require_app, version
from bot_workbench.setup.errors import SetUpError

HERE, DEPLOYED = "On this machine", "A deployed bot"


@dataclass(frozen=True)
class Command:
    """A command of `bot`.

    Attributes:
        module: has its `app`, a Typer; it is imported only to run the command, because a pipeline
            that runs the doctor does not have the packages of the local cloud. Empty: the command
            runs in the app's process.
        help: what it does, in a few words.
        needs_app: whether it works on the app in whose folder it is started.
        panel: the heading under which `--help` has it.
    """

    module: str
    help: str
    needs_app: bool = True
    panel: str = HERE


COMMANDS: Mapping[str, Command] = {
    "run": Command(
        "bot_workbench.commands.run.local_run", "Run the bot, and a page to talk to it."
    ),
    "test": Command("bot_workbench.commands.checks", "Run the tests."),
    "check": Command("bot_workbench.commands.checks", "Check lint, format and imports."),
    "playground": Command(
        "bot_workbench.commands.playground",
        "Run the bot without authentication, in Microsoft's Agents Playground.",
    ),
    "cloud": Command(
        "bot_workbench.commands.cloud",
        "Run the local cloud alone, for an app under `func start`.",
    ),
    "azure": Command(
        "bot_workbench.commands.azure",
        "Run a local Azure with a bot that has a secret, to try `bot migrate` and az.",
    ),
    "package": Command("bot_workbench.commands.package", "Build and check what runs in Azure."),
    "constraints": Command(
        "bot_workbench.commands.constraints", "Pin what the bot's packages need."
    ),
    "setup": Command("bot_workbench.commands.setup", "Install what the other commands need."),
    "app-package": Command(
        "bot_workbench.admin.app_package.command", "Build the zip that is uploaded to Teams."
    ),
    "deployment": Command(
        "bot_workbench.admin.deployment.commands",
        "Do what a deployment needs besides Bicep; azd's hooks run it.",
        panel=DEPLOYED,
    ),
    "doctor": Command(
        "bot_workbench.admin.doctor.command",
        "Find what is wrong with a deployed bot, and how to fix it.",
        panel=DEPLOYED,
    ),
    "notify": Command(
        "",
        "Send a proactive notification to many conversations.",
        panel=DEPLOYED,
    ),
    "dead-letters": Command(
        "",
        "List, replay and drop activities whose turns failed too often.",
        panel=DEPLOYED,
    ),
    "migrate": Command(
        "bot_workbench.admin.migrate.application",
        "Move a bot from a secret to a credential without one.",
        needs_app=False,
        panel=DEPLOYED,
    ),
}

_VARIABLE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)


class CommandsOnDemand(TyperGroup):
    """The commands of a table. Typer itself has placeholders, so `--help` imports no command."""

    table: Mapping[str, Command] = COMMANDS

    # Any, here and below: Typer's types of commands and contexts are private.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that a command line names, with the words that follow it."""
        name, command, words = super().resolve_command(ctx, args)
        if name is None or name not in self.table:
            return name, command, words
        if not self.table[name].module:
            app_process.run(name, words)
        if self.table[name].needs_app and "--help" not in words:
            require_app()
        command = imported(name, self.table)
        return name, command, list(with_options(command, words))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what typer prints of a wrong command line may quote a file, or a name
        in Azure, whose control characters must not reach the terminal."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = console.shown_lines(error.message)
            raise


def imported(name: str, table: Mapping[str, Command] = COMMANDS) -> Any:
    """A command, whose module is imported.

    Args:
        name: a key of the table.
        table: the commands.
    """
    command = get_command(import_module(table[name].module).app)
    # A module may have several commands of the table.
    command = getattr(command, "commands", {}).get(name, command)
    command.name = name
    return command


def with_options(command: Any, words: Sequence[str]) -> Iterator[str]:
    """A command's words, with `--port 7072` in place of make's PORT=7072.

    Raises:
        typer.BadParameter: the command has no such option, or it is a flag and the value is not 1
            or 0.
    """
    options = {name: each for each in command.params for name in each.opts if name[:2] == "--"}
    before = ""
    for word in words:
        found = _VARIABLE.fullmatch(word)
        is_value = before in options and not options[before].is_flag
        before = word
        if found is None or is_value or hasattr(command, "commands"):
            yield word
            continue
        name, value = f"--{found[1].lower().replace('_', '-')}", found[2]
        if name not in options or name == "--help":
            known = (each[2:].upper().replace("-", "_") for each in options if each != "--help")
            taken = ", ".join(f"{each}=" for each in known) or "no variables"
            raise typer.BadParameter(f"{command.name} does not take {word}: it takes {taken}")
        if options[name].is_flag:
            if value not in ("", "0", "1"):
                raise typer.BadParameter(f"{word}: {found[1]} must be 1 or 0")
            yield from [name] * (value == "1")
        elif options[name].multiple:
            yield from (text for each in value.split() for text in (name, each))
        elif value:
            yield from (name, value)


def print_version(wanted: bool) -> None:
    """Print the version, and end, if `--version` was given."""
    if wanted:
        print(version())
        raise typer.Exit


def options_of_bot(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=print_version,
            is_eager=True,
            help="Print the version of the base in this folder; elsewhere, of the workbench.",
        ),
    ] = False,
) -> None:
    """The options of `bot` itself."""


def application(table: Mapping[str, Command] = COMMANDS) -> typer.Typer:
    """The commands of a table."""
    found = typer.Typer(
        cls=type("Commands", (CommandsOnDemand,), {"table": table}),
        help="Run, test, package, deploy, examine and move a bot."
        "\n\nPORT=7072 is --port 7072, for the commands that make has, too."
        "\n\nExit status: 0 done; 1 done, with something to look at; 2 the command line is wrong,"
        " or there is no app in this folder; 3 the storage account, or Azure, cannot be reached.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    found.callback()(options_of_bot)
    for name, command in table.items():
        found.command(name, help=command.help, rich_help_panel=command.panel)(lambda: None)
    return found


app = application()


def run(words: Sequence[str], table: Mapping[str, Command] = COMMANDS) -> None:
    """Run one command, and exit with its status.

    Args:
        words: the command line.
        table: the commands.
    """
    for name in words[:1]:
        if name in table and table[name].module:
            import_module(table[name].module)  # before Ctrl-C may raise anywhere in it
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # commands handle it
    try:
        application(table)(list(words), prog_name="bot")
    except NoAppError as error:
        console.write_error(str(error))
        sys.exit(ExitStatus.USAGE)
    except (SetUpError, PortInUseError) as error:
        console.write_error(str(error))
        sys.exit(ExitStatus.FOUND)
