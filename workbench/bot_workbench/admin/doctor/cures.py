"""The commands that cure what the doctor finds, to be pasted."""

import json
from collections.abc import Sequence

from bot_workbench.admin.azure.arm_client import API_VERSIONS
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.migrate.deployed_bot.app_settings import CONNECTION
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot
from bot_workbench.admin.plan.settings import credential_kind
from bot_workbench.admin.plan.shell import az, quoted

BOT_VERSION = API_VERSIONS["Microsoft.BotService"]
WEB_CHAT = "WebChatChannel"
SETTINGS_PAGE = "docs/settings.md has every setting"


def change(command: str, resource: JsonObject, **options: str) -> str:
    """A command on a resource that takes its name and group.

    Args:
        command: its words, such as "storage account update".
        resource: as Resource Manager returns it.
        options: its other options, without the hyphens: `allow_shared_key_access="false"`.
    """
    found = ResourceId(str(resource["id"]), str(resource["name"]))
    named = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    return az(command, {**found.az_options, **named})


def set_settings(bot: DeployedBot, **values: str) -> str:
    """The command that sets app settings."""
    pairs = " ".join(quoted(f"{name}={value}") for name, value in values.items())
    return f"{change('functionapp config appsettings set', bot.site)} --settings {pairs}"


def delete_settings(bot: DeployedBot, names: Sequence[str]) -> str:
    """The command that deletes app settings."""
    listed = " ".join(map(quoted, names))
    return f"{change('functionapp config appsettings delete', bot.site)} --setting-names {listed}"


def connect_insights(bot: DeployedBot, component_id: str) -> str:
    """The command that sets the connection string of a component, which it reads: a cure names no
    setting's secret value. Bash and PowerShell replace `$(...)`."""
    options = {"--ids": component_id, "--query": "properties.ConnectionString"}
    reading = az("resource show", options).removesuffix("none") + "tsv"
    command = change("functionapp config appsettings set", bot.site)
    return f'{command} --settings "{CONNECTION}=$({reading})"'


def certificate_again(bot: DeployedBot, vault: str, name: str) -> str:
    """The command of `migrate` that makes a certificate in a vault, or takes the one that is there,
    registers it, and lets the app sign in with it, in the same way as now.

    Args:
        bot: whose certificate it is.
        vault: the vault's name.
        name: the certificate's.
    """
    kind = credential_kind(bot.known_if_read)
    credential = ("--credential", kind.name) if kind else ()
    words = ("--vault", vault, "--name", name, *credential, *identity_option(bot))
    return bot.target.options.command_line("certificate", *words, app=bot.app.name)


def identity_option(bot: DeployedBot) -> tuple[str, ...]:
    """The option of `migrate` that names the bot's identity, if its app has several."""
    identity = bot.identity
    return ("--identity", identity.name) if identity and len(bot.assigned) > 1 else ()


def set_property(resource_id: str, name: str, value: str, *, is_text: bool = False) -> str:
    """The command that sets one property of a resource.

    Args:
        resource_id: the resource's.
        name: of the property, such as "properties.allow".
        value: such as "true".
        is_text: whether it is a text that looks like a number.
    """
    forced = {"--force-string": None} if is_text else {}
    return az("resource update", {"--ids": resource_id, **forced, "--set": f"{name}={value}"})


def change_channel(bot: DeployedBot, name: str, *settings: str) -> str:
    """The command that changes settings of a channel, such as "isEnabled=true", and keeps its
    others."""
    options = {"--ids": f"{bot.bot['id']}/channels/{name}", "--api-version": BOT_VERSION}
    pairs = " ".join(quoted(f"properties.properties.{each}") for each in settings)
    return f"{az('resource update', options)} --set {pairs}"


def add_web_chat(bot: DeployedBot) -> str:
    """The command that adds the Web Chat channel to an Azure Bot; `az bot` has none."""
    sites = [{"siteName": "Default Site", "isEnabled": True}]
    channel = {"channelName": WEB_CHAT, "properties": {"sites": sites}}
    path = f"{bot.bot['id']}/channels/{WEB_CHAT}?api-version={BOT_VERSION}"
    return az(
        "rest",
        {
            "--method": "put",
            "--url": f"{bot.target.azure.cloud.resource_manager}{path}",
            "--body": json.dumps({"location": "global", "properties": channel}),
        },
    )
