"""The options that all commands of `migrate` have."""

import shlex
from dataclasses import dataclass
from typing import Annotated

import typer

from admin.azure.cloud import CLOUDS, PUBLIC, ManagementCloud

DEFAULT_TIMEOUT_SECONDS = 900.0

BotOption = Annotated[str, typer.Option("--bot", metavar="NAME", help="The Azure Bot.")]
AppOption = Annotated[
    str,
    typer.Option(
        "--app",
        metavar="NAME",
        help="The Function App; by default the one that the bot's endpoint names.",
    ),
]
ResourceGroupOption = Annotated[
    str,
    typer.Option(
        "--resource-group", metavar="NAME", help="The bot's group, if several bots have the name."
    ),
]
SubscriptionOption = Annotated[
    str,
    typer.Option(
        "--subscription", metavar="NAME", help="Name or id, if several subscriptions have the bot."
    ),
]
CloudOption = Annotated[
    str, typer.Option("--cloud", metavar="NAME", help=f"One of {', '.join(CLOUDS)}.")
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", metavar="", help="Print the calls and their `az` commands; change nothing."
    ),
]
YesOption = Annotated[
    bool, typer.Option("--yes", metavar="", help="Answer every question with yes; for pipelines.")
]
TimeoutOption = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait at most."),
]


@dataclass(frozen=True)
class Options:
    """What the command line says, for all commands.

    Attributes:
        command: the words after `python -m admin migrate`, such as "certificate rotate".
        bot: name of the Azure Bot.
        app: name of the Function App; empty: the one that the bot's endpoint names.
        resource_group: of the bot; empty unless its name is ambiguous.
        subscription: name or id; empty unless the bot's name is ambiguous.
        cloud: name of the cloud, a key of CLOUDS.
        dry_run: print what would be done, and change nothing.
        as_json: print one JSON object.
        yes: ask nothing.
        timeout_seconds: how long to wait at most.
        extra: the command's own options, as they are pasted: ("--vault", "contoso-bot").
    """

    command: str
    bot: str
    app: str = ""
    resource_group: str = ""
    subscription: str = ""
    cloud: str = PUBLIC.name
    dry_run: bool = False
    as_json: bool = False
    yes: bool = False
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    extra: tuple[str, ...] = ()

    @property
    def management_cloud(self) -> ManagementCloud:
        """The cloud.

        Raises:
            typer.BadParameter: no cloud has this name.
        """
        if self.cloud not in CLOUDS:
            raise typer.BadParameter(
                f"unknown cloud {self.cloud!r}: use one of {', '.join(CLOUDS)}"
            )
        return CLOUDS[self.cloud]

    @property
    def again(self) -> str:
        """This command line, to run once more: a dry run stays a dry run."""
        flags = {"--dry-run": self.dry_run, "--json": self.as_json}
        return shlex.join(
            [*shlex.split(self.command_line()), *(name for name, given in flags.items() if given)]
        )

    def command_line(self, command: str = "", *extra: str, app: str | None = None) -> str:
        """A command of `migrate` for the same bot, to paste into a shell.

        Args:
            command: its words; empty: this command, with its own options.
            extra: the command's own options.
            app: the Function App to name; None: the one of this command line.
        """
        words = ["python", "-m", "admin", "migrate", *(command or self.command).split()]
        words += ["--bot", self.bot]
        named = {
            "--app": self.app if app is None else app,
            "--resource-group": self.resource_group,
            "--subscription": self.subscription,
            "--cloud": "" if self.cloud == PUBLIC.name else self.cloud,
        }
        words += [word for name, value in named.items() if value for word in (name, value)]
        words += extra or (() if command else self.extra)
        if not command:
            words += ["--yes"] if self.yes else []
            changed = self.timeout_seconds != DEFAULT_TIMEOUT_SECONDS
            words += ["--timeout", f"{self.timeout_seconds:g}"] if changed else []
        return shlex.join(words)
