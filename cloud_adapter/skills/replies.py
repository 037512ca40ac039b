"""SkillReplies: the connector that a parent bot is for its skills.

A skill replies to the parent as it would to a channel: it calls the Bot Connector's REST API at the
service URL of the activities that it was sent. What each reply does is the SDK's CloudSkillHandler.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from botbuilder.core import Bot
from botbuilder.core.skills import ConversationIdFactoryBase, SkillConversationReference
from botbuilder.core.skills.cloud_skill_handler import CloudSkillHandler
from botframework.connector.auth import ClaimsIdentity

from auth.errors import ConversationUnknown
from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.codec.writer import json_bytes, write_value
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.request import TurnRequest, check_head, read_reply
from cloud_adapter.response import TurnResponse
from cloud_adapter.skills.turns import SkillAwareBot, SkillTurns

PASSED_ON = frozenset({400, 403, 404, 412, 413, 429})
"""Statuses of the channel that a skill gets, too. The others would blame the parent for what is the
channel's, or the skill's token for what is the parent's."""

log = logging.getLogger(__name__)


class SkillRequest(NamedTuple):
    """A skill's request to the connector API of its parent.

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


class SkillReplies:
    """Handles the replies of skills.

    Args:
        adapter: authenticates skills, and runs turns.
        conversations: created the ids by which skills know conversations.
        bot: the parent.
    """

    def __init__(
        self, adapter: CloudAdapter, conversations: ConversationIdFactoryBase, bot: Bot
    ) -> None:
        self._authentication = adapter.bot_framework_authentication
        self._conversations = _KnownConversations(conversations)
        turns, aware_bot = SkillTurns(adapter), SkillAwareBot(bot)
        self._handler = CloudSkillHandler(
            turns, aware_bot, self._conversations, self._authentication
        )
        self._operations: Mapping[tuple[str, str], _Operation] = {
            ("POST", "activities"): self._send,
            ("POST", "activities/*"): self._reply,
            ("PUT", "activities/*"): self._update,
            ("DELETE", "activities/*"): self._delete,
            ("GET", "members"): self._members,
            ("GET", "members/*"): self._member,
            ("GET", "pagedmembers"): self._paged_members,
        }

    async def process(self, request: SkillRequest) -> TurnResponse:
        """Do what a skill asks for.

        Raises:
            TokenRejected, CallerForbidden: the caller is no bot that may call this one.
            ConversationUnknown: this bot did not call a skill in the conversation, or it has ended.
            BadRequest: the body is not an activity that can be sent, or is too large.
            Unavailable: the caller cannot be checked, the bot cannot sign in, or storage is
                unavailable.
        """
        skill = await self._authentication.authenticate_channel_request(request.http.authorization)
        kind, _, item = request.path.partition("/")
        operation = self._operations.get((request.method, f"{kind}/*" if item else kind))
        if operation is None:
            return _refusal(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented")
        try:
            result = await operation(skill, request, item)
        except ConnectorError as error:
            log.warning("A skill's call was not passed on: %s", error.message)
            status = error.response.status_code
            status = status if status in PASSED_ON else HTTPStatus.BAD_GATEWAY
            return _refusal(status, error.code or "ServiceError")
        body = b"" if result is None else json_bytes(write_value(result))
        return TurnResponse(HTTPStatus.OK, body)

    async def _send(self, skill: ClaimsIdentity, request: SkillRequest, _: str) -> Any:
        activity = _activity(request)
        return await self._handler.on_send_to_conversation(skill, request.conversation_id, activity)

    async def _reply(self, skill: ClaimsIdentity, request: SkillRequest, item: str) -> Any:
        activity = _activity(request)
        return await self._handler.on_reply_to_activity(
            skill, request.conversation_id, item, activity
        )

    async def _update(self, skill: ClaimsIdentity, request: SkillRequest, item: str) -> Any:
        activity = _activity(request)
        activity.id = item
        return await self._handler.on_update_activity(
            skill, request.conversation_id, item, activity
        )

    async def _delete(self, skill: ClaimsIdentity, request: SkillRequest, item: str) -> None:
        await self._handler.on_delete_activity(skill, request.conversation_id, item)

    async def _members(self, _: ClaimsIdentity, request: SkillRequest, __: str) -> Any:
        channel, conversation_id = await self._channel(request)
        return await channel.get_conversation_members(conversation_id)

    async def _member(self, _: ClaimsIdentity, request: SkillRequest, item: str) -> Any:
        channel, conversation_id = await self._channel(request)
        return await channel.get_conversation_member(conversation_id, item)

    async def _paged_members(self, _: ClaimsIdentity, request: SkillRequest, __: str) -> Any:
        channel, conversation_id = await self._channel(request)
        size, token = request.query.get("pageSize"), request.query.get("continuationToken")
        return await channel.get_conversation_paged_members(conversation_id, size, token)

    async def _channel(self, request: SkillRequest) -> tuple[Any, str]:
        """The channel's operations on conversations, and the id by which it knows this one."""
        found = await self._conversations.get_skill_conversation_reference(request.conversation_id)
        reference = found.conversation_reference
        connectors = self._authentication.create_connector_factory(None)
        client = await connectors.create(reference.service_url, found.oauth_scope)
        return client.conversations, reference.conversation.id


_Operation = Callable[[ClaimsIdentity, SkillRequest, str], Awaitable[Any]]


class _KnownConversations(ConversationIdFactoryBase):  # type: ignore[misc]  # untyped SDK base
    """Conversations with skills, of which an unknown one is the caller's mistake.

    The id comes from the caller, so it may name any item in storage.
    """

    def __init__(self, conversations: ConversationIdFactoryBase) -> None:
        self._conversations = conversations

    async def get_skill_conversation_reference(
        self, skill_conversation_id: str
    ) -> SkillConversationReference:
        found = await self._conversations.get_skill_conversation_reference(skill_conversation_id)
        if not isinstance(found, SkillConversationReference):
            raise ConversationUnknown("this bot has called no skill in the conversation")
        return found

    async def delete_conversation_reference(self, skill_conversation_id: str) -> None:
        await self._conversations.delete_conversation_reference(skill_conversation_id)


def _activity(request: SkillRequest) -> Any:
    check_head(request.http)
    return read_reply(request.http.body)


def _refusal(status: int, code: str) -> TurnResponse:
    """An error in the form of the Bot Connector's."""
    error = {"code": code, "message": "The call was not passed on."}
    return TurnResponse(status, json_bytes({"error": error}))
