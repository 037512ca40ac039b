"""User: somebody who talks to a running bot through the local channel."""

import uuid
from typing import Any

from bot_workbench.emulator.cloud import Cloud
from tests.support.wire.http_post import Caller, Reply


class User:
    """One user in one conversation.

    Args:
        cloud: the local cloud, whose channel signs.
        caller: the channel's connection to the bot.
        channel_id: the channel.
        host: the service URL's host name; it must lead to this machine, where the connector is.
    """

    def __init__(
        self,
        cloud: Cloud,
        caller: Caller,
        channel_id: str = "webchat",
        host: str = "localhost",
    ) -> None:
        self.cloud = cloud
        self.caller = caller
        account = {"id": f"user-{uuid.uuid4().hex}", "name": "Ada", "role": "user"}
        bot = {"id": cloud.registration.app_id, "name": "Bot", "role": "bot"}
        self.conversation = cloud.conversations.create([account, bot])
        service_url = f"https://{host}:{cloud.connector.server.port}/"
        self.token = cloud.channel.token(service_url)
        self._address = {
            "channelId": channel_id,
            "serviceUrl": service_url,
            "from": account,
            "recipient": bot,
            "conversation": {"id": self.conversation.id},
        }

    def sends(self, activity: dict[str, Any]) -> Reply:
        """Deliver an activity, addressed as the channel does."""
        return self.caller.deliver(self.addressed(activity), f"Bearer {self.token}")

    def addressed(self, activity: dict[str, Any]) -> dict[str, Any]:
        """An activity from this user, in this conversation."""
        return {**self._address, "id": uuid.uuid4().hex, **activity}

    def says(self, text: str) -> int:
        """Send a message; returns the status."""
        return self.sends({"type": "message", "text": text}).status

    def texts(self) -> list[str]:
        """The texts of all activities that the bot has sent so far, but for typing.

        On a slow machine, the bot sends typing before any reply.
        """
        sent = self.conversation.activities
        return [each.get("text", "") for each in sent if each["type"] != "typing"]
