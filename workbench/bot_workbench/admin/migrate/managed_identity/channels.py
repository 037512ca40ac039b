"""Channels of an Azure Bot: what can be copied to another bot, and what is the owner's to do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.managed_identity.new_bot import NewBot
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Change, Finding
from bot_workbench.admin.plan.target import Target

TEAMS, DIRECT_LINE = "MsTeamsChannel", "DirectLineChannel"

TEAMS_FIELDS = (
    "isEnabled",
    "enableCalling",
    "callingWebhook",
    "incomingCallRoute",
    "deploymentEnvironment",
)
SITE_FIELDS = (
    "siteName",
    "isEnabled",
    "isV1Enabled",
    "isV3Enabled",
    "isSecureSiteEnabled",
    "trustedOrigins",
    "isBlockUserUploadEnabled",
    "isEndpointParametersEnabled",
    "isDetailedLoggingEnabled",
    "isWebchatPreviewEnabled",
    "isNoStorageEnabled",
)
"""The fields that a bot's owner sets. The others (keys, ids, ETags, states) are Azure's, and belong
to one bot. Source: azure-rest-api-specs, botservice.json 2022-09-15."""

WITHOUT_SETTINGS = frozenset(
    {"AcsChatChannel", "M365Extensions", "Omnichannel", "OutlookChannel", "SearchAssistant"}
)
"""Channels that have nothing but a name."""


@dataclass(frozen=True)
class ChannelCopy:
    """A channel as the new bot needs it.

    Attributes:
        name: such as "MsTeamsChannel".
        body: as it is sent.
        summary: what is copied, for the plan.
    """

    name: str
    body: JsonObject
    summary: str


def channel_name(channel: JsonObject) -> str:
    """The name of a channel resource, such as "MsTeamsChannel"."""
    name: str = channel["properties"]["channelName"]
    return name


def channels_of(arm: ArmClient, bot_id: str) -> list[JsonObject]:
    """A bot's channels, each read by itself, with its settings and without its secrets.

    Raises:
        AzureProblem: they cannot be read.
    """
    names = [channel_name(channel) for channel in arm.pages(f"{bot_id}/channels")]
    return [arm.get(f"{bot_id}/channels/{name}") for name in names]


def copied_channels(old: Target, new: NewBot) -> Finding:
    """The new bot has each channel of the old one that needs no credential of another service.

    Raises:
        AzureProblem: the channels cannot be read.
    """
    arm = old.azure.arm
    there = channels_of(arm, old.bot_id.id)
    missing = missing_copies(there, channels_of(arm, new.id) if new.read() else [])
    if not missing:
        names = ", ".join(map(channel_name, there)) or "none"
        return Finding(f"{new.name} has all channels that can be copied; old: {names}")
    changes = []
    for copy in missing:
        url = arm.url(f"{new.id}/channels/{copy.name}")
        lines = (
            "az rest --method put --headers Content-Type=application/json --output none \\",
            f"  --url {quoted(url)} \\",
            f"  --body {quoted(json.dumps(copy.body))}",
        )
        changes.append(Change("PUT", url, copy.body, copy.summary, lines))
    return Finding(f"{new.name} lacks {', '.join(copy.name for copy in missing)}", tuple(changes))


def missing_copies(old: Sequence[JsonObject], new: Sequence[JsonObject]) -> list[ChannelCopy]:
    """The new bot's missing channels, in the order of the old one's.

    Args:
        old: the old bot's channel resources, as Azure lists them.
        new: the new bot's.
    """
    there = {channel_name(channel): _settings(channel) for channel in new}
    copies = []
    for channel in old:
        name, settings = channel_name(channel), _settings(channel)
        now = there.get(name)
        sent: JsonObject = {"channelName": name}
        if name == TEAMS:
            # Without acceptedTerms, Teams reports the bot as invalid.
            sent["properties"] = {**_fields(settings, TEAMS_FIELDS), "acceptedTerms": True}
            is_missing = now is None or {**now, **sent["properties"]} != now
            summary = "Add the Teams channel with the old bot's settings, and accept its terms"
        elif name == DIRECT_LINE:
            present = _sites(now or {})
            names = {site["siteName"] for site in present}
            missing = [site for site in _sites(settings) if site["siteName"] not in names]
            sent["properties"] = {"sites": [*present, *missing]}
            is_missing = now is None or bool(missing)
            named = ", ".join(site["siteName"] for site in missing)
            summary = f"Add the Direct Line channel with its sites ({named}), which get new keys"
        else:
            is_missing = now is None and name in WITHOUT_SETTINGS
            summary = f"Add the channel {name}"
        if is_missing:
            copies.append(ChannelCopy(name, {"location": "global", "properties": sent}, summary))
    return copies


def leftovers(old: Sequence[JsonObject], old_host: str) -> list[str]:
    """The tasks for the bot's owner in the portal or elsewhere; a line each.

    Args:
        old: the old bot's channel resources.
        old_host: host name of the old bot's endpoint.
    """
    lines = []
    for channel in old:
        name, settings = channel_name(channel), _settings(channel)
        sites = ", ".join(site["siteName"] for site in _sites(settings))
        webhook = settings.get("callingWebhook") or ""
        if name == TEAMS:
            if old_host and old_host in webhook:
                lines.append(f"Teams: the calling webhook {webhook} is the old app's")
        elif name == DIRECT_LINE:
            lines.append(f"Direct Line: new keys for every client of the sites {sites}")
        elif name == "WebChatChannel":
            named = sites or "Default Site"
            lines.append(f"Web Chat: new keys for every web page of the sites {named}")
        elif name not in WITHOUT_SETTINGS:
            lines.append(
                f"{name}: its credentials cannot be read, so it is not copied: add it in the"
                " portal, Channels, with that service's credentials"
            )
    return lines


def _settings(channel: JsonObject) -> JsonObject:
    settings: JsonObject = channel["properties"].get("properties") or {}
    return settings


def _sites(settings: JsonObject) -> list[JsonObject]:
    return [_fields(site, SITE_FIELDS) for site in settings.get("sites") or ()]


def _fields(settings: JsonObject, names: Sequence[str]) -> JsonObject:
    return {name: settings[name] for name in names if settings.get(name) is not None}
