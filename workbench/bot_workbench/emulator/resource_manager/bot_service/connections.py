"""BotConnections: OAuth connections of an Azure Bot, with which its users sign in."""

import copy
import uuid

from bot_workbench.emulator.resource_manager.bot_service.bots import BOT_SERVICES
from bot_workbench.emulator.resource_manager.core.arm_error import bad_request
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType

CONNECTIONS = f"{BOT_SERVICES}/connections"
SECRET = "clientSecret"  # noqa: S105  # a property's name
PROVIDERS = {
    "30dd229c-58e3-4a48-bdfd-91ec48eb906c": ("Aadv2", "Azure Active Directory v2"),
    "d05eaacf-1593-4603-9c6c-d4d8fffa46cb": ("github", "GitHub"),
    "01340562-8c8f-4892-abd4-90daf0e5face": ("google", "Google"),
    "b7e2a8c4-ce26-4a94-aeeb-f203ed505fa4": ("dropbox", "DropBox"),
}
"""Name and display name of some service providers by id (GUID). Azure has about forty."""


class BotConnections(ResourceType):
    """Stores OAuth connections, whose secret is returned by `listWithSecrets` only."""

    def __init__(self, store: ResourceStore) -> None:
        super().__init__(CONNECTIONS, store)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """A connection names a service provider."""
        sent = body.get("properties") or {}
        provider = str(sent.get("serviceProviderId") or "").lower()
        if not provider:
            raise bad_request(
                "InvalidConnectionSettings", "The property 'serviceProviderId' is required."
            )
        if not all(each.get("key") for each in sent.get("parameters") or ()):
            raise bad_request("InvalidConnectionSettings", "Each of the parameters needs a key.")
        _, display_name = PROVIDERS.get(provider, ("", None))
        known = {} if existing is None else existing.properties
        properties = {
            "clientId": sent.get("clientId"),
            "settingId": known.get("settingId") or f"{uuid.uuid4()}_{uuid.uuid4().hex[:12]}",
            "clientSecret": sent.get(SECRET),
            "scopes": sent.get("scopes") or "",
            "serviceProviderId": provider,
            "serviceProviderDisplayName": sent.get("serviceProviderDisplayName") or display_name,
            "id": None,
            "name": sent.get("name") or request.id.name,
            "parameters": sent.get("parameters") or [],
            "provisioningState": "Succeeded",
        }
        return {"location": body.get("location") or "global", "properties": properties}

    def store_body(
        self, request: ArmRequest, existing: Resource | None, body: JsonObject
    ) -> Resource:
        """Keep the secrets apart from what a GET returns."""
        secret = body["properties"].pop(SECRET)
        private = [
            copy.deepcopy(each)
            for each in body["properties"]["parameters"]
            if _is_secret(each["key"])
        ]
        for each in body["properties"]["parameters"]:
            if _is_secret(each["key"]):
                each["value"] = ""
        resource = super().store_body(request, existing, body)
        if secret:
            resource.hidden[SECRET] = secret
        resource.hidden["parameters"] = private
        return resource

    def answer(self, resource: Resource) -> JsonObject:
        """The connection without its secret."""
        answer = resource.answer()
        answer["name"] = f"{ResourceId(resource.id).parent.name}/{resource.name}"
        answer["etag"] = resource.etag
        return answer

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """`listWithSecrets`: the connection with its secret."""
        if action != "listwithsecrets":
            return super().act(request, action)
        found = self.existing(request.id.parent)
        answer = self.answer(found)
        properties = answer["properties"]
        secret = found.hidden.get(SECRET, "")
        private = {each["key"]: each.get("value") for each in found.hidden["parameters"]}
        properties[SECRET] = secret
        shown = [
            {**each, "value": private.get(each["key"], each.get("value"))}
            for each in properties["parameters"]
        ]
        properties["parameters"] = [
            *shown,
            {"key": "clientId", "value": properties["clientId"]},
            {"key": SECRET, "value": secret},
            {"key": "scopes", "value": properties["scopes"]},
        ]
        return ArmReply(answer)


def providers(_: ArmRequest) -> ArmReply:
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


def _is_secret(key: str) -> bool:
    return "secret" in key.lower()
