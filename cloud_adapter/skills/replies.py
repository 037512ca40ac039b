"""SkillReplies: a parent bot as the connector of its skills.

A skill replies to the parent as it would to a channel: it calls the Bot Connector's REST API at the
service URL of the activities that it was sent.
"""

import logging
from http import HTTPStatus

from botbuilder.core import Bot
from botbuilder.core.skills import ConversationIdFactoryBase, SkillConversationReference
from botframework.connector.auth import (
    AuthenticationConstants,
    ClaimsIdentity,
    JwtTokenValidation,
)

from auth.errors import ConversationUnknown
from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.codec.writer import json_bytes, write_value
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.response import TurnResponse
from cloud_adapter.skills.call import SkillCall, SkillRequest, Target, readings
from cloud_adapter.skills.turns import SkillAwareBot, SkillTurns

PASSED_ON = frozenset({400, 403, 404, 412, 413, 429})
"""The channel's statuses that are passed on to the skill. It gets 502 in place of any other: a 500
would look like the parent's failure, and a 401 like a rejection of the skill's own token."""

log = logging.getLogger(__name__)


class SkillReplies:
    """Handles the replies of skills.

    Args:
        adapter: authenticates skills, and runs turns.
        conversations: the ids by which skills know conversations.
        bot: the parent.
    """

    def __init__(
        self, adapter: CloudAdapter, conversations: ConversationIdFactoryBase, bot: Bot
    ) -> None:
        self._authentication = adapter.bot_framework_authentication
        self._conversations = conversations
        self._turns = SkillTurns(adapter)
        self._bot = SkillAwareBot(bot)

    async def process(self, request: SkillRequest) -> TurnResponse:
        """Run the operation that a skill requests.

        Raises:
            TokenRejected, CallerForbidden: the caller is not a bot that may call this one.
            ConversationUnknown: this bot did not call the skill in the conversation, or the
                conversation has ended.
            BadRequest: the body is not an activity that can be sent, or is too large.
            Unavailable: the caller cannot be checked, the bot cannot sign in, or storage is
                unavailable.
        """
        skill = await self._authentication.authenticate_channel_request(request.http.authorization)
        target = Target.of(request)
        if target is None:
            return _refusal(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented")
        call = await self._call(request, target, skill)
        try:
            result = await target.run(call, target.item)
        except ConnectorError as error:
            log.warning("A skill's call was not passed on: %s", error.message)
            status = error.response.status_code
            status = status if status in PASSED_ON else HTTPStatus.BAD_GATEWAY
            return _refusal(status, error.code or "ServiceError")
        body = b"" if result is None else json_bytes(write_value(result))
        return TurnResponse(HTTPStatus.OK, body)

    async def _call(
        self, request: SkillRequest, target: Target, skill: ClaimsIdentity
    ) -> SkillCall:
        for conversation_id in readings(target.conversation):
            # The id comes from the caller, so it may name any stored item.
            found = await self._conversations.get_skill_conversation_reference(conversation_id)
            if isinstance(found, SkillConversationReference) and _is_of(found, skill):
                return SkillCall(
                    request,
                    skill,
                    conversation_id,
                    found,
                    self._conversations,
                    self._turns,
                    self._bot,
                    self._authentication,
                )
        raise ConversationUnknown("this bot has not called the skill in the conversation")


def _is_of(conversation: SkillConversationReference, skill: ClaimsIdentity) -> bool:
    """Whether this skill was called in a conversation.

    Conversations that the bot stores with the SDK's factory, or with one of its own, do not name
    the skill: every allowed caller may reply there.
    """
    caller: str = JwtTokenValidation.get_app_id_from_claims(skill.claims)
    called: str = getattr(conversation, "skill_app_id", caller)
    is_anonymous = caller == AuthenticationConstants.ANONYMOUS_SKILL_APP_ID
    return is_anonymous or caller.lower() == called.lower()


def _refusal(status: int, code: str) -> TurnResponse:
    """An error in the form of the Bot Connector's."""
    error = {"code": code, "message": "The call was not passed on."}
    return TurnResponse(status, json_bytes({"error": error}))
