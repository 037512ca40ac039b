"""`bot doctor`: what is wrong with a deployed bot, and its cure."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Annotated

import typer
from rich.status import Status

from bot_workbench import app_process
from bot_workbench.admin import console
from bot_workbench.admin.azure.errors import AzureProblem, NotFound, NotReachable
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.retries import RetryLimits
from bot_workbench.admin.doctor.background_read import MALFORMED
from bot_workbench.admin.doctor.bot_search import find_bot
from bot_workbench.admin.doctor.codes import ALL_CODES, CODES
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import IGNORED, Diagnosis, error
from bot_workbench.admin.doctor.examination import examine
from bot_workbench.admin.doctor.finding_lines import finding_lines, print_findings
from bot_workbench.admin.doctor.other_app import has_usable_secret, known_app
from bot_workbench.admin.doctor.report import findings_json, report_json, rows_of
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.admin.migrate.steps.bot_tag import tags_of
from bot_workbench.admin.migrate.switch.moved_endpoint import NEW_ENDPOINT
from bot_workbench.admin.plan.execution import read_only
from bot_workbench.admin.plan.options import CHANGING, Options, with_options
from bot_workbench.admin.plan.target import Target, endpoint_of
from bot_workbench.admin.rows import Row, print_lines, print_tables

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
    with _as_documented(), _status("Looking for the bot ...", visible=people):
        named = find_bot(target.azure, options)
        azure_bot = named.bot()
    try:
        with _as_documented(), _status("Looking for its app ...", visible=people):
            site = named.site()
    except NotFound as missing:
        if options.app:
            raise
        return _print_without_app(azure_bot, _no_app(named, azure_bot, str(missing)), options)
    bot = DeployedBot(named, azure_bot, site)
    _wait(bot, with_progress=people)
    found = examine(bot, ignored)
    if options.as_json:
        console.write_json(report_json(bot, found))
    else:
        _print(rows_of(bot), found)
    counted = any(each.severity != IGNORED for each in found)
    return ExitStatus.FOUND if counted else ExitStatus.DONE


@contextmanager
def _as_documented() -> Iterator[None]:
    """Raise what an answer of an unexpected shape causes as an AzureProblem.

    Raises:
        NotReachable: in place of it.
    """
    try:
        yield
    except MALFORMED as wrong:
        reason = f"an answer has an unexpected shape ({type(wrong).__name__})"
        raise NotReachable(f"Azure Resource Manager: {reason}. Is there a proxy?") from wrong


def _status(text: str, *, visible: bool) -> AbstractContextManager[Status | None]:
    """A line on a terminal that says what is going on; elsewhere, nothing."""
    return console.output.status(text) if visible else nullcontext()


def _wait(bot: DeployedBot, *, with_progress: bool) -> None:
    """Wait until everything is read. On a terminal, a line says for what."""
    with _status("Looking ...", visible=with_progress) as status:
        for read in bot.reads:
            if status is not None:
                status.update(f"Looking at {read.title} ...")
            _ = read.part  # waits for it


def _no_app(named: Target, azure_bot: JsonObject, reason: str) -> Diagnosis:
    endpoint = endpoint_of(azure_bot)
    known = _next_command(named, azure_bot)
    cure = known or "Name the app with --app"
    if not endpoint:
        return error("endpoint-missing", "the Azure Bot has no endpoint", cure)
    if known and NEW_ENDPOINT not in tags_of(azure_bot):
        cure = f"If no gateway forwards to the bot's app from there:\n{known}"
    return error("endpoint-elsewhere", f"the endpoint {endpoint}: {reason}", cure)


def _next_command(named: Target, azure_bot: JsonObject) -> str:
    """The cure if another app is known; empty: none is."""
    switch = known_app(named, azure_bot)
    try:
        goes_on = bool(switch) and has_usable_secret(named.application())
    except AzureProblem:
        goes_on = False
    return named.options.command_line("status", app="") if goes_on else switch


def _print_without_app(bot: JsonObject, found: Diagnosis, options: Options) -> ExitStatus:
    if options.as_json:
        named = {"name": bot["name"], "id": bot["id"], "appId": bot["properties"]["msaAppId"]}
        report = {"bot": named, "app": None, "facts": {}, "findings": findings_json([found])}
        console.write_json(report)
    else:
        _print([], [found])
    return ExitStatus.FOUND


def _print(rows: Sequence[Row], found: Sequence[Diagnosis]) -> None:
    if console.output.is_terminal:
        print_tables(console.output, rows)
        print_findings(console.output, found)
    else:
        print_lines(rows)
        console.write("\n".join(finding_lines(found)))


app = typer.Typer(add_completion=False)
app.command("doctor", epilog=CODES_HELP)(
    with_options("doctor", doctor, without=CHANGING, replaced={"bot": (DoctorBotOption, "")})
)
