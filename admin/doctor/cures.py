"""The commands that cure what the doctor finds, to be pasted."""

import json
from collections.abc import Mapping, Sequence

from admin.azure.arm_client import API_VERSIONS
from admin.azure.json_object import JsonObject
from admin.azure.resources import ResourceId
from admin.migrate.shell import az, quoted

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


def put_channel(bot_id: str, name: str, properties: Mapping[str, object], host: str) -> str:
    """The command that configures a channel of an Azure Bot.

    Args:
        bot_id: resource id.
        name: the channel's.
        properties: its settings.
        host: URL of Resource Manager.
    """
    version = API_VERSIONS["Microsoft.BotService"]
    body = {"location": "global", "properties": {"channelName": name, "properties": properties}}
    return az(
        "rest",
        {
            "--method": "put",
            "--url": f"{host}{bot_id}/channels/{name}?api-version={version}",
            "--body": json.dumps(body),
        },
    )
