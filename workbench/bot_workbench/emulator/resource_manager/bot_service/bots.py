"""Bots: Azure Bot resources.

Shapes and texts follow the REST reference of Azure Bot Service, version 2022-09-15, the recorded
exchanges of the Azure CLI's own tests, and errors that users report.
"""

import re

from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from bot_workbench.emulator.resource_manager.core.guid import is_guid
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_type import Changed, ResourceType

BOT_SERVICES = "Microsoft.BotService/botServices"
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{1,63}$")
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

DEFAULTS: JsonObject = {
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


class Bots(ResourceType):
    """Creates and changes Azure Bots.

    An app id belongs to one bot, and stays with it. A name is unique in all of Azure.

    Attributes:
        reserved: names, in lower case, of bots that other customers have.
        patch_needs_identity: whether a PATCH must repeat displayName and msaAppId, as the schema
            says; what the service does is not documented.
        accepts_multi_tenant: whether a new bot may be multi-tenant, as before 31 July 2025.
    """

    def __init__(self, store: ResourceStore, tenant_id: str, changed: Changed) -> None:
        super().__init__(BOT_SERVICES, store)
        self._tenant_id = tenant_id
        self._changed = changed
        self.reserved: set[str] = set()
        self.patch_needs_identity = False
        self.accepts_multi_tenant = False

    def changed(self, resource: Resource) -> None:
        """Let the channels know."""
        self._changed(resource)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """Refuse another bot's app id, a new multi-tenant bot, and changes of the identity."""
        if request.method == "PATCH" and self.patch_needs_identity:
            _check_complete(request.properties, ("displayName", "msaAppId"))
        sent = body.get("properties") or {}
        known = {} if existing is None else existing.properties
        lasting = {name: known[name] for name in IMMUTABLE if name in known}
        writable = {name: sent.get(name) for name in DEFAULTS if sent.get(name) is not None}
        properties = {**DEFAULTS, **lasting, **writable}
        _check_complete(sent, REQUIRED)
        _check_endpoint(properties["endpoint"])
        if existing is None:
            self._check_new(request.id.name, properties)
        else:
            _check_unchanged(known, sent)
        sku = (body.get("sku") or {}).get("name") or "F0"
        if sku not in SKUS:
            raise bad_request("InvalidBotData", f"Bot is not valid. Errors: Sku '{sku}' is unknown")
        return {
            "location": str(body["location"]).lower(),
            "sku": {"name": sku},
            "kind": body.get("kind") or "azurebot",
            "tags": body.get("tags") or {},
            "properties": properties | self._read_only(known, sent),
            "zones": [],
        }

    def _read_only(self, known: JsonObject, sent: JsonObject) -> JsonObject:
        has_key = bool(sent.get("developerAppInsightsApiKey"))
        return {
            "configuredChannels": known.get("configuredChannels", ["webchat"]),
            "enabledChannels": known.get("enabledChannels", ["webchat", "directline"]),
            "isDeveloperAppInsightsApiKeySet": (
                has_key or known.get("isDeveloperAppInsightsApiKeySet", False)
            ),
            "tenantId": self._tenant_id,
            "migrationToken": None,
            "cmekEncryptionStatus": "Off",
            "provisioningState": "Succeeded",
        }

    def _check_new(self, name: str, properties: JsonObject) -> None:
        problem = self.name_problem(name)
        if problem:
            raise invalid(problem)
        app_id = str(properties.get("msaAppId") or "")
        if not is_guid(app_id):
            raise invalid("MsaAppId is not valid")
        used = {str(each.properties["msaAppId"]).lower() for each in self.bots()}
        if app_id.lower() in used:
            raise invalid("MsaAppId is already in use")
        app_type = properties["msaAppType"]
        if app_type == "MultiTenant" and self.accepts_multi_tenant:
            return
        if app_type == "MultiTenant":
            raise bad_request(
                "InvalidBotCreationData",
                "Multitenant bot creation is deprecated. Please use SingleTenant or "
                "UserAssignedMSI",
            )
        if app_type not in APP_TYPES:
            raise invalid(f"MsaAppType '{app_type}' is not valid")
        if not is_guid(str(properties.get("msaAppTenantId") or "")):
            raise invalid(f"MsaAppTenantId is required when MsaAppType is {app_type}")
        if app_type == "UserAssignedMSI":
            self._check_identity(app_id, str(properties.get("msaAppMSIResourceId") or ""))

    def _check_identity(self, app_id: str, identity_id: str) -> None:
        """The bot's id is the client id of the managed identity that it names."""
        if not identity_id:
            raise invalid("MsaAppMSIResourceId is required when MsaAppType is UserAssignedMSI")
        identity = self.store.find(identity_id)
        if identity is None or identity.properties.get("clientId") != app_id.lower():
            raise invalid("MsaAppMSIResourceId is not the identity whose client id is MsaAppId")

    def name_problem(self, name: str) -> str:
        """Why a new bot cannot have a name; empty if it can."""
        if not NAME.match(name):
            return (
                "The bot name is not valid. It must have 2 to 64 letters, digits, hyphens, "
                "underscores and dots"
            )
        used = {each.name.lower() for each in self.bots()} | self.reserved
        if name.lower() in used:
            return "The bot name is already registered to another bot application"
        return ""

    def check_name(self, request: ArmRequest) -> ArmReply:
        """`checkNameAvailability`."""
        problem = self.name_problem(str(request.body.get("name") or ""))
        code = "BotNameUnavailable" if problem else None
        return ArmReply({"valid": not problem, "message": problem, "absCode": code})

    def bots(self) -> list[Resource]:
        """All of them, whatever the subscription."""
        return self.store.of_type(BOT_SERVICES)

    def answer(self, resource: Resource) -> JsonObject:
        """With the etag, which the header has, too."""
        return {**resource.answer(), "etag": resource.etag}

    def get(self, request: ArmRequest) -> ArmReply:
        """The bot, with its etag in the header."""
        return self.written(self.existing(request.id), 200)

    def written(self, resource: Resource, status: int) -> ArmReply:
        """The bot, with its etag in the header."""
        return ArmReply(self.answer(resource), status, {"ETag": resource.etag})


def invalid(problem: str) -> ArmError:
    """A refusal of a bot's data."""
    return bad_request(
        "InvalidBotData",
        f"Bot is not valid. Errors: {problem}.. See https://aka.ms/bot-requirements for detailed "
        "requirements.",
    )


def _check_unchanged(known: JsonObject, sent: JsonObject) -> None:
    for name, text in IMMUTABLE.items():
        new = sent.get(name)
        if new is not None and str(new).lower() != str(known.get(name) or "").lower():
            raise invalid(f"'{text}' property cannot be changed")


def _check_complete(sent: JsonObject, required: tuple[str, ...]) -> None:
    for name in required:
        if sent.get(name) is None:
            raise invalid(f"The property '{name}' is required")


def _check_endpoint(endpoint: str) -> None:
    if endpoint and not ENDPOINT.match(endpoint):
        raise invalid(f"Endpoint '{endpoint}' is not a valid https URL")
