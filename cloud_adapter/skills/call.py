"""SkillCall: one call of a skill to the connector API of its parent, and the operations there.

The SDK's CloudSkillHandler handles the activities. It does not implement the operations on members.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from botbuilder.core import Bot
from botbuilder.core.skills import ConversationIdFactoryBase, SkillConversationReference
from botbuilder.core.skills.cloud_skill_handler import CloudSkillHandler
from botframework.connector.auth import ClaimsIdentity

from cloud_adapter.authentication import BotAuthentication
from cloud_adapter.request import TurnRequest, check_head, read_reply
from cloud_adapter.skills.turns import SkillTurns


class SkillRequest(NamedTuple):
    """A skill's request.

    Attributes:
        method: the HTTP method.
        conversation_id: the id by which the skill knows the conversation.
        path: what follows the id in the URL, decoded: `activities`, `activities/ID`, `members` ...
        query: the query's parameters.
        http: headers and body.
    """

    method: str
    conversation_id: str
    path: str
    query: Mapping[str, str]
    http: TurnRequest


class SkillCall(CloudSkillHandler):  # type: ignore[misc]  # untyped SDK base
    """A call in a conversation in which this bot has called the skill.

    Args:
        request: the request.
        skill: who sent it.
        conversation: the conversation.
        conversations: stores the conversation.
        turns: runs the turns of replies.
        bot: the parent.
        authentication: creates clients of the conversation's channel.
    """

    def __init__(
        self,
        request: SkillRequest,
        skill: ClaimsIdentity,
        conversation: SkillConversationReference,
        conversations: ConversationIdFactoryBase,
        turns: SkillTurns,
        bot: Bot,
        authentication: BotAuthentication,
    ) -> None:
        known = _KnownConversation(conversation, conversations)
        super().__init__(turns, bot, known, authentication)
        self._request = request
        self._skill = skill
        self._conversation = conversation
        self._authentication = authentication

    async def send(self, _: str) -> Any:
        """Send an activity; returns a ResourceResponse, like `reply` and `update`."""
        request = self._request
        return await self.on_send_to_conversation(
            self._skill, request.conversation_id, self._activity()
        )

    async def reply(self, activity_id: str) -> Any:
        """Reply to an activity."""
        request = self._request
        return await self.on_reply_to_activity(
            self._skill, request.conversation_id, activity_id, self._activity()
        )

    async def update(self, activity_id: str) -> Any:
        """Replace an activity."""
        request, activity = self._request, self._activity()
        activity.id = activity_id
        return await self.on_update_activity(
            self._skill, request.conversation_id, activity_id, activity
        )

    async def delete(self, activity_id: str) -> None:
        """Delete an activity."""
        await self.on_delete_activity(self._skill, self._request.conversation_id, activity_id)

    async def members(self, _: str) -> Any:
        """All members, as a list of ChannelAccount."""
        return await (await self._channel()).get_conversation_members(self._channel_id)

    async def member(self, member_id: str) -> Any:
        """One member, as a ChannelAccount."""
        return await (await self._channel()).get_conversation_member(self._channel_id, member_id)

    async def paged_members(self, _: str) -> Any:
        """A page of the members, as a PagedMembersResult."""
        query = self._request.query
        return await (await self._channel()).get_conversation_paged_members(
            self._channel_id, query.get("pageSize"), query.get("continuationToken")
        )

    def _activity(self) -> Any:
        check_head(self._request.http)
        return read_reply(self._request.http.body)

    async def _channel(self) -> Any:
        """The channel's operations on conversations."""
        service_url = self._conversation.conversation_reference.service_url
        connectors = self._authentication.create_connector_factory(self._skill)
        client = await connectors.create(service_url, self._conversation.oauth_scope)
        return client.conversations

    @property
    def _channel_id(self) -> Any:
        """The id by which the channel knows the conversation."""
        return self._conversation.conversation_reference.conversation.id


OPERATIONS: Mapping[tuple[str, str], Callable[[SkillCall, str], Awaitable[Any]]] = {
    ("POST", "activities"): SkillCall.send,
    ("POST", "activities/*"): SkillCall.reply,
    ("PUT", "activities/*"): SkillCall.update,
    ("DELETE", "activities/*"): SkillCall.delete,
    ("GET", "members"): SkillCall.members,
    ("GET", "members/*"): SkillCall.member,
    ("GET", "pagedmembers"): SkillCall.paged_members,
}
"""The operations by method and path. `*` stands for an id, which is passed to the operation."""


class _KnownConversation(ConversationIdFactoryBase):  # type: ignore[misc]  # untyped SDK base
    """Gives the SDK's handler the conversation that has already been looked up."""

    def __init__(
        self, conversation: SkillConversationReference, conversations: ConversationIdFactoryBase
    ) -> None:
        self._conversation = conversation
        self._conversations = conversations

    async def get_skill_conversation_reference(
        self, skill_conversation_id: str
    ) -> SkillConversationReference:
        return self._conversation

    async def delete_conversation_reference(self, skill_conversation_id: str) -> None:
        await self._conversations.delete_conversation_reference(skill_conversation_id)
