"""`bot migrate delete-secret`: the last step, which nothing undoes."""

from typing import Annotated

import typer

from bot_workbench.admin.migrate.delete_secret.case import Case
from bot_workbench.admin.migrate.delete_secret.deleted_secrets import DeletedSecrets
from bot_workbench.admin.migrate.delete_secret.first_proof import FirstProof
from bot_workbench.admin.migrate.delete_secret.live_settings import LiveSettings
from bot_workbench.admin.migrate.delete_secret.old_settings import OldSettings
from bot_workbench.admin.migrate.delete_secret.second_proof import SecondProof
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.run import execute
from bot_workbench.admin.plan.step import Plan, unless_refused
from bot_workbench.admin.plan.target import Target

IgnoreOption = Annotated[
    bool,
    typer.Option(
        "--ignore-other-use",
        metavar="",
        help="Delete the secret although somebody else uses it: they stop working.",
    ),
]


def delete_secret(options: Options, *, ignore_other_use: IgnoreOption = False) -> None:
    """Delete the bot's secrets, after proof that nothing needs them.

    The app behind the bot's endpoint must have signed in with its new
    credential and called a channel within 10 minutes, and another usable
    credential must remain. The command then removes MicrosoftAppPassword,
    and the client secret of the Agents SDK, from the app's settings, waits
    for the restart and for a message to the bot, asks, and deletes the
    secrets one by one. A bot that the command
    managed-identity has replaced keeps no credential: its app must be
    stopped.

    [bold]Examples[/bold]

      bot migrate delete-secret --bot contoso-bot --dry-run
      bot migrate delete-secret --bot contoso-bot
      bot migrate delete-secret --bot contoso-bot --yes

    [bold]Exit status[/bold]

      0  no secret is left
      1  the command refuses, with the reason and what to do; or you said
         no; or a wait ran out. Secrets are deleted one by one: those that
         are left still work
      2  the command line is wrong, or your account sees no bot or app
         of this name, or several; nothing was done
      3  no sign-in, no answer, or your account may not do it

    [bold]--json[/bold] prints one object; the command's steps are in "steps".
    No secret value is printed, ever.
    """
    execute(options, lambda target: plan_delete_secret(target, ignore_other_use=ignore_other_use))


def plan_delete_secret(target: Target, *, ignore_other_use: bool = False) -> Plan:
    """The steps, in the order that leaves a way back for as long as there is one.

    Raises:
        AzureProblem: the bot cannot be found.
    """
    case = Case.of(target, ignore_other_use=ignore_other_use)
    steps = (
        FirstProof(case),
        LiveSettings(case),
        SecondProof(case),
        DeletedSecrets(case),
        OldSettings(case),
    )
    return Plan(
        steps,
        way_back=unless_refused("none for a deleted secret: its value cannot be recovered"),
        next_command=target.options.command_line("status"),
    )
