"""`migrate switch` and `migrate back`."""

from typing import Annotated

import typer

from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.steps.bot_tag import tags_of
from bot_workbench.admin.migrate.switch.apps import ReachableApp, ReadyApp
from bot_workbench.admin.migrate.switch.moved_endpoint import (
    NEW_ENDPOINT,
    PREVIOUS_ENDPOINT,
    MovedEndpoint,
    RememberedEndpoint,
    leaves_new_app,
)
from bot_workbench.admin.migrate.switch.old_credential import OldCredential
from bot_workbench.admin.plan.execution import execute
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding, Plan, unless_refused
from bot_workbench.admin.plan.target import ENDPOINT_PATH, Target, endpoint_of, type_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

RememberedAppOption = Annotated[
    str,
    typer.Option(
        "--app",
        metavar="NAME",
        help="The new Function App; by default the one that `switch` moved to before.",
    ),
]


def switch(options: Options) -> None:
    """Move the bot's users to the new app: its endpoint, in one call.

    First the new app must prove, at its `/api/identity`, that it signs in
    as this bot. The old endpoint is remembered in the Azure Bot's tags, so
    that `back` works from any machine; the endpoint moves once a read has
    shown that they remember it.

    [bold]Examples[/bold]

      bot migrate switch --bot contoso-bot --app contoso-new
      bot migrate switch --bot contoso-bot --app contoso-new \\
          --dry-run

    [bold]Exit status[/bold]

      0    the endpoint is the new app's
      1    the new app does not sign in as this bot, channels cannot reach
           it, or the tags do not remember the way back
      2    the command line is wrong, or your account sees no bot or app
           of this name, or several
      3    no sign-in, no answer from Azure, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object:

      {"command": TEXT, "bot": NAME, "dryRun": BOOLEAN,
       "result": RESULT, "reason": TEXT, "notes": [TEXT],
       "steps": [{"title": TEXT, "found": [TEXT], "notes": [TEXT],
                  "question": TEXT,
                  "changes": [{"summary": TEXT, "method": METHOD,
                               "url": URL, "body": OBJECT,
                               "az": [LINE], "sent": BOOLEAN,
                               "problem": TEXT}]}],
       "wayBack": TEXT, "next": COMMAND}

    RESULT is done, planned (--dry-run), refused, declined, waiting (the
    time ran out) or failed. "question" is only in a dry run, and "problem"
    only if the change had to be looked up or sent again.
    """
    execute(options, plan_switch)


def plan_switch(target: Target) -> Plan:
    """The endpoint moves to the new app, which must be ready.

    Raises:
        AzureProblem: the bot or the app cannot be found.
        typer.BadParameter: no app is named, and none is remembered.
    """
    chosen = target if target.options.app else _remembered_app(target)
    endpoint = f"https://{chosen.host}{ENDPOINT_PATH}"
    bot = target.bot()
    next_command = "status" if type_of(bot) == USER_ASSIGNED_MSI else "delete-secret"
    return Plan(
        (
            ReadyApp(chosen, endpoint),
            RememberedEndpoint(chosen, endpoint),
            MovedEndpoint(chosen, endpoint),
        ),
        way_back=unless_refused(_way_back(target, bot, endpoint)),
        next_command=chosen.options.command_line(next_command),
    )


def _way_back(target: Target, bot: JsonObject, endpoint: str) -> str:
    """The command that undoes a switch to an endpoint (URL); empty: it was always there."""
    if endpoint_of(bot).lower() == endpoint.lower() and not tags_of(bot).get(PREVIOUS_ENDPOINT):
        return ""
    if not leaves_new_app(bot, endpoint):
        return target.options.command_line("back", app="")
    try:
        return target.options.command_line("switch", app=target.site_at(endpoint_of(bot)).name)
    except AzureProblem:  # the account need not see the app that is left
        return az("bot update", {**target.bot_id.az_options, "--endpoint": endpoint_of(bot)})


def _remembered_app(target: Target) -> Target:
    endpoint = tags_of(target.bot()).get(NEW_ENDPOINT, "")
    if not endpoint:
        raise typer.BadParameter(
            "name the new Function App with --app: the bot's tags remember none"
        )
    return target.for_app(target.site_at(endpoint))


def back(options: Options) -> None:
    """Move the bot's users back to the old app: its endpoint, in one call.

    The old endpoint comes from the tag previousEndpoint, which `switch`
    has set. It works as long as the old app has its secret.

    [bold]Examples[/bold]

      bot migrate back --bot contoso-bot

    [bold]Exit status[/bold]

      0    the endpoint is the old app's
      1    no old endpoint is remembered, or the old app could not sign in;
           nothing was changed
      2    the command line is wrong, or your account sees no bot or app
           of this name, or several
      3    no sign-in, no answer from Azure, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `switch` does.
    """
    execute(options, plan_back)


def plan_back(target: Target) -> Plan:
    """The endpoint moves to the one that the tags remember.

    Raises:
        AzureProblem: the bot cannot be found.
    """
    previous = tags_of(target.bot()).get(PREVIOUS_ENDPOINT, "")
    if not previous:
        return Plan((NothingRemembered(target),))
    moved = MovedEndpoint(target, previous, remember=NEW_ENDPOINT, named=PREVIOUS_ENDPOINT)
    return Plan(
        (OldCredential(target, previous), ReachableApp(target, previous), moved),
        way_back=unless_refused(target.options.command_line("switch")),
    )


class NothingRemembered:
    """Refuses: the bot's tags remember no old endpoint.

    Args:
        target: has the bot.
    """

    title = "The old endpoint"

    def __init__(self, target: Target) -> None:
        self._target = target

    def look(self) -> Finding:
        """Say where the endpoint is.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        bot = self._target.bot_id
        now = endpoint_of(self._target.bot())
        return Finding(
            f"the endpoint is {now}, and the tag {PREVIOUS_ENDPOINT} is missing",
            refusal="`switch` has not moved this bot, so there is nothing to go back to. Any other"
            f" endpoint: `az bot update --resource-group {bot.resource_group} --name {bot.name}"
            " --endpoint URL`",
        )
