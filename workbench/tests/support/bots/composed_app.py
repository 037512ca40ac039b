"""ComposedApp: the app's parts in this process, in front of a local cloud."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Self

import pytest
from botbuilder.core import TurnContext

from auth.settings import Settings
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import TurnRequest, TurnResponse
from cloud_adapter.authentication import BotAuthentication
from cloud_adapter.connector.client import ConnectorClient
from cloud_adapter.deadlines import HOST_TIMEOUT_SETTING, UNLIMITED
from composition import Composition, CreateBot
from tests.support.test_bot import create_bot as create_test_bot

USER = {"id": "user-1", "name": "Ada", "role": "user"}

Logic = Callable[[TurnContext], Awaitable[object]]


class ComposedApp:
    """What the composition puts together; a test may deliver activities to another bot.

    Args:
        cloud: running in a thread of its own.
        monkeypatch: sets the variables that the platform sets.
        changes: settings that differ from the cloud's own. Unless they say so, no turn is limited.
        redact: whether the log hides what users sent, as in Azure.
        create_bot: makes the app's bot.

    Attributes:
        conversation: one of the user and the bot, known to the connector.
        parts: the app's.
    """

    def __init__(
        self,
        cloud: Cloud,
        monkeypatch: pytest.MonkeyPatch,
        changes: Mapping[str, str] | None = None,
        *,
        redact: bool = True,
        create_bot: CreateBot = create_test_bot,
    ) -> None:
        settings = {**cloud.settings(), HOST_TIMEOUT_SETTING: UNLIMITED, **(changes or {})}
        for name in (*cloud.identity.settings(), "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, settings[name])
        self.cloud = cloud
        chosen = replace(Settings.from_environ(settings), development=not redact)
        self._composition = Composition(lambda: chosen, settings, create_bot)
        self.account = {"id": cloud.registration.app_id, "name": "Bot", "role": "bot"}
        self.conversation: Conversation = cloud.conversations.create([USER, self.account])

    async def __aenter__(self) -> Self:
        self.parts = await self._composition.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.parts.close()

    @property
    def authentication(self) -> BotAuthentication:
        """The adapter's."""
        found: BotAuthentication = self.parts.adapter.bot_framework_authentication
        return found

    @property
    def service_url(self) -> str:
        """The connector's, as the channel writes it into activities."""
        return f"{self.cloud.connector.server.url}/"

    def activity(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """An activity of the user's with this content."""
        return {
            "id": uuid.uuid4().hex,
            "channelId": "webchat",
            "serviceUrl": self.service_url,
            "from": USER,
            "recipient": self.account,
            "conversation": {"id": self.conversation.id},
            **content,
        }

    async def deliver(self, content: Mapping[str, Any], bot: Logic) -> TurnResponse:
        """Hand the bot an activity with this content, as the channel does."""
        activity = self.activity(content)
        token = self.cloud.channel.token(activity["serviceUrl"])
        body, arrived_at = json.dumps(activity).encode(), asyncio.get_running_loop().time()
        request = TurnRequest("application/json", f"Bearer {token}", body, arrived_at)
        return await self.parts.adapter.process(request, SimpleNamespace(on_turn=bot))

    async def connector(self) -> ConnectorClient:
        """A connector client, as a turn gets it."""
        return await self.authentication.create_connector_factory(None).create(self.service_url)

    def texts(self) -> list[Any]:
        """The texts of all activities that the bot has sent so far, but for typing.

        On a slow machine, the bot sends typing before any reply.
        """
        sent = self.conversation.activities
        return [each.get("text") for each in sent if each["type"] != "typing"]
