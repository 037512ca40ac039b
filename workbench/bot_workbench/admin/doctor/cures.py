"""The commands that cure what the doctor finds, to be pasted."""

import json
from collections.abc import Sequence

from bot_workbench.admin.azure.arm_client import API_VERSIONS
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.parts.logs import CONNECTION
from bot_workbench.admin.plan.setting_names import credential_kind
from bot_workbench.admin.plan.shell import az, quoted

BOT_VERSION = API_VERSIONS["Microsoft.BotService"]
WEB_CHAT = "WebChatChannel"
SETTINGS_PAGE = "docs/settings.md has every setting"


def set_settings(app: ResourceId, **values: str) -> str:
    """The command that sets app settings."""
    pairs = " ".join(quoted(f"{name}={value}") for name, value in values.items())
    return f"{az('functionapp config appsettings set', app.az_options)} --settings {pairs}"


def delete_settings(app: ResourceId, names: Sequence[str]) -> str:
    """The command that deletes app settings."""
    listed = " ".join(map(quoted, names))
    command = az("functionapp config appsettings delete", app.az_options)
    return f"{command} --setting-names {listed}"


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
    return bot.target.options.command_line("certificate", *words, app=bot.app_name)


def identity_option(bot: DeployedBot) -> tuple[str, ...]:
    """The option of `migrate` that names the bot's identity, if its app has several."""
    identity = bot.identity
    return ("--identity", identity.name) if identity and len(bot.assigned) > 1 else ()


def connect_insights(app: ResourceId, component_id: str) -> str:
    """The command that sets the connection string of a component, which it reads: a cure names no
    setting's secret value. Bash and PowerShell replace `$(...)`."""
    options = {"--ids": component_id, "--query": "properties.ConnectionString"}
    reading = az("resource show", options).removesuffix("none") + "tsv"
    command = az("functionapp config appsettings set", app.az_options)
    return f'{command} --settings "{CONNECTION}=$({reading})"'


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


def set_property(resource_id: str, name: str, value: str) -> str:
    """The command that sets one property of a resource, such as "properties.allow"."""
    return az("resource update", {"--ids": resource_id, "--set": f"{name}={value}"})


def set_text(resource_id: str, name: str, value: str) -> str:
    """The command that sets one property to a text that looks like a number."""
    return az(
        "resource update",
        {"--ids": resource_id, "--force-string": None, "--set": f"{name}={value}"},
    )


def change_channel(bot_id: str, name: str, *settings: str) -> str:
    """The command that changes settings of a channel, and keeps its others.

    Args:
        bot_id: resource id of the Azure Bot.
        name: the channel's.
        settings: such as "isEnabled=true".
    """
    options = {"--ids": f"{bot_id}/channels/{name}", "--api-version": BOT_VERSION}
    pairs = " ".join(quoted(f"properties.properties.{each}") for each in settings)
    return f"{az('resource update', options)} --set {pairs}"


def add_web_chat(bot_id: str, host: str) -> str:
    """The command that adds the Web Chat channel to an Azure Bot; `az bot` has none.

    Args:
        bot_id: resource id.
        host: URL of Resource Manager.
    """
    sites = [{"siteName": "Default Site", "isEnabled": True}]
    channel = {"channelName": WEB_CHAT, "properties": {"sites": sites}}
    return az(
        "rest",
        {
            "--method": "put",
            "--url": f"{host}{bot_id}/channels/{WEB_CHAT}?api-version={BOT_VERSION}",
            "--body": json.dumps({"location": "global", "properties": channel}),
        },
    )
