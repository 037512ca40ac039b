"""The shape of each channel of an Azure Bot: its settings, and its sites with keys."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from bot_workbench.emulator.resource_manager.core.resource import JsonObject

SITE_SECRETS = ("key", "key2")


@dataclass(frozen=True)
class ChannelShape:
    """One kind of channel.

    Attributes:
        short_name: in the bot's `configuredChannels`.
        defaults: its settings, and what they are when a client does not send them.
        read_only: settings that the service makes; what a client sends is ignored.
        hidden: settings that a GET does not return.
        site_defaults: the same for each site, for channels that have sites.
    """

    short_name: str
    defaults: JsonObject = field(default_factory=dict)
    read_only: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    site_defaults: JsonObject | None = None


SHAPES = {
    "MsTeamsChannel": ChannelShape(
        "msteams",
        {
            "enableCalling": False,
            "callingWebhook": None,
            "isEnabled": True,
            "incomingCallRoute": None,
            "deploymentEnvironment": "CommercialDeployment",
            "acceptedTerms": None,
        },
    ),
    "WebChatChannel": ChannelShape(
        "webchat",
        {"webChatEmbedCode": None},
        read_only=("webChatEmbedCode",),
        site_defaults={"isEnabled": True, "isWebchatPreviewEnabled": True},
    ),
    "DirectLineChannel": ChannelShape(
        "directline",
        {"DirectLineEmbedCode": None, "extensionKey1": "", "extensionKey2": ""},
        read_only=("DirectLineEmbedCode", "extensionKey1", "extensionKey2"),
        site_defaults={
            "isEnabled": True,
            "isV1Enabled": True,
            "isV3Enabled": True,
            "isSecureSiteEnabled": False,
            "isBlockUserUploadEnabled": False,
            "trustedOrigins": None,
        },
    ),
    "SlackChannel": ChannelShape(
        "slack",
        {
            "clientId": None,
            "clientSecret": None,
            "verificationToken": None,
            "scopes": None,
            "landingPageUrl": None,
            "redirectAction": None,
            "lastSubmissionId": None,
            "registerBeforeOAuthFlow": False,
            "isValidated": False,
            "signingSecret": None,
            "isEnabled": True,
        },
        read_only=("lastSubmissionId", "isValidated", "redirectAction"),
        hidden=("clientSecret", "verificationToken", "signingSecret"),
    ),
    "EmailChannel": ChannelShape(
        "email",
        {"emailAddress": None, "authMethod": 0, "password": None, "isEnabled": True},
        hidden=("password", "magicCode"),
    ),
    "FacebookChannel": ChannelShape(
        "facebook",
        {"appId": None, "appSecret": None, "pages": [], "isEnabled": True},
        hidden=("appSecret",),
    ),
    "SkypeChannel": ChannelShape("skype", {"isEnabled": True}),
    "TelegramChannel": ChannelShape(
        "telegram", {"accessToken": None, "isEnabled": True}, hidden=("accessToken",)
    ),
    "SmsChannel": ChannelShape("sms", {"isEnabled": True}, hidden=("authToken",)),
    "KikChannel": ChannelShape("kik", {"isEnabled": True}, hidden=("apiKey",)),
    "LineChannel": ChannelShape("line", {"lineRegistrations": []}),
    "AlexaChannel": ChannelShape("alexa", {"isEnabled": True}),
    "DirectLineSpeechChannel": ChannelShape("directlinespeech", {"isEnabled": True}),
    "OmnichannelChannel": ChannelShape("omnichannel", {"isEnabled": True}),
    "Omnichannel": ChannelShape("omnichannel", {"isEnabled": True}),
    "TelephonyChannel": ChannelShape("telephony", {"isEnabled": True}),
    "OutlookChannel": ChannelShape("outlook", {"isEnabled": True}),
    "M365Extensions": ChannelShape("m365extensions", {"isEnabled": True}),
    "SearchAssistant": ChannelShape("searchassistant", {"isEnabled": True}),
    "AcsChatChannel": ChannelShape("acschat", {"isEnabled": True}),
}
"""By the channel's name in URLs."""


def canonical(name: str) -> str:
    """A channel's name with its canonical case; empty for an unknown one."""
    return next((known for known in SHAPES if known.lower() == name.lower()), "")


def new_site(name: str) -> JsonObject:
    """A site's id and keys, which are made by the service."""
    site_id = secrets.token_urlsafe(8)
    keys = {each: new_key(site_id) for each in SITE_SECRETS}
    return {"siteId": site_id, "siteName": name, **keys}


def new_key(site_id: str) -> str:
    """A key of a site."""
    return f"{site_id}.{secrets.token_urlsafe(32)}"


def settings_of(shape: ChannelShape, sent: JsonObject, known: JsonObject) -> JsonObject:
    """A channel's settings after a PUT; `known` are those before it."""
    given = {
        name: value
        for name, value in sent.items()
        if name not in shape.read_only and name != "sites" and value is not None
    }
    settings = {**shape.defaults, **given}
    for name in shape.read_only:
        settings[name] = known.get(name, shape.defaults.get(name))
    if shape.site_defaults is not None:
        settings["sites"] = _sites(shape.site_defaults, sent.get("sites"), known.get("sites"))
    return settings


def _sites(defaults: JsonObject, sent: Any, known: Any) -> list[JsonObject]:
    """Sites by name: ids and keys are read-only, so that those of another bot do not come along."""
    before = {str(each["siteName"]).lower(): each for each in known or []}
    sites = []
    for each in sent or known or [{"siteName": "Default Site"}]:
        name = str(each.get("siteName") or "Default Site")
        old = before.get(name.lower())
        own = new_site(name) if old is None else {key: old[key] for key in new_site(name)}
        given = {key: value for key, value in each.items() if value is not None}
        sites.append({**defaults, **given, **own})
    return sites


def shown(shape: ChannelShape, settings: JsonObject) -> JsonObject:
    """The body of a GET: no secrets, and empty keys."""
    visible = {name: value for name, value in settings.items() if name not in shape.hidden}
    if "sites" in visible:
        visible["sites"] = [
            {**each, **dict.fromkeys(SITE_SECRETS, "")} for each in visible["sites"]
        ]
    return visible
