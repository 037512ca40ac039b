"""SkillClient: calls other bots as skills, with the bot's own credential.

Source: Microsoft reference "Implement a skill consumer": the parent bot stores the conversation
and gives the skill an address to reply to.
"""

import copy
import functools
import json
from typing import TYPE_CHECKING, Any

from botbuilder.core import Storage
from botbuilder.schema import (
    Activity,
    ChannelAccount,
    ConversationReference,
    InvokeResponse,
    RoleTypes,
)
from botframework.connector.skills import BotFrameworkClient

from auth.bot_framework import BotCredentialsFactory
from auth.inbound.caller import is_secure_url
from cloud_adapter.activities import name_channel_id
from cloud_adapter.codec import write_value
from cloud_adapter.connector.client import (
    BOT_TIMEOUTS,
    TOO_LARGE,
    CallRefused,
    ConnectorError,
    parsed,
    parsed_error,
    request_headers,
)
from cloud_adapter.home_loop import on_home_loop
from http_client.observer import moment, trace_parent
from http_client.pool import MAX_LIST_BYTES, ConnectFailed, HttpPool, ResponseLost, ResponseTooLarge

if TYPE_CHECKING:
    from botbuilder.core.skills import BotFrameworkSkill

    from cloud_adapter.connector.skill_conversations import SkillConversations


class SkillClient(BotFrameworkClient):  # type: ignore[misc]  # untyped SDK base
    """Posts activities to skills; it also replaces the SDK's SkillHttpClient.

    Args:
        pool: the HTTP client.
        credentials: creates the bot's credentials for a skill.
        channel_audience: the resource (URL) of tokens for the channel.
        storage: stores the conversations with skills; None: only `post_activity` can be used.
        loopback: whether to allow http URLs of skills on this machine (development only).
    """

    def __init__(
        self,
        pool: HttpPool,
        credentials: BotCredentialsFactory,
        channel_audience: str,
        storage: Storage | None = None,
        *,
        loopback: bool,
    ) -> None:
        self._pool = pool
        self._credentials = credentials
        self._channel_audience = channel_audience
        self._storage = storage
        self._loopback = loopback

    @functools.cached_property
    def conversations(self) -> "SkillConversations":
        """The conversation id factory for skills."""
        # Imported here, because most bots call no skill.
        from cloud_adapter.connector.skill_conversations import SkillConversations

        return SkillConversations(self._storage)

    async def post_activity_to_skill(
        self,
        from_bot_id: str,
        to_skill: "BotFrameworkSkill",
        service_url: str,
        activity: Activity,
        originating_audience: str | None = None,
    ) -> InvokeResponse:
        """Send an activity to a skill, as the SDK's SkillHttpClient does.

        For each conversation of this bot, the skill sees one conversation.

        Args:
            from_bot_id: app id (GUID) of this bot.
            to_skill: the skill, with its app id and endpoint.
            service_url: URL that the skill sends its replies to.
            activity: the activity, which is copied and not changed.
            originating_audience: the `BOT_OAUTH_SCOPE_KEY` of the turn, if this bot is a skill
                itself; None: the channel's.

        Raises:
            StorageUnavailable: the conversation cannot be stored.
            CallRefused, ConnectorError, SignInError: see `post_activity`.
        """
        from botbuilder.core.skills import SkillConversationIdFactoryOptions

        audience = originating_audience or self._channel_audience
        conversation_id = await self.conversations.continue_skill_conversation(
            SkillConversationIdFactoryOptions(audience, from_bot_id, activity, to_skill)
        )
        return await self.post_activity(
            from_bot_id,
            to_skill.app_id,
            to_skill.skill_endpoint,
            service_url,
            conversation_id,
            activity,
        )

    @on_home_loop
    @moment("skill.call")
    async def post_activity(
        self,
        from_bot_id: str,
        to_bot_id: str,
        to_url: str,
        service_url: str,
        conversation_id: str,
        activity: Activity,
    ) -> InvokeResponse:
        """Send an activity to a skill, and return the status and JSON of the skill's response.

        Args:
            from_bot_id: app id (GUID) of this bot.
            to_bot_id: app id (GUID) of the skill, which is the audience of the token.
            to_url: https URL of the skill's messaging endpoint.
            service_url: URL that the skill sends its replies to.
            conversation_id: the id of this conversation in the skill's replies.
            activity: the activity, which is copied and not changed.

        Raises:
            CallRefused: `to_url` is not a plain https URL.
            ConnectorError: the skill cannot be reached, or its response is too large.
            SignInError: no token for the skill is available.
        """
        if not is_secure_url(to_url, loopback=self._loopback):
            raise CallRefused(
                f"the URL of the skill {to_bot_id} is not a plain https URL, and the bot's token"
                " would be sent there: register an https endpoint without a query or user name"
            )
        credentials = await self._credentials.create_credentials(from_bot_id, to_bot_id)
        forwarded = _addressed_to_skill(activity, service_url, conversation_id)
        data = json.dumps(write_value(forwarded), allow_nan=False).encode()
        headers = request_headers(credentials.get_access_token(), has_body=True)
        # Lets the skill's front end route a conversation to the same instance each time.
        headers["x-ms-conversation-id"] = conversation_id
        if parent := trace_parent():
            headers["traceparent"] = parent
        call = f"POST to the skill {to_bot_id}"
        try:
            response = await self._pool.request(
                "POST", to_url, headers, data, timeouts=BOT_TIMEOUTS, max_bytes=MAX_LIST_BYTES
            )
        except ResponseTooLarge as error:
            raise ConnectorError(call, failure=TOO_LARGE) from error
        except (ConnectFailed, ResponseLost) as error:
            raise ConnectorError(call) from error
        succeeded = 200 <= response.status < 300
        content = parsed(response.body, call) if succeeded else parsed_error(response.body)
        if isinstance(content, dict) and isinstance(replies := content.get("activities"), list):
            for reply in replies:
                name_channel_id(reply)
        return InvokeResponse(status=response.status, body=content)


def _addressed_to_skill(activity: Activity, service_url: str, conversation_id: str) -> Any:
    forwarded = copy.deepcopy(activity)
    forwarded.relates_to = ConversationReference(
        activity_id=activity.id,
        channel_id=activity.channel_id,
        service_url=activity.service_url,
        conversation=copy.copy(activity.conversation),
    )
    forwarded.conversation.id = conversation_id
    forwarded.service_url = service_url
    forwarded.recipient = forwarded.recipient or ChannelAccount()
    forwarded.recipient.role = RoleTypes.skill
    # It says who called this bot, and some SDKs believe it. The skill's own caller is this bot.
    forwarded.caller_id = None
    return forwarded
