"""SkillReplies: a parent bot as the connector of its skills.

A skill replies to the parent as it would to a channel: it calls the Bot Connector's REST API at the
service URL of the activities that it was sent. The SDK's CloudSkillHandler handles the activities;
it does not implement the operations on members.

Meanwhile, the parent's own turn waits for the skill, possibly in another process. So the turns of
these replies do not wait for the conversation's lock (cloud_adapter/state/turn.py): their changes
are merged.
"""

import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from botbuilder.core import Bot, BotAdapter, TurnContext
from botbuilder.core.conversation_reference_extension import get_continuation_activity
from botbuilder.core.skills import ConversationIdFactoryBase, SkillConversationReference
from botbuilder.core.skills.cloud_skill_handler import CloudSkillHandler
from botbuilder.schema import CallerIdConstants, ConversationReference
from botframework.connector.auth import (
    AuthenticationConstants,
    ClaimsIdentity,
    JwtTokenValidation,
)

from auth.errors import BotError, ConversationUnknown
from cloud_adapter.adapter import (
    MAX_RUNS,
    CloudAdapter,
    TurnRequest,
    TurnResponse,
    check_head,
    read_reply,
)
from cloud_adapter.authentication import BotAuthentication
from cloud_adapter.codec import json_bytes, write_value
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.errors import BotFailed, StateConflict
from http_client.observer import moment

log = logging.getLogger(__name__)


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


PASSED_ON = frozenset({400, 403, 404, 412, 413, 429})
"""The channel's statuses that are passed on to the skill. It gets 502 in place of any other: a 500
would look like the parent's failure, and a 401 like a rejection of the skill's own token."""


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

    @moment("skill.reply")
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
        self, request: SkillRequest, target: "Target", skill: ClaimsIdentity
    ) -> "SkillCall":
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


class Target(NamedTuple):
    """The conversation, the item and the operation that a request names.

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
        turns: "SkillTurns",
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
        await _call_with_id(
            item, lambda each: self.on_delete_activity(skill, conversation_id, each)
        )

    async def members(self, _: str) -> Any:
        """All members, as a list of ChannelAccount."""
        return await (await self._channel()).get_conversation_members(self._channel_id)

    async def member(self, item: str) -> Any:
        """One member, as a ChannelAccount."""
        channel, conversation_id = await self._channel(), self._channel_id
        return await _call_with_id(
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


def _named(item: str, named: str | None) -> str:
    """The id that a part of a path stands for, if the body names it, too."""
    return named if named and _slashed(named) == _slashed(item) else _slashed(item)


async def _call_with_id[Result](item: str, call: Callable[[str], Awaitable[Result]]) -> Result:
    """The result of a call with an id; with another reading of it if the channel answers 404."""
    for activity_or_member in readings(item)[:-1]:
        try:
            return await call(activity_or_member)
        except ConnectorError as error:
            if error.response.status_code != HTTPStatus.NOT_FOUND:
                raise
    return await call(readings(item)[-1])


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


_BOT_RUNS_KEY = "SkillTurns.bot_runs"


class SkillTurns:
    """The adapter that the SDK's CloudSkillHandler gets: it calls this one method only.

    Args:
        adapter: runs the turns.
    """

    def __init__(self, adapter: CloudAdapter) -> None:
        self._adapter = adapter

    async def continue_conversation(
        self,
        reference: ConversationReference,
        callback: Callable[[TurnContext], Awaitable[object]],
        *,
        claims_identity: ClaimsIdentity,
        audience: str,
    ) -> None:
        """Run a turn, and run it again if another turn has changed the same property of the state.

        Args:
            reference: the parent's conversation.
            callback: passes the skill's activity on, or runs the bot.
            claims_identity: the skill's.
            audience: the resource of tokens for the conversation.

        Raises:
            ServiceUrlRefused: the bot must not call the conversation's service URL.
            ConnectorError: the channel refuses the activity, or cannot be reached.
            Unavailable: the bot cannot sign in, or storage is unavailable.
        """
        authentication = self._adapter.bot_framework_authentication
        skill = authentication.replying_skill(claims_identity, audience)

        async def run() -> None:
            activity = get_continuation_activity(reference)
            await self._adapter.run(skill, activity, callback, self._handle)

        for _ in range(MAX_RUNS - 1):
            with contextlib.suppress(StateConflict):
                return await run()
        return await run()

    async def _handle(self, context: TurnContext, error: Exception) -> bool:
        """Handle errors of the bot's own code; the skill gets those that stop its activity."""
        stops_activity = isinstance(error, BotError) and not isinstance(error, BotFailed)
        if stops_activity and _BOT_RUNS_KEY not in context.turn_state:
            return True
        return await self._adapter.handle_error(context, error)


class SkillAwareBot:
    """The bot, as it handles activities of a skill itself: events, and the end of a conversation.

    Args:
        bot: the parent.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def on_turn(self, context: TurnContext) -> None:
        """Run the bot. From here on, errors are handled as in any other turn."""
        context.turn_state[_BOT_RUNS_KEY] = True
        # The SDK's handler writes the name of this constant, not its value (Python 3.11 and later).
        prefix = CallerIdConstants.bot_to_bot_prefix.value
        claims = context.turn_state[BotAdapter.BOT_IDENTITY_KEY].claims
        app_id = JwtTokenValidation.get_app_id_from_claims(claims)
        context.activity.caller_id = f"{prefix}{app_id}"
        await self._bot.on_turn(context)
