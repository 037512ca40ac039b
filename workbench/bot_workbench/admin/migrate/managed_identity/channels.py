"""Channels of an Azure Bot: what can be copied to another bot, and what is the owner's to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot_workbench.admin.azure.json_object import JsonObject

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
        properties: its settings as they are sent; None: it has none.
        summary: what is copied, for the plan.
    """

    name: str
    properties: JsonObject | None
    summary: str

    @property
    def body(self) -> JsonObject:
        """The request's body."""
        channel: JsonObject = {"channelName": self.name}
        if self.properties is not None:
            channel["properties"] = self.properties
        return {"location": "global", "properties": channel}


def channel_name(channel: JsonObject) -> str:
    """The name of a channel resource, such as "MsTeamsChannel"."""
    name: str = channel["properties"]["channelName"]
    return name


def missing_copies(old: Sequence[JsonObject], new: Sequence[JsonObject]) -> tuple[ChannelCopy, ...]:
    """The new bot's missing channels, in the order of the old one's.

    Args:
        old: the old bot's channel resources, as Azure lists them.
        new: the new bot's.
    """
    there = {channel_name(channel): _settings(channel) for channel in new}
    copies = [_copy(channel_name(channel), _settings(channel), there) for channel in old]
    return tuple(copy for copy in copies if copy is not None)


def leftovers(old: Sequence[JsonObject], old_host: str) -> tuple[str, ...]:
    """The tasks for the bot's owner in the portal or elsewhere; a line each.

    Args:
        old: the old bot's channel resources.
        old_host: host name of the old bot's endpoint.
    """
    lines = (_leftover(channel_name(channel), _settings(channel), old_host) for channel in old)
    return tuple(line for line in lines if line)


def _copy(name: str, old: JsonObject, there: dict[str, JsonObject]) -> ChannelCopy | None:
    match name:
        case "MsTeamsChannel":
            return _teams(old, there.get(name))
        case "DirectLineChannel":
            return _direct_line(old, there.get(name))
        case _ if name in WITHOUT_SETTINGS and name not in there:
            return ChannelCopy(name, None, f"Add the channel {name}")
    return None


def _teams(old: JsonObject, there: JsonObject | None) -> ChannelCopy | None:
    # Without acceptedTerms, Teams reports the bot as invalid.
    wanted = {**_fields(old, TEAMS_FIELDS), "acceptedTerms": True}
    if there is not None and {**there, **wanted} == there:
        return None
    summary = "Add the Teams channel with the old bot's settings, and accept its terms"
    return ChannelCopy(TEAMS, wanted, summary)


def _direct_line(old: JsonObject, there: JsonObject | None) -> ChannelCopy | None:
    present = _sites(there or {})
    names = {site["siteName"] for site in present}
    missing = [site for site in _sites(old) if site["siteName"] not in names]
    if there is not None and not missing:
        return None
    named = ", ".join(site["siteName"] for site in missing)
    summary = f"Add the Direct Line channel with its sites ({named}), which get new keys"
    return ChannelCopy(DIRECT_LINE, {"sites": [*present, *missing]}, summary)


def _leftover(name: str, settings: JsonObject, old_host: str) -> str:
    sites = ", ".join(site["siteName"] for site in _sites(settings))
    match name:
        case "MsTeamsChannel":
            webhook = settings.get("callingWebhook") or ""
            if old_host and old_host in webhook:
                return f"Teams: the calling webhook {webhook} is the old app's"
            return ""
        case "DirectLineChannel":
            return f"Direct Line: new keys for every client of the sites {sites}"
        case "WebChatChannel":
            return f"Web Chat: new keys for every web page of the sites {sites or 'Default Site'}"
        case _ if name in WITHOUT_SETTINGS:
            return ""
    return (
        f"{name}: its credentials cannot be read, so it is not copied: add it in the portal,"
        " Channels, with that service's credentials"
    )


def _settings(channel: JsonObject) -> JsonObject:
    settings: JsonObject = channel["properties"].get("properties") or {}
    return settings


def _sites(settings: JsonObject) -> list[JsonObject]:
    return [_fields(site, SITE_FIELDS) for site in settings.get("sites") or ()]


def _fields(settings: JsonObject, names: Sequence[str]) -> JsonObject:
    return {name: settings[name] for name in names if settings.get(name) is not None}
