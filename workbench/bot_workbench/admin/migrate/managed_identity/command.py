"""`bot migrate managed-identity`: a new bot that is a managed identity."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.admin.migrate.delete_secret.evidence import UNUSED_SINCE
from bot_workbench.admin.migrate.managed_identity.channels import (
    channels_of,
    copied_channels,
    leftovers,
)
from bot_workbench.admin.migrate.managed_identity.developer_files import FilesRefused
from bot_workbench.admin.migrate.managed_identity.manifest import Manifest
from bot_workbench.admin.migrate.managed_identity.new_bot import REPLACES, NewBot
from bot_workbench.admin.migrate.managed_identity.replaced_bot import (
    REPLACED_BY,
    replaceable_bot,
    replaced_bot,
)
from bot_workbench.admin.migrate.managed_identity.teams_app import TeamsApp
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
from bot_workbench.admin.plan.step import Finding, Plan, Step
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import MANAGED_IDENTITY, USER_ASSIGNED_MSI

CONVERSATIONS = (
    "stored conversation references are of no use to the new bot: it gets new ones when the new"
    " version of the Teams app is installed, or when somebody writes to it; conversation state"
    " starts empty"
)

SETTINGS = {
    "isCmekEnabled": "the bot's data is encrypted with your own key: set it again in the portal,"
    " Encryption",
    "developerAppInsightKey": "the bot's analytics go to Application Insights: set it again in the"
    " portal, Configuration, because its API key cannot be read",
}
"""Settings of a bot that are not copied, by the property that shows that it has them."""

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
        Step("The old Azure Bot", partial(replaceable_bot, target, new)),
        deployed_code(target),
        unclaimed_app(target, lambda: {target.app_id, assigned.client_id()}),
        Step(assigned.title, assigned.look),
        app_settings(
            target,
            lambda _: _settings(target, assigned),
            question=lambda: question_if_hidden(target),
        ),
        _proof(target, assigned),
        Step("The new Azure Bot", new.look),
        Step("Channels", partial(copied_channels, target, new)),
        Step("Teams app", app.look),
        Step("Tag of the old Azure Bot", partial(replaced_bot, target, new)),
        Step("What cannot be copied", partial(left_to_do, target, app)),
    )
    return Plan(
        steps,
        way_back=lambda _: way_back(target, new),
        next_command=target.options.command_line("status"),
    )


def left_to_do(old: Target, app: TeamsApp) -> Finding:
    """What cannot be copied, and is the owner's to do, in the notes; there is nothing to change.

    Raises:
        AzureProblem: the old bot's channels or OAuth connections cannot be read.
    """
    arm, bot_id, moved = old.azure.arm, old.bot_id.id, app.moved()
    notes = [
        *(text for name, text in SETTINGS.items() if old.bot()["properties"].get(name)),
        *leftovers(channels_of(arm, bot_id), moved.old_host),
    ]
    for connection in arm.pages(f"{bot_id}/connections"):
        found = connection.get("properties") or {}
        provider = found.get("serviceProviderDisplayName") or found.get("serviceProviderId")
        notes.append(
            f"OAuth connection {str(connection['name']).rsplit('/', 1)[-1]}: create it again under"
            f" the same name (provider {provider or 'unknown'}, scopes"
            f" {found.get('scopes') or 'none'}); its client secret cannot be read, and users sign"
            " in again"
        )
    notes.append(CONVERSATIONS)
    if app.manifest:
        try:
            notes += Manifest(app.manifest).leftovers(moved)
        except FilesRefused as error:
            return Finding("the manifest has just been changed", refusal=str(error))
        notes.append("publish the new version of the Teams app; people get it as an update")
    return Finding(f"{len(notes)} things are left for you to do", notes=tuple(notes))


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
