"""Bots: Azure Bot resources."""

from emulator.resource_manager.core.arm_error import bad_request
from emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from emulator.resource_manager.core.resource import JsonObject, Resource, ResourceStore
from emulator.resource_manager.core.resource_type import ResourceType

BOT_SERVICES = "Microsoft.BotService/botServices"
IMMUTABLE = {
    "msaAppType": "MsaAppType",
    "msaAppId": "MsaAppId",
    "msaAppTenantId": "MsaAppTenantId",
    "msaAppMSIResourceId": "MsaAppMSIResourceId",
}
"""Properties that stay as they were at the bot's creation, with their names in messages."""


class Bots(ResourceType):
    """Creates and changes Azure Bots. An app id belongs to one bot, and stays with it."""

    def __init__(self, store: ResourceStore, tenant_id: str) -> None:
        super().__init__(BOT_SERVICES, store)
        self._tenant_id = tenant_id

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """Refuse another bot's app id, a new multi-tenant bot, and changes of the identity."""
        properties = body.setdefault("properties", {})
        if existing is None:
            self._check_new(properties)
        else:
            for name, text in IMMUTABLE.items():
                old, new = existing.properties.get(name), properties.get(name)
                if new is not None and str(new).lower() != str(old).lower():
                    raise bad_request(
                        "InvalidBotData",
                        f"Bot is not valid. Errors: '{text}' property cannot be "
                        "changed. See https://aka.ms/bot-requirements for detailed requirements.",
                    )
                properties[name] = old
        body["properties"] = {**properties, "provisioningState": "Succeeded"}
        return body

    def _check_new(self, properties: JsonObject) -> None:
        app_id = str(properties.get("msaAppId") or "").lower()
        if any(str(each.properties.get("msaAppId")).lower() == app_id for each in self.bots()):
            raise bad_request("InvalidBotData", "MsaAppId is already in use.")
        if properties.get("msaAppType", "MultiTenant") == "MultiTenant":
            raise bad_request(
                "InvalidBotCreationData", "Multi-tenant bots can no longer be created."
            )

    def bots(self) -> list[Resource]:
        """All of them, whatever the subscription."""
        return self.store.of_type(BOT_SERVICES)

    def answer(self, resource: Resource) -> JsonObject:
        """With the etag, which the header has, too."""
        return {**resource.answer(), "etag": resource.etag}

    def get(self, request: ArmRequest) -> ArmReply:
        """The bot, with its etag in the header."""
        found = self.existing(request.id)
        return ArmReply(self.answer(found), headers={"ETag": found.etag})

    def written(self, resource: Resource, status: int) -> ArmReply:
        """The bot, with its etag in the header."""
        return ArmReply(self.answer(resource), status, {"ETag": resource.etag})
