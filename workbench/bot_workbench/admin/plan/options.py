"""The options that several commands share, and how typer gets them."""

import inspect
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer

from bot_workbench.admin.azure.clock import Clock
from bot_workbench.admin.azure.cloud import CLOUDS, PUBLIC, ManagementCloud
from bot_workbench.admin.console import JsonOption

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

IdentityOption = Annotated[
    str,
    typer.Option(
        "--identity", metavar="NAME", help="The app's user-assigned identity, if it has several."
    ),
]

CHANGING = ("dry_run", "yes", "timeout_seconds")
"""The options that a command has only if it changes something."""


@dataclass(frozen=True)
class Options:
    """The options of the command line. The annotated fields are the options that the commands
    share.

    Attributes:
        command: its words, such as "certificate rotate" of `bot migrate`.
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
        clock: what the command waits with; no option sets it. None: the system clock.
    """

    command: str
    bot: BotOption
    app: AppOption = ""
    resource_group: ResourceGroupOption = ""
    subscription: SubscriptionOption = ""
    cloud: CloudOption = PUBLIC.name
    dry_run: DryRunOption = False
    as_json: JsonOption = False
    yes: YesOption = False
    timeout_seconds: TimeoutOption = DEFAULT_TIMEOUT_SECONDS
    extra: tuple[str, ...] = ()
    clock: Clock | None = None

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
        words = ["bot", "migrate", *(command or self.command).split()]
        words += ["--bot", self.bot]
        named = {
            "--app": self.app if app is None else app,
            "--resource-group": self.resource_group,
            "--subscription": self.subscription,
            "--cloud": "" if self.cloud == PUBLIC.name else self.cloud,
        }
        words += [word for name, value in named.items() if value for word in (name, value)]
        return shlex.join([*words, *(extra if command else self.own_words(extra))])

    def own_words(self, extra: Sequence[str] = ()) -> list[str]:
        """The end of this command line: the command's own options, `--yes` and `--timeout`.

        Args:
            extra: in place of the command's own options.
        """
        changed = self.timeout_seconds != DEFAULT_TIMEOUT_SECONDS
        timeout = ["--timeout", f"{self.timeout_seconds:g}"] if changed else []
        return [*(extra or self.extra), *(["--yes"] if self.yes else []), *timeout]


def with_options(
    command: str,
    function: Callable[..., None],
    without: Collection[str] = (),
    replaced: Mapping[str, tuple[Any, Any]] | None = None,
    kind: type[Options] = Options,
) -> Callable[..., None]:
    """A command as typer takes it: with the shared options beside its own.

    Tests pass a clock as typer's context object: `app(obj=clock)`.

    Args:
        command: its words, such as "certificate rotate".
        function: gets the Options, then the command's own options by name.
        without: names of shared options that the command does not have.
        replaced: annotations and defaults of shared options that differ for this command, by name;
            the default `...` makes one required.
        kind: whose annotated fields are the shared options.
    """
    own = dict(tuple(inspect.signature(function).parameters.items())[1:])
    shared = {
        name: parameter
        for name, parameter in inspect.signature(kind).parameters.items()
        if hasattr(parameter.annotation, "__metadata__") and name not in without
    }
    for name, (annotation, default) in (replaced or {}).items():
        shared[name] = shared[name].replace(annotation=annotation, default=default)
    first = {name: each for name, each in shared.items() if name in {"bot", "app"}}
    ordered = {**first, **own, **shared}
    keyword = inspect.Parameter.KEYWORD_ONLY

    @wraps(function)
    def run(context: typer.Context, **given: Any) -> None:
        if context.invoked_subcommand is not None:
            _refuse_given(context)
            return
        _refuse_empty(context)
        options = kind(
            command,
            **{name: given[name] for name in shared},
            extra=tuple(_own_words(context, own.keys())),
            clock=context.obj,
        )
        function(options, **{name: given[name] for name in own})

    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # typer reads it
        [
            inspect.Parameter("context", keyword, annotation=typer.Context),
            *(each.replace(kind=keyword) for each in ordered.values()),
        ]
    )
    return run


def _refuse_given(context: typer.Context) -> None:
    """Refuse options before a subcommand's name: the subcommand would not get them, and
    `certificate --dry-run rotate` would change Azure."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            command = context.invoked_subcommand
            raise typer.BadParameter(f"write it after {command!r}", param_hint=parameter.opts[0])


def _refuse_empty(context: typer.Context) -> None:
    """Refuse an empty value of a required option, such as that of `--bot "$BOT"` if BOT is not set:
    a search without a name finds every bot."""
    for parameter in context.command.params:
        if parameter.required and context.params.get(parameter.name or "") == "":
            raise typer.BadParameter("it is empty", param_hint=parameter.opts[0])


def _own_words(context: typer.Context, names: Collection[str]) -> Iterator[str]:
    """The options of the command line that differ from their defaults, to be pasted."""
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.name in names and value != parameter.default:
            yield parameter.opts[0]
            if value is not True:
                yield str(value)
