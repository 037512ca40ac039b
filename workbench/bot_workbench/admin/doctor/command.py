"""`bot doctor`: what is wrong with a deployed bot, and its cure."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Annotated

import typer

from bot_workbench import app_process
from bot_workbench.admin import console
from bot_workbench.admin.azure.arm_client import BOT, SITE, ArmClient
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import Ambiguous, NotFound, NotReachable, UnknownName
from bot_workbench.admin.azure.resources import (
    ResourceId,
    answers_at,
    find_resource,
    find_resources,
)
from bot_workbench.admin.azure.retries import RetryLimits
from bot_workbench.admin.console import print_lines, print_tables
from bot_workbench.admin.doctor.diagnosis import IGNORED
from bot_workbench.admin.doctor.examination import ALL_CODES, CODES, examine, reads_of
from bot_workbench.admin.doctor.other_app import without_app
from bot_workbench.admin.doctor.report import (
    finding_lines,
    print_findings,
    report_json,
    rows_of,
)
from bot_workbench.admin.doctor.setting_rules import refused
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import AzureBot, DeployedBot
from bot_workbench.admin.migrate.deployed_bot.read import MALFORMED, malformed
from bot_workbench.admin.plan.options import CHANGING, Options, with_options
from bot_workbench.admin.plan.run import read_only
from bot_workbench.admin.plan.target import Target, endpoint_of

LIMITS = RetryLimits(retries=2, read_seconds=20)
"""Shorter than those of commands that change something: here, nothing is left half-done."""

DoctorBotOption = Annotated[
    str,
    typer.Option(
        "--bot",
        metavar="NAME",
        help="The Azure Bot; by default the one of --app, or the only one that your account sees.",
    ),
]
IgnoreOption = Annotated[
    str,
    typer.Option(
        "--ignore",
        metavar="CODES",
        help="Findings that you intend, with commas between them: web-chat-off,teams-missing.",
    ),
]

CODES_HELP = "\n\n".join(
    [
        "[bold]What it finds[/bold]",
        *(f"{about}: {', '.join(codes)}" for about, codes in CODES.items()),
    ]
)
"""The end of the command's help."""


def doctor(options: Options, ignore: IgnoreOption = "") -> None:
    """Look at a deployed bot, and say what is wrong and how to cure it.

    It changes nothing, sends no message to users, and prints no secret.
    What your account may not read is a finding, too, with the role that is
    missing; everything else is still looked at. Run it after a deployment,
    from a pipeline, and when the bot does not answer.

    [bold]Examples[/bold]

      bot doctor
      bot doctor --bot contoso-bot
      bot doctor --app contoso-functions --json
      bot doctor --ignore web-chat-off,turns-failed

    [bold]Roles[/bold]: Website Contributor on the app, Reader on the
    resource group, Key Vault Reader on the vault, Log Analytics Reader on
    the workspace, and Directory Readers in Entra see everything. For a
    pipeline, docs/pipelines.md has roles that cannot publish.

    [bold]Exit status[/bold]

      0    nothing was found, or only what --ignore names
      1    something was found, or could not be looked at
      2    the command line is wrong, or your account sees no bot or app
           of this name, or several; or you are not in an app's folder:
           the app's code has the rules for its settings
      3    no sign-in, no answer from Azure, or not allowed
      130  Ctrl-C

    [bold]--json[/bold] prints one JSON object:

      {"bot": {"name": NAME, "id": ID, "appId": GUID},
       "app": {"name": NAME, "id": ID}, "facts": {NAME: TEXT},
       "findings": [{"code": CODE, "severity": SEVERITY,
                     "problem": TEXT, "cure": TEXT}]}

    SEVERITY is "error" (the bot does not work, or is not protected),
    "warning" (change it), "unknown" (it could not be looked at) or "ignored",
    in this order. A cure is a command, a sentence, or several lines of these. "app" is
    null if there is none at the bot's endpoint. If the bot cannot be read:
    {"error": TEXT}.
    """
    ignored = frozenset(code.strip() for code in ignore.split(",")) - {""}
    if unknown := ignored - ALL_CODES:
        text = f"it finds nothing with the code {', '.join(sorted(unknown))}"
        raise typer.BadParameter(text, param_hint="--ignore")
    app_process.ask("settings", {})  # nothing is read without the rules for settings
    raise typer.Exit(read_only(options, lambda target: show(target, ignored), LIMITS))


def show(target: Target, ignored: frozenset[str]) -> ExitStatus:
    """Find the bot, read everything, check it, and print the report.

    Args:
        target: the bot that the command line names.
        ignored: codes of findings that do not change the exit status.

    Raises:
        AzureProblem: the Azure Bot or its app cannot be read.
    """
    options = target.options
    people = console.output.is_terminal and not options.as_json
    with console.output.status("Looking for the bot ...") if people else nullcontext() as line:
        with _as_documented():
            named = _bot_of(target.azure, options)
            azure_bot = AzureBot(named, named.bot())
            if line is not None:
                line.update("Looking for its app ...")
            bot, missing = _with_app(azure_bot)
        for read in reads_of(bot) if bot else ():
            if line is not None:
                line.update(f"Looking at {read.title} ...")
            _ = read.error  # waits for it
    rows = rows_of(bot) if bot else []
    found = examine(bot, ignored) if bot else [without_app(azure_bot, missing)]
    if options.as_json:
        console.write_json(report_json(bot or azure_bot, rows, found))
    elif people:
        print_tables(console.output, rows)
        print_findings(console.output, found)
    else:
        print_lines(rows)
        console.write("\n".join(finding_lines(found)))
    counted = any(each.severity != IGNORED for each in found)
    return ExitStatus.FOUND if counted else ExitStatus.DONE


def _bot_of(azure: AzureClients, options: Options) -> Target:
    """The bot to look at: by its name, by its app's, or the only one.

    Args:
        azure: the clients.
        options: the command line; the bot's name may be empty.

    Raises:
        UnknownName: there is none.
        Ambiguous: there are several; the text lists them.
        AzureProblem: the resources cannot be listed or read.
    """
    if options.bot:
        return Target(azure, options)
    group, subscription = options.resource_group, options.subscription
    found = find_resources(azure.arm, BOT, "", group, subscription)
    if options.app:
        found = _bots_at(azure.arm, found, options.app)
    if not found:
        where = f" whose endpoint is at the app {options.app}" if options.app else ""
        raise UnknownName(f"your account sees no Azure Bot{where}: name one with --bot")
    if len(found) > 1:
        lines = "".join(
            f"\n  --bot {one.name} --resource-group {one.resource_group}"
            f" --subscription {one.subscription}"
            for one in found
        )
        raise Ambiguous(f"your account sees {len(found)} Azure Bots: name one:{lines}")
    (bot,) = found
    return Target(
        azure,
        replace(
            options,
            bot=bot.name,
            resource_group=bot.resource_group,
            subscription=bot.subscription,
        ),
    )


def _bots_at(arm: ArmClient, bots: list[ResourceId], app: str) -> list[ResourceId]:
    """The bots whose endpoint is at the app of this name."""
    site = arm.get(find_resource(arm, SITE, app).id)
    known = ((one, arm.find(one.id)) for one in bots)  # one may just have been deleted
    return [one for one, bot in known if bot and answers_at(site, endpoint_of(bot))]


@contextmanager
def _as_documented() -> Iterator[None]:
    """Raise what an answer of an unexpected shape causes as an AzureProblem.

    Raises:
        NotReachable: in place of it.
    """
    try:
        yield
    except MALFORMED as wrong:
        reason = f"Azure Resource Manager: {malformed(wrong)}. Is there a proxy?"
        raise NotReachable(reason) from wrong


def _with_app(bot: AzureBot) -> tuple[DeployedBot | None, str]:
    """The bot with its app; None: there is none at its endpoint, and why.

    Raises:
        AzureProblem: the app that the command line names cannot be read.
    """
    try:
        return DeployedBot(bot.target, bot.bot, bot.target.site(), refused), ""
    except NotFound as missing:
        if bot.target.options.app:
            raise
        return None, str(missing)


app = typer.Typer(add_completion=False)
app.command("doctor", epilog=CODES_HELP)(
    with_options("doctor", doctor, without=CHANGING, replaced={"bot": (DoctorBotOption, "")})
)
