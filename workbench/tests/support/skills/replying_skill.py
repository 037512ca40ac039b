"""ReplyingSkill: a skill's calls to its parent, an app composed in this process."""

import json
from typing import Any

from botbuilder.core.skills import (
    BotFrameworkSkill,
    ConversationIdFactoryBase,
    SkillConversationIdFactoryOptions,
)
from botbuilder.schema import Activity

from cloud_adapter.adapter import TurnRequest, TurnResponse
from cloud_adapter.codec import read_model
from cloud_adapter.skills import SkillReplies, SkillRequest
from tests.support.bots.composed_app import ComposedApp
from tests.support.credentials.bot_token_press import CALLER, BotTokenPress

ALLOWED = {"AllowedCallers": CALLER}
"""Settings with which the parent accepts this skill."""


class ReplyingSkill:
    """Calls the parent as the connector.

    Args:
        app: the parent, with the settings ALLOWED.
        authorization: the header of its calls; None: a valid token.

    Attributes:
        conversation_id: the id by which the skill knows the app's conversation.
    """

    def __init__(self, app: ComposedApp, authorization: str | None = None) -> None:
        self.app = app
        self.conversation_id = ""
        token = f"Bearer {BotTokenPress(app.cloud).token()}"
        self._authorization = token if authorization is None else authorization

    async def is_called(
        self,
        audience: str = "",
        service_url: str = "",
        skill_app_id: str = CALLER,
        conversations: ConversationIdFactoryBase | None = None,
        locale: str | None = None,
    ) -> None:
        """Let the parent store the conversation, as before each call of a skill.

        Args:
            audience: the resource of tokens for the conversation; empty: the channel's.
            service_url: of the conversation; empty: the channel's.
            skill_app_id: the app id (GUID) of the skill that is called.
            conversations: store it; None: the parent's.
            locale: the user's.
        """
        parts, skill = self.app.parts, BotFrameworkSkill("skill", skill_app_id, "https://skill")
        content = {
            "type": "message",
            "serviceUrl": service_url or self.app.service_url,
            "locale": locale,
        }
        activity = read_model(Activity, self.app.activity(content))
        options = SkillConversationIdFactoryOptions(
            audience or parts.settings.channel_audience, parts.settings.app_id, activity, skill
        )
        conversations = conversations or parts.services.skill_conversations
        self.conversation_id = await conversations.create_skill_conversation_id(options)

    async def call(
        self,
        method: str,
        path: str,
        body: object = b"",
        *,
        conversation_id: str = "",
        content_type: str = "application/json",
        **query: str,
    ) -> TurnResponse:
        """Call the parent.

        Args:
            method: the HTTP method.
            path: behind the conversation's id, as the host decodes it.
            body: bytes, or what is sent as JSON.
            conversation_id: as the host decodes it; empty: the skill's.
            content_type: of the body.
            query: the query's parameters.
        """
        known = conversation_id or self.conversation_id
        below = f"conversations/{known}/{path}"
        return await self.request(method, below, body, content_type=content_type, **query)

    async def request(
        self,
        method: str,
        path: str,
        body: object = b"",
        *,
        content_type: str = "application/json",
        **query: str,
    ) -> TurnResponse:
        """Call the parent, in a conversation or not.

        Args:
            method: the HTTP method.
            path: below `v3/`, as the host decodes it.
            body: bytes, or what is sent as JSON.
            content_type: of the body.
            query: the query's parameters.
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        http = TurnRequest(content_type, self._authorization, raw)
        replies = self.app.parts.skill_replies
        assert isinstance(replies, SkillReplies)
        return await replies.process(SkillRequest(method, path, query, http))

    async def send(self, **activity: Any) -> TurnResponse:
        """Send an activity to the conversation."""
        return await self.call("POST", "activities", activity)
