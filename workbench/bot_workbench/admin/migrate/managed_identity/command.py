"""`bot migrate managed-identity`: a new bot that is a managed identity."""

from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.admin.migrate.delete_secret.evidence import UNUSED_SINCE
from bot_workbench.admin.migrate.managed_identity.copied_channels import CopiedChannels
from bot_workbench.admin.migrate.managed_identity.leftovers import Leftovers
from bot_workbench.admin.migrate.managed_identity.new_bot import REPLACES, NewBot
from bot_workbench.admin.migrate.managed_identity.replaced_bot import (
    REPLACED_BY,
    ReplaceableBot,
    ReplacedBot,
)
from bot_workbench.admin.migrate.managed_identity.teams_app import TeamsApp, UpdatedTeamsApp
from bot_workbench.admin.migrate.steps.azure_bot import tags_of
from bot_workbench.admin.migrate.steps.function_app import (
    app_settings,
    deployed_code,
    question_if_hidden,
    unclaimed_app,
)
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity
from bot_workbench.admin.migrate.steps.proof import proven_sign_in
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.run import execute
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Plan, Step
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import MANAGED_IDENTITY, USER_ASSIGNED_MSI

NewBotOption = Annotated[
    str, typer.Option("--new-bot", metavar="NAME", help="The new Azure Bot, created if need be.")
]
NewAppOption = Annotated[
    str, typer.Option("--app", metavar="NAME", help="The new Function App, beside the old app.")
]
IdentityOption = Annotated[
    str,
    typer.Option(
        "--identity",
        metavar="NAME",
        help="The identity that becomes the bot (its name or id), created if need be; by default"
        " the app's only one, or a new one with the app's name.",
    ),
]
ManifestOption = Annotated[
    Path | None,
    typer.Option("--manifest", metavar="FILE", help="The Teams app's manifest.json, to update."),
]
EnvFileOption = Annotated[
    Path | None,
    typer.Option("--env-file", metavar="FILE", help="The .env file with BOT_ID, to update."),
]


def managed_identity(
    options: Options,
    new_bot: NewBotOption,
    identity: IdentityOption = "",
    manifest: ManifestOption = None,
    env_file: EnvFileOption = None,
) -> None:
    """Create a new bot that is a managed identity, beside the old one.

    The bot's id changes, so users move to the new bot. The old one stays
    as it is; the tag replacedBy names the new one. The new one's tag
    replaces has the old one's app id: only a bot with this tag is deleted
    by the way back. What cannot be copied is listed at the end.

    [bold]Examples[/bold]

      bot migrate managed-identity --bot contoso-bot \\
          --new-bot contoso-bot-2 --app contoso-app --dry-run
      bot migrate managed-identity --bot contoso-bot \\
          --new-bot contoso-bot-2 --app contoso-app \\
          --manifest appPackage/manifest.json --env-file env/.env.dev

    [bold]Exit status[/bold]

      0  the new bot signs in, and has the channels that can be copied
      1  the command refuses, with the reason and what to do; or a wait
         ran out
      2  the command line is wrong, or your account sees no bot or app
         of this name, or several; nothing was done
      3  no sign-in, no answer, or your account may not do it

    [bold]--json[/bold] prints one object; what is left to do is in the notes of its
    last step.
    """
    execute(options, lambda target: plan(target, new_bot, identity, manifest, env_file))


def plan(
    target: Target, new_bot: str, identity: str, manifest: Path | None, env_file: Path | None
) -> Plan:
    """The steps.

    Raises:
        typer.BadParameter: a file cannot be used.
        AzureProblem: the bot or the app cannot be found.
    """
    assigned = AssignedIdentity(target, identity)
    new = NewBot(target, new_bot, assigned)
    app = TeamsApp(target, new, assigned, manifest, env_file)
    app.check()
    steps = (
        ReplaceableBot(target, new),
        deployed_code(target),
        unclaimed_app(target, lambda: {target.app_id, assigned.client_id()}),
        Step(assigned.title, assigned.look),
        app_settings(
            target,
            lambda _: _settings(target, assigned),
            question=lambda: question_if_hidden(target),
        ),
        _proof(target, assigned),
        new,
        CopiedChannels(target, new),
        UpdatedTeamsApp(app),
        ReplacedBot(target, new),
        Leftovers(target, app),
    )
    return Plan(
        steps,
        way_back=lambda _: way_back(target, new),
        next_command=target.options.command_line("status"),
    )


def way_back(target: Target, new: NewBot) -> str:
    """The command that deletes the new bot. It asks for the tag once more, because it may be pasted
    when another bot has the name.

    Empty: this command has made none; or `delete-secret` has begun, after which the old bot may not
    be able to answer its users.

    Raises:
        AzureProblem: the new bot cannot be read.
    """
    if not new.is_made or UNUSED_SINCE in tags_of(target.bot()):
        return ""
    made = " ".join(f"{name} {quoted(str(value))}" for name, value in new.place.items())
    value = f'"$(az bot show {made} --query tags.{REPLACES} --output tsv)"'
    tag = quoted(f"{REPLACED_BY}={new.name}")
    return (
        f"test {value} = {quoted(target.app_id)} && az bot delete {made} && az tag update"
        f" --resource-id {quoted(target.bot_id.id)} --operation Delete --tags {tag}"
    )


def _settings(target: Target, identity: AssignedIdentity) -> dict[str, str]:
    service = target.azure.cloud.channel_service
    return {
        "MicrosoftAppType": USER_ASSIGNED_MSI,
        "MicrosoftAppId": identity.client_id(),
        "MicrosoftAppTenantId": identity.tenant_id(),
        "BotCredential": MANAGED_IDENTITY,
        **({"ChannelService": service} if service else {}),
    }


def _proof(target: Target, identity: AssignedIdentity) -> Step:
    return proven_sign_in(
        target,
        lambda: {"kind": MANAGED_IDENTITY, "appId": identity.client_id()},
        if_slow="Check that the app has the identity, and see its log",
    )
