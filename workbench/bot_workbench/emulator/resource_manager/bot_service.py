"""Azure Bot Service: Azure Bots, their channels and OAuth connections.

Shapes and texts follow the REST reference of Azure Bot Service, version 2022-09-15, the recorded
exchanges of the Azure CLI's own tests, and errors that users report.
"""

import copy
import re
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from bot_workbench.emulator.resource_manager.errors import error
from bot_workbench.emulator.resource_manager.resource import (
    JsonObject,
    Resource,
    ResourceId,
    ResourceStore,
    is_guid,
)
from bot_workbench.emulator.resource_manager.resource_type import (
    ArmReply,
    ArmRequest,
    Tenant,
    Write,
    check_parent,
    existing,
    listed,
)

BOT_SERVICES = "Microsoft.BotService/botServices"
BOT_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{1,63}$")
DEFAULT_ICON = (
    "https://docs.botframework.com/static/devportal/client/images/bot-framework-default.png"
)
IMMUTABLE = {
    "msaAppType": "MsaAppType",
    "msaAppId": "MsaAppId",
    "msaAppTenantId": "MsaAppTenantId",
    "msaAppMSIResourceId": "MsaAppMSIResourceId",
}
"""Properties that stay as they were at the bot's creation, with their names in messages."""

BOT_DEFAULTS: JsonObject = {
    "displayName": None,
    "description": None,
    "iconUrl": DEFAULT_ICON,
    "endpoint": "",
    "msaAppId": None,
    "msaAppTenantId": None,
    "msaAppType": "MultiTenant",
    "msaAppMSIResourceId": None,
    "developerAppInsightKey": None,
    "developerAppInsightsApplicationId": None,
    "luisAppIds": [],
    "endpointVersion": "3.0",
    "isStreamingSupported": False,
    "schemaTransformationVersion": "1.3",
    "publishingCredentials": None,
    "parameters": None,
    "allSettings": None,
    "manifestUrl": None,
    "storageResourceId": None,
    "isCmekEnabled": False,
    "cmekKeyVaultUrl": None,
    "openWithHint": None,
    "appPasswordHint": None,
    "publicNetworkAccess": "Enabled",
    "disableLocalAuth": False,
}
"""Writable properties, and what they are when a client does not send them."""

REQUIRED = ("displayName", "endpoint", "msaAppId")
"""The properties that the schema requires; the endpoint may be empty."""

ENDPOINT = re.compile(r"^https://[^/\s]+(/\S*)?$", re.IGNORECASE)
APP_TYPES = ("UserAssignedMSI", "SingleTenant", "MultiTenant")
SKUS = ("F0", "S1")


def accept_bot(write: Write) -> JsonObject:
    """An app id belongs to one bot, and stays with it; a new bot has one tenant."""
    tenant, sent, known = write.request.tenant, write.sent, write.known
    if write.request.method == "PATCH" and tenant.patch_needs_identity:
        _check_complete(write.request.properties, ("displayName", "msaAppId"))
    _check_complete(sent, REQUIRED)
    properties = {
        **BOT_DEFAULTS,
        **{name: known[name] for name in IMMUTABLE if name in known},
        **{name: sent[name] for name in BOT_DEFAULTS if sent.get(name) is not None},
    }
    endpoint = properties["endpoint"]
    if endpoint and not ENDPOINT.match(endpoint):
        raise error("InvalidBotData", problem=f"Endpoint '{endpoint}' is not a valid https URL")
    if write.existing is None:
        _check_new(tenant, write.request.id.name, properties)
    for name, text in IMMUTABLE.items() if write.existing else ():
        new = sent.get(name)
        if new is not None and str(new).lower() != str(known.get(name) or "").lower():
            raise error("InvalidBotData", problem=f"'{text}' property cannot be changed")
    sku = (write.body.get("sku") or {}).get("name") or "F0"
    if sku not in SKUS:
        raise error("InvalidBotData: sku", sku=sku)
    return {
        "location": str(write.body["location"]).lower(),
        "sku": {"name": sku},
        "kind": write.body.get("kind") or "azurebot",
        "tags": write.body.get("tags") or {},
        "properties": {
            **properties,
            "configuredChannels": known.get("configuredChannels", ["webchat"]),
            "enabledChannels": known.get("enabledChannels", ["webchat", "directline"]),
            "isDeveloperAppInsightsApiKeySet": bool(sent.get("developerAppInsightsApiKey"))
            or known.get("isDeveloperAppInsightsApiKeySet", False),
            "tenantId": tenant.id,
            "migrationToken": None,
            "cmekEncryptionStatus": "Off",
        },
        "zones": [],
    }


def _check_complete(sent: JsonObject, required: tuple[str, ...]) -> None:
    for name in required:
        if sent.get(name) is None:
            raise error("InvalidBotData", problem=f"The property '{name}' is required")


def _check_new(tenant: Tenant, name: str, properties: JsonObject) -> None:
    app_id, app_type = str(properties["msaAppId"]), properties["msaAppType"]
    problem = _name_problem(tenant, name) or _app_id_problem(tenant.resources, app_id)
    if problem:
        raise error("InvalidBotData", problem=problem)
    if app_type == "MultiTenant":
        if tenant.accepts_multi_tenant:
            return
        raise error("InvalidBotCreationData")
    if problem := _identity_problem(tenant.resources, app_id.lower(), properties):
        raise error("InvalidBotData", problem=problem)


def _name_problem(tenant: Tenant, name: str) -> str:
    """Why a new bot cannot have a name; empty if it can."""
    if not BOT_NAME.match(name):
        return (
            "The bot name is not valid. It must have 2 to 64 letters, digits, hyphens, "
            "underscores and dots"
        )
    used = {each.name.lower() for each in tenant.resources.of_type(BOT_SERVICES)}
    if name.lower() in used:
        return "The bot name is already registered to another bot application"
    return ""


def _app_id_problem(store: ResourceStore, app_id: str) -> str:
    if not is_guid(app_id):
        return "MsaAppId is not valid"
    used = {str(each.properties["msaAppId"]).lower() for each in store.of_type(BOT_SERVICES)}
    return "MsaAppId is already in use" if app_id.lower() in used else ""


def _identity_problem(store: ResourceStore, app_id: str, properties: JsonObject) -> str:
    """What is wrong with the type of a bot's app; the id of a bot with a managed identity is the
    client id of the one that it names."""
    app_type = properties["msaAppType"]
    if app_type not in APP_TYPES:
        return f"MsaAppType '{app_type}' is not valid"
    if not is_guid(str(properties["msaAppTenantId"] or "")):
        return f"MsaAppTenantId is required when MsaAppType is {app_type}"
    if app_type != "UserAssignedMSI":
        return ""
    identity_id = str(properties["msaAppMSIResourceId"] or "")
    if not identity_id:
        return "MsaAppMSIResourceId is required when MsaAppType is UserAssignedMSI"
    identity = store.find(identity_id)
    if identity is None or identity.properties.get("clientId") != app_id:
        return "MsaAppMSIResourceId is not the identity whose client id is MsaAppId"
    return ""


def check_bot_name(request: ArmRequest) -> ArmReply:
    """`checkNameAvailability`."""
    problem = _name_problem(request.tenant, str(request.body.get("name") or ""))
    code = "BotNameUnavailable" if problem else None
    return ArmReply({"valid": not problem, "message": problem, "absCode": code})


def shown_bot(bot: Resource) -> JsonObject:
    """With the etag, which the header has, too."""
    return {**bot.answer(), "etag": bot.etag}


def bot_changed(tenant: Tenant, bot: Resource) -> None:
    """Configure the channels that a new bot has."""
    for name in DEFAULT_CHANNELS if bot.id in tenant.resources else ():
        if f"{bot.id}/channels/{name}" not in tenant.resources:
            _configure(tenant.resources, bot, name, "global", {})


CHANNELS = f"{BOT_SERVICES}/channels"
DEFAULT_CHANNELS = ("WebChatChannel", "DirectLineChannel")
"""Every bot has them from its creation."""

KEYS = {"key1": "key", "key2": "key2"}
"""The keys of a site, by their names in `regenerateKeys`."""

SETTINGS = "settings"
"""Where a channel's settings with their secrets are, of what no GET returns."""


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


CHANNEL_SHAPES = {
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

_CHANNEL_NAMES = {name.lower(): name for name in CHANNEL_SHAPES}


def check_channel_name(name: str) -> None:
    """Refuse a channel that there is not: 400."""
    if name.lower() not in _CHANNEL_NAMES:
        raise error("InvalidChannelName", name=name)


def put_channel(request: ArmRequest) -> ArmReply:
    """Configure a channel: 201, or 200 if it was configured before.

    Fields that are read-only in the REST reference are ignored.
    """
    check_parent(request, request.id)
    check_channel_name(request.id.name)
    name, sent = _CHANNEL_NAMES[request.id.name.lower()], request.properties
    if str(sent.get("channelName") or name).lower() != name.lower():
        raise error("InvalidChannelData: name", sent=sent["channelName"], name=name)
    bot = existing(request, request.id.parent)
    is_new = request.id.text not in request.store
    location = str(request.body.get("location") or "global")
    channel = _configure(request.store, bot, name, location, sent.get("properties") or {})
    configured = bot.properties.setdefault("configuredChannels", ["webchat"])
    if CHANNEL_SHAPES[name].short_name not in configured:
        configured.append(CHANNEL_SHAPES[name].short_name)
    # The response to a PUT has the keys; the recorded exchanges of Azure CLI show it.
    reply = _channel_answer(channel, with_keys=True)
    return ArmReply(reply, 201 if is_new else 200, {"ETag": channel.etag})


def patch_channel(request: ArmRequest) -> ArmReply:
    """The reference has PATCH, which changes what a PUT does."""
    existing(request, request.id)
    return put_channel(request)


def delete_channel(request: ArmRequest) -> ArmReply:
    """Remove a channel from the bot."""
    found = request.store.find(request.id.text)
    if found is None:
        return ArmReply(status=204)
    bot = existing(request, request.id.parent)
    short_name = CHANNEL_SHAPES[found.name].short_name
    configured = bot.properties.get("configuredChannels", [])
    bot.properties["configuredChannels"] = [each for each in configured if each != short_name]
    request.store.remove(found.id)
    return ArmReply()


def list_channel_with_keys(request: ArmRequest) -> ArmReply:
    """The channel with its secrets."""
    found = existing(request, request.id.parent)
    answer = _channel_answer(found, with_keys=True)
    settings = copy.deepcopy(found.hidden[SETTINGS])
    answer["resource"] = answer["properties"]
    answer["setting"] = {"extensionKey1": "", "extensionKey2": "", **settings}
    answer |= {"provisioningState": "Succeeded", "entityTag": found.etag, "changedTime": None}
    return ArmReply(answer)


def regenerate_keys(request: ArmRequest) -> ArmReply:
    """Make a key of a site anew."""
    found, key = existing(request, request.id.parent), KEYS.get(str(request.body.get("key")))
    wanted = str(request.body.get("siteName") or "").lower()
    for site in found.hidden[SETTINGS].get("sites") or ():
        if key and str(site["siteName"]).lower() == wanted:
            site[key] = _new_key(site["siteId"])
            found.touch()
            return ArmReply(_channel_answer(found, with_keys=True))
    raise error("InvalidChannelData")


def shown_channel(channel: Resource) -> JsonObject:
    """A channel as a GET and a list show it: no secrets, and empty keys."""
    return _channel_answer(channel, with_keys=False)


def _configure(
    store: ResourceStore, bot: Resource, name: str, location: str, sent: JsonObject
) -> Resource:
    channel_id = f"{bot.id}/channels/{name}"
    channel = store.find(channel_id) or store.add(Resource(channel_id, CHANNELS, {}))
    channel.body = {
        "location": location,
        "properties": {"channelName": name, "location": location},
    }
    known = channel.hidden.get(SETTINGS, {})
    channel.hidden[SETTINGS] = _settings(CHANNEL_SHAPES[name], copy.deepcopy(sent), known)
    channel.touch()
    return channel


def _settings(shape: ChannelShape, sent: JsonObject, known: JsonObject) -> JsonObject:
    """A channel's settings after a PUT; `known` are those before it."""
    given = {
        name: value
        for name, value in sent.items()
        if name not in shape.read_only and name != "sites" and value is not None
    }
    kept = {name: known[name] for name in shape.read_only if name in known}
    settings = {**shape.defaults, **given, **kept}
    if shape.site_defaults is not None:
        settings["sites"] = _sites(shape.site_defaults, sent.get("sites"), known.get("sites"))
    return settings


def _sites(defaults: JsonObject, sent: Any, known: Any) -> list[JsonObject]:
    """Sites by name: ids and keys are read-only, so that those of another bot do not come along."""
    before = {str(each["siteName"]).lower(): each for each in known or []}
    sites = []
    for each in sent or known or [{"siteName": "Default Site"}]:
        name = str(each.get("siteName") or "Default Site")
        own = _new_site(name)
        if old := before.get(name.lower()):
            own = {key: old[key] for key in own}
        given = {key: value for key, value in each.items() if value is not None}
        sites.append({**defaults, **given, **own})
    return sites


def _new_site(name: str) -> JsonObject:
    """A site's id and keys, which are made by the service."""
    site_id = secrets.token_urlsafe(8)
    keys = {key: _new_key(site_id) for key in KEYS.values()}
    return {"siteId": site_id, "siteName": name, **keys}


def _new_key(site_id: str) -> str:
    return f"{site_id}.{secrets.token_urlsafe(32)}"


def _channel_answer(channel: Resource, *, with_keys: bool) -> JsonObject:
    settings = copy.deepcopy(channel.hidden[SETTINGS])
    for name in () if with_keys else CHANNEL_SHAPES[channel.name].hidden:
        settings.pop(name, None)
    for site in () if with_keys else settings.get("sites") or ():
        site |= dict.fromkeys(KEYS.values(), "")
    location = channel.body["location"]
    return {
        "id": channel.id,
        "name": f"{ResourceId(channel.id).parent.name}/{channel.name}",
        "type": CHANNELS,
        "etag": channel.etag,
        "location": location,
        "properties": {
            "properties": settings,
            "etag": channel.etag,
            "channelName": channel.name,
            "location": location,
            "provisioningState": "Succeeded",
        },
    }


SECRET = "clientSecret"  # noqa: S105  # a property's name
PROVIDERS = {
    "30dd229c-58e3-4a48-bdfd-91ec48eb906c": ("Aadv2", "Azure Active Directory v2"),
    "d05eaacf-1593-4603-9c6c-d4d8fffa46cb": ("github", "GitHub"),
    "01340562-8c8f-4892-abd4-90daf0e5face": ("google", "Google"),
    "b7e2a8c4-ce26-4a94-aeeb-f203ed505fa4": ("dropbox", "DropBox"),
}
"""Name and display name of some service providers by id (GUID). Azure has about forty."""


def accept_connection(write: Write) -> JsonObject:
    """A connection names a service provider; its secrets are kept apart from what a GET returns."""
    sent, parameters = write.sent, write.sent.get("parameters") or []
    provider = str(sent.get("serviceProviderId") or "").lower()
    if not provider:
        raise error("InvalidConnectionSettings")
    if not all(each.get("key") for each in parameters):
        raise error("InvalidConnectionSettings: key")
    if sent.get(SECRET):
        write.hidden[SECRET] = sent[SECRET]
    secret = [each for each in parameters if "secret" in each["key"].lower()]
    write.hidden["parameters"] = copy.deepcopy(secret)
    for each in secret:
        each["value"] = ""
    _, display_name = PROVIDERS.get(provider, ("", None))
    setting_id = f"{uuid.uuid4()}_{uuid.uuid4().hex[:12]}"
    properties = {
        "clientId": sent.get("clientId"),
        "settingId": write.known.get("settingId") or setting_id,
        "scopes": sent.get("scopes") or "",
        "serviceProviderId": provider,
        "serviceProviderDisplayName": sent.get("serviceProviderDisplayName") or display_name,
        "id": None,
        "name": sent.get("name") or write.request.id.name,
        "parameters": parameters,
    }
    return {"location": write.body.get("location") or "global", "properties": properties}


def shown_connection(connection: Resource) -> JsonObject:
    """The connection without its secret."""
    name = f"{ResourceId(connection.id).parent.name}/{connection.name}"
    return {**connection.answer(), "name": name, "etag": connection.etag}


def list_with_secrets(request: ArmRequest) -> ArmReply:
    """The connection with its secret."""
    found = existing(request, request.id.parent)
    answer, secret = shown_connection(found), found.hidden.get(SECRET, "")
    private = {each["key"]: each.get("value") for each in found.hidden["parameters"]}
    properties = answer["properties"]
    properties[SECRET] = secret
    properties["parameters"] = [
        *(
            {**each, "value": private.get(each["key"], each.get("value"))}
            for each in properties["parameters"]
        ),
        {"key": "clientId", "value": properties["clientId"]},
        {"key": SECRET, "value": secret},
        {"key": "scopes", "value": properties["scopes"]},
    ]
    return ArmReply(answer)


def service_providers(_: ArmRequest) -> ArmReply:
    """`listAuthServiceProviders`."""
    parameters = [
        {"name": "ClientId", "type": "string", "displayName": "Client id"},
        {"name": "ClientSecret", "type": "securestring", "displayName": "Client secret"},
    ]
    return listed(
        [
            {
                "properties": {
                    "id": provider_id,
                    "displayName": display_name,
                    "serviceProviderName": name,
                    "devPortalUrl": None,
                    "iconUrl": None,
                    "parameters": parameters,
                }
            }
            for provider_id, (name, display_name) in PROVIDERS.items()
        ]
    )
