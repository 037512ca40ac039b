"""SkillCall: one call of a skill to the connector API of its parent, and the operations there.

The SDK's CloudSkillHandler handles the activities. It does not implement the operations on members.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from botbuilder.core import Bot
from botbuilder.core.skills import ConversationIdFactoryBase, SkillConversationReference
from botbuilder.core.skills.cloud_skill_handler import CloudSkillHandler
from botframework.connector.auth import ClaimsIdentity

from cloud_adapter.authentication import BotAuthentication
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.request import TurnRequest, check_head, read_reply
from cloud_adapter.skills.turns import SkillTurns


class SkillRequest(NamedTuple):
    """A skill's request.

    Attributes:
        method: the HTTP method.
        path: what follows `v3/` in the URL, as the Functions host decodes it: all but `%2F`.
        query: the query's parameters.
        http: headers and body.
    """

    method: str
    path: str
    query: Mapping[str, str]
    http: TurnRequest


class Target(NamedTuple):
    """What a request is about.

    Attributes:
        conversation: the id by which the skill knows the conversation, as it is in the path.
        item: the id of an activity or a member, as it is in the path; empty: none.
        run: the operation.
    """

    conversation: str
    item: str
    run: "Operation"

    @classmethod
    def of(cls, request: SkillRequest) -> "Target | None":
        """The request's target; None: the operation is not supported."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return None
        conversation, kind, item = found.group("conversation", "kind", "item")
        key = request.method, f"{kind.lower()}/*" if item else kind.lower()
        # As in the SDK for .NET, where the route without an id comes first.
        if key == _REPLY and item.lower() == "history":
            return None
        run = OPERATIONS.get(key)
        return cls(conversation, item or "", run) if run else None


def readings(part: str) -> list[str]:
    """The ids that a part of a path may stand for, the likelier first.

    The host decodes all but `%2F`, and makes it of `%252F`, too: an id that contains this text
    itself looks like one with a slash.

    Source: ASP.NET Core, Kestrel's UrlDecoder.
    """
    return list(dict.fromkeys((_slashed(part), part)))


def _slashed(part: str) -> str:
    return part.replace("%2F", "/").replace("%2f", "/")


def _named(item: str, named: str | None) -> str:
    """The id that a part of a path stands for, if the body names it, too."""
    return named if named and _slashed(named) == _slashed(item) else _slashed(item)


async def _known[Result](item: str, call: Callable[[str], Awaitable[Result]]) -> Result:
    """The result of a call with an id; with another reading of it if the channel answers 404."""
    for activity_or_member in readings(item)[:-1]:
        try:
            return await call(activity_or_member)
        except ConnectorError as error:
            if error.response.status_code != HTTPStatus.NOT_FOUND:
                raise
    return await call(readings(item)[-1])


class SkillCall(CloudSkillHandler):  # type: ignore[misc]  # untyped SDK base
    """A call in a conversation in which this bot has called the skill.

    Args:
        request: the request.
        skill: who sent it.
        conversation_id: the id by which the skill knows the conversation.
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
        conversation_id: str,
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
        self._conversation_id = conversation_id
        self._conversation = conversation
        self._authentication = authentication

    async def send(self, _: str) -> Any:
        """Send an activity; returns a ResourceResponse, like `reply` and `update`."""
        return await self.on_send_to_conversation(
            self._skill, self._conversation_id, self._activity()
        )

    async def reply(self, item: str) -> Any:
        """Reply to an activity."""
        activity = self._activity()
        return await self.on_reply_to_activity(
            self._skill, self._conversation_id, _named(item, activity.reply_to_id), activity
        )

    async def update(self, item: str) -> Any:
        """Replace an activity."""
        activity = self._activity()
        activity.id = _named(item, activity.id)
        return await self.on_update_activity(
            self._skill, self._conversation_id, activity.id, activity
        )

    async def delete(self, item: str) -> None:
        """Delete an activity."""
        skill, conversation_id = self._skill, self._conversation_id
        await _known(item, lambda each: self.on_delete_activity(skill, conversation_id, each))

    async def members(self, _: str) -> Any:
        """All members, as a list of ChannelAccount."""
        return await (await self._channel()).get_conversation_members(self._channel_id)

    async def member(self, item: str) -> Any:
        """One member, as a ChannelAccount."""
        channel, conversation_id = await self._channel(), self._channel_id
        return await _known(
            item, lambda each: channel.get_conversation_member(conversation_id, each)
        )

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


Operation = Callable[[SkillCall, str], Awaitable[Any]]
"""Gets the id of the activity or the member, as it is in the path."""

_REPLY = ("POST", "activities/*")

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "activities"): SkillCall.send,
    _REPLY: SkillCall.reply,
    ("PUT", "activities/*"): SkillCall.update,
    ("DELETE", "activities/*"): SkillCall.delete,
    ("GET", "members"): SkillCall.members,
    ("GET", "members/*"): SkillCall.member,
    ("GET", "pagedmembers"): SkillCall.paged_members,
}
"""The operations by method and path below a conversation. `*` stands for an id."""

# The front end of App Service decodes %2F, too: an id may then contain slashes.
_PATH = re.compile(
    r"conversations/(?P<conversation>.+?)"
    r"/(?P<kind>activities|members|pagedmembers)(?:/(?P<item>.+?))?/?",
    re.IGNORECASE | re.DOTALL,
)


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
