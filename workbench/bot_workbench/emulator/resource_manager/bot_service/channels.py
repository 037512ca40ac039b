"""BotChannels: the channels of an Azure Bot."""

import copy

from bot_workbench.emulator.resource_manager.bot_service.bots import BOT_SERVICES
from bot_workbench.emulator.resource_manager.bot_service.channel_shapes import (
    SHAPES,
    SITE_SECRETS,
    ChannelShape,
    canonical,
    new_key,
    settings_of,
    shown,
)
from bot_workbench.emulator.resource_manager.core.arm_error import ArmError, bad_request
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType

CHANNELS = f"{BOT_SERVICES}/channels"
DEFAULT_CHANNELS = ("WebChatChannel", "DirectLineChannel")
"""Every bot has them from its creation."""

KEYS = dict(zip(("key1", "key2"), SITE_SECRETS, strict=True))
"""The names of a site's keys in `regenerateKeys`."""

SETTINGS = "settings"
"""Where a channel's settings with their secrets are, of what no GET returns."""


class BotChannels(ResourceType):
    """Configures channels. A PUT ignores the fields that are read-only in the REST reference."""

    def __init__(self, store: ResourceStore) -> None:
        super().__init__(CHANNELS, store)

    def add_defaults(self, bot: Resource) -> None:
        """Configure the channels that a new bot has."""
        for name in DEFAULT_CHANNELS:
            if f"{bot.id}/channels/{name}" not in self.store:
                self._configure(bot, name, "global", {})

    def put(self, request: ArmRequest) -> ArmReply:
        """Configure a channel: 201, or 200 if it was configured before."""
        self.check_parent(request.id)
        name = canonical(request.id.name)
        if not name:
            raise _unknown(request.id.name)
        sent = request.properties
        if str(sent.get("channelName") or name).lower() != name.lower():
            raise bad_request(
                "InvalidChannelData",
                f"Channel name '{sent['channelName']}' does not match '{name}' of the URL.",
            )
        settings = sent.get("properties") or {}
        bot = self.store.find(request.id.parent.text)
        if bot is None:
            raise _unknown(request.id.name)
        is_new = request.id.text not in self.store
        location = str(request.body.get("location") or "global")
        channel = self._configure(bot, name, location, settings)
        configured = bot.properties.setdefault("configuredChannels", ["webchat"])
        if SHAPES[name].short_name not in configured:
            configured.append(SHAPES[name].short_name)
        # The response to a PUT has the keys; the recorded exchanges of Azure CLI show it.
        reply = self._reply(channel, with_keys=True)
        return ArmReply(reply, 201 if is_new else 200, {"ETag": channel.etag})

    def patch(self, request: ArmRequest) -> ArmReply:
        """The reference has PATCH, which changes what a PUT does."""
        self.existing(request.id)
        return self.put(request)

    def get(self, request: ArmRequest) -> ArmReply:
        """A configured channel, without its secrets."""
        found = self.existing(request.id)
        return ArmReply(self.answer(found), headers={"ETag": found.etag})

    def delete(self, request: ArmRequest) -> ArmReply:
        """Remove a channel from the bot."""
        found = self.store.find(request.id.text)
        if found is None:
            return ArmReply(status=204)
        bot = self.store.find(request.id.parent.text)
        if bot is not None:
            short_name = self._shape(found).short_name
            configured = bot.properties.get("configuredChannels", [])
            bot.properties["configuredChannels"] = [
                each for each in configured if each != short_name
            ]
        self.store.remove(found.id)
        return ArmReply(status=200)

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """`listChannelWithKeys`: the channel with its secrets; `regenerateKeys` makes one anew."""
        if action == "regeneratekeys":
            return self._regenerate(request)
        if action != "listchannelwithkeys":
            return super().act(request, action)
        found = self.existing(request.id.parent)
        answer = self._reply(found, with_keys=True)
        settings = copy.deepcopy(found.hidden[SETTINGS])
        answer["resource"] = answer["properties"]
        answer["setting"] = {"extensionKey1": "", "extensionKey2": "", **settings}
        answer |= {"provisioningState": "Succeeded", "entityTag": found.etag, "changedTime": None}
        return ArmReply(answer)

    def _regenerate(self, request: ArmRequest) -> ArmReply:
        found, key = self.existing(request.id.parent), KEYS.get(str(request.body.get("key")))
        wanted = str(request.body.get("siteName") or "").lower()
        for site in found.hidden[SETTINGS].get("sites") or ():
            if key and str(site["siteName"]).lower() == wanted:
                site[key] = new_key(site["siteId"])
                found.touch()
                return ArmReply(self._reply(found, with_keys=True))
        # The service's own words for this are not known.
        raise bad_request("InvalidChannelData", "The channel has no such site or key.")

    def answer(self, resource: Resource) -> JsonObject:
        """A channel as a GET and a list show it."""
        return self._reply(resource, with_keys=False)

    def existing(self, resource_id: ResourceId) -> Resource:
        """A configured channel.

        Raises:
            ArmError: 404, the bot has none of this name.
        """
        if not canonical(resource_id.name):
            raise _unknown(resource_id.name)
        return super().existing(resource_id)

    def _configure(self, bot: Resource, name: str, location: str, sent: JsonObject) -> Resource:
        channel_id = f"{bot.id}/channels/{name}"
        existing = self.store.find(channel_id)
        known = existing.hidden[SETTINGS] if existing else {}
        body = {"location": location, "properties": {"channelName": name, "location": location}}
        channel = existing or self.store.add(Resource(channel_id, CHANNELS, body))
        channel.body = body
        channel.hidden[SETTINGS] = settings_of(SHAPES[name], copy.deepcopy(sent), known)
        channel.touch()
        return channel

    @staticmethod
    def _shape(channel: Resource) -> ChannelShape:
        return SHAPES[channel.name]

    def _reply(self, channel: Resource, *, with_keys: bool) -> JsonObject:
        settings = copy.deepcopy(channel.hidden[SETTINGS])
        visible = settings if with_keys else shown(self._shape(channel), settings)
        location = channel.body["location"]
        return {
            "id": channel.id,
            "name": f"{ResourceId(channel.id).parent.name}/{channel.name}",
            "type": CHANNELS,
            "etag": channel.etag,
            "location": location,
            "properties": {
                "properties": visible,
                "etag": channel.etag,
                "channelName": channel.name,
                "location": location,
                "provisioningState": "Succeeded",
            },
        }


def _unknown(name: str) -> ArmError:
    return bad_request("InvalidChannelName", f"The channel name '{name}' is not supported.")
