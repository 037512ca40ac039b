"""Spans of turns: the parts that the warm-up creates once the bot SDK is imported.

Spans hold nothing that a user or a client has written.
"""

import functools
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from botbuilder.core import Bot
from botbuilder.schema import Activity, ConversationReference, DeliveryModes, InvokeResponse
from botframework.connector.auth import ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from opentelemetry.trace import SpanKind

from auth.inbound.bearer_token import BearerToken
from cloud_adapter.adapter import CloudAdapter, ErrorPolicy, Logic, TurnRequest, TurnResponse
from cloud_adapter.authentication import BotAuthentication
from cloud_adapter.connector.client import ConnectorSession, Service, ServiceResponse
from cloud_adapter.connector.skills import SkillClient
from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.notifications import QUEUE as NOTIFICATIONS
from cloud_adapter.proactive.notifications import Notifications
from cloud_adapter.queued.drain import Attempt, RunTurn
from cloud_adapter.queued.inbox import AcceptedActivity
from cloud_adapter.queued.queued_turns import QUEUE as TURNS
from cloud_adapter.queued.queued_turns import QueuedTurns
from cloud_adapter.skills import SkillReplies, SkillRequest
from cloud_adapter.state.lock import ConversationLocks, HeldLock
from cloud_adapter.storage.blobs import Blob
from cloud_adapter.storage.queue import MessageQueue, ReceivedMessage
from cloud_adapter.telemetry.metrics import ACTIVITY_TYPES, CHANNELS, bot_metrics, known
from cloud_adapter.telemetry.spans import (
    Operation,
    Value,
    current_trace_parent,
    entry_kind,
    past_operation,
    stored_parent,
)
from cloud_adapter.telemetry.traced.warm_up import host_of
from cloud_adapter.turn_context import TurnContext
from http_client.pool import MAX_RESPONSE_BYTES

_REQUEST = {"http.request.method": "POST", "http.route": "/api/messages"}

CALLER_CHECK = "bot.caller_check"

HISTORY = "history"

OPERATIONS = {
    ("GET", "v3", "conversations"): "get_conversations",
    ("POST", "v3", "conversations"): "create_conversation",
    ("POST", "v3", "conversations", "*", "activities"): "send_to_conversation",
    ("POST", "v3", "conversations", "*", "activities", "*"): "reply_to_activity",
    ("POST", "v3", "conversations", "*", "activities", HISTORY): "send_conversation_history",
    ("PUT", "v3", "conversations", "*", "activities", "*"): "update_activity",
    ("DELETE", "v3", "conversations", "*", "activities", "*"): "delete_activity",
    ("GET", "v3", "conversations", "*", "activities", "*", "members"): "get_activity_members",
    ("GET", "v3", "conversations", "*", "members"): "get_conversation_members",
    ("GET", "v3", "conversations", "*", "members", "*"): "get_conversation_member",
    ("DELETE", "v3", "conversations", "*", "members", "*"): "delete_conversation_member",
    ("GET", "v3", "conversations", "*", "pagedmembers"): "get_conversation_paged_members",
    ("POST", "v3", "conversations", "*", "attachments"): "upload_attachment",
    ("GET", "v3", "attachments", "*"): "get_attachment_info",
    ("GET", "v3", "attachments", "*", "views", "*"): "get_attachment",
    ("GET", "v3", "teams", "*"): "get_team_details",
    ("GET", "v3", "teams", "*", "conversations"): "get_teams_channels",
    ("GET", "v1", "meetings", "*"): "fetch_meeting",
    ("GET", "v1", "meetings", "*", "participants", "*"): "fetch_participant",
    ("POST", "v1", "meetings", "*", "notification"): "send_meeting_notification",
}
"""Names of the connector's operations; `*` stands for an id."""

TOKEN_OPERATIONS = {
    "GetToken": "get_user_token",
    "SignOut": "sign_out",
    "GetSignInResource": "get_sign_in_resource",
    "exchange": "exchange_token",
    "GetTokenStatus": "get_token_status",
    "GetAadTokens": "get_aad_tokens",
}
"""Names of the token service's operations, by the last segment of their path."""

OTHER_CALL = "request"

SYSTEM = "azure_queue_storage"
"""The conventions for messaging spans have no value for queues of Azure Storage, and allow others.
Source: OpenTelemetry, semantic conventions."""

HASH_LENGTH = 16
"""Hex digits of a hashed id."""

_MODES = frozenset(each.value for each in DeliveryModes)


class TracedCloudAdapter(CloudAdapter):
    """See the base class."""

    async def process(self, request: TurnRequest, bot: Bot) -> TurnResponse:
        """Run or enqueue the turn for a channel's request."""
        with Operation("agents.adapter.process", _REQUEST, entry_kind()) as operation:
            response = await super().process(request, bot)
            operation.set("http.response.status_code", response.status)
            return response

    async def _run_middleware(
        self, context: TurnContext, logic: Logic | None, on_error: ErrorPolicy
    ) -> None:
        attributes = activity_attributes(context.activity, self._app_id)
        with Operation("agents.app.run", attributes) as operation:

            async def recorded(failed: TurnContext, error: Exception) -> bool:
                # Most errors go no further than `on_error`: the user gets an apology.
                operation.fail(error)
                return await on_error(failed, error)

            await super()._run_middleware(context, logic, recorded)

    async def _run_stored(self, bot: Bot, accepted: AcceptedActivity, attempt: Attempt) -> None:
        parent, links = stored_parent(accepted.trace_parent)
        attributes = {**queue_attributes(TURNS, "process"), "bot.attempt": attempt.name}
        name = f"process {TURNS}"
        with Operation(name, attributes, SpanKind.CONSUMER, parent, links):
            if accepted.accepted_at:
                past_operation("bot.queue_wait", accepted.accepted_at, time.time_ns())
            await super()._run_stored(bot, accepted, attempt)

    async def send_proactively(self, reference: ConversationReference, logic: Logic) -> None:
        """Run `logic` in a conversation, in a turn that no activity from the channel started."""
        attributes = activity_attributes(reference, self._app_id)
        with Operation("agents.proactive.send_activity", attributes):
            await super().send_proactively(reference, logic)


class TracedSkillClient(SkillClient):
    """See the base class. Skills get the trace context, in the header `traceparent`."""

    async def post_activity(
        self,
        from_bot_id: str,
        to_bot_id: str,
        to_url: str,
        service_url: str,
        conversation_id: str,
        activity: Activity,
    ) -> InvokeResponse:
        """Send an activity to a skill, and return the status and JSON of the skill's response."""
        attributes = {"http.request.method": "POST", "server.address": host_of(to_url)}
        with Operation("bot.skill.call", attributes, SpanKind.CLIENT) as operation:
            operation.is_propagated = True
            return await super().post_activity(
                from_bot_id, to_bot_id, to_url, service_url, conversation_id, activity
            )


class TracedBotAuthentication(BotAuthentication):
    """See the base class."""

    skill_client_class = TracedSkillClient

    async def authenticate(self, authorization: str) -> BearerToken | None:
        """Verify and return the caller's token; None if callers are not authenticated."""
        with Operation(CALLER_CHECK):
            return await super().authenticate(authorization)

    def authorize(self, token: BearerToken | None, activity: Activity) -> AuthenticateRequestResult:
        """Check that a caller may send this activity, and return the caller's identity."""
        if operation := Operation.current():
            for name, value in activity_attributes(activity, self._settings.app_id).items():
                operation.set(name, value)
        return super().authorize(token, activity)

    async def authenticate_channel_request(self, auth_header: str) -> ClaimsIdentity:
        """Authenticate a skill that replies: another bot that calls this one as its channel."""
        with Operation(CALLER_CHECK):
            return await super().authenticate_channel_request(auth_header)


class TracedSkillReplies(SkillReplies):
    """See the base class."""

    async def process(self, request: SkillRequest) -> TurnResponse:
        """Run the operation that a skill requests."""
        with Operation("bot.skill.reply", kind=entry_kind()) as operation:
            response = await super().process(request)
            operation.set("http.response.status_code", response.status)
            return response


class TracedConnectorSession(ConnectorSession):
    """See the base class. Its HTTP client is a TracedHttpPool, which notes statuses and retries."""

    async def call(
        self,
        service: Service,
        method: str,
        path: tuple[str, ...],
        body: object = None,
        query: dict[str, Any] | None = None,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> ServiceResponse:
        """Call a service. A call is retried only if the pause ends before the deadline."""
        attributes = {
            "http.request.method": method,
            "server.address": host_of(service.base_url),
        }
        # Without `url.full`: exporters would name the span after it, and it holds ids.
        with Operation(call_name(method, path), attributes, SpanKind.CLIENT):
            return await super().call(service, method, path, body, query, max_bytes)


def call_name(method: str, path: tuple[str, ...]) -> str:
    """The name of a call's span."""
    if path[0] == "api":
        return f"agents.user_token_client.{TOKEN_OPERATIONS.get(path[-1], OTHER_CALL)}"
    return f"agents.connector.{OPERATIONS.get((method, *_shape(path)), OTHER_CALL)}"


def _shape(path: tuple[str, ...]) -> tuple[str, ...]:
    """A path without its ids: they are its third segment, its fifth and so on."""
    return tuple(
        "*" if place % 2 == 0 and place > 0 and each != HISTORY else each
        for place, each in enumerate(path)
    )


class TracedQueuedTurns(QueuedTurns):
    """See the base class. The trace context of an activity's span is stored with the activity."""

    async def enqueue(
        self, activity: Any, body: bytes, claims: Mapping[str, Any], trace_parent: str = ""
    ) -> None:
        """Store an activity: once this returns, it will be processed."""
        if operation := Operation.current():
            operation.set("bot.queued", True)
        with Operation(f"send {TURNS}", queue_attributes(TURNS, "send"), SpanKind.PRODUCER):
            trace_parent = trace_parent or current_trace_parent()
            await super().enqueue(activity, body, claims, trace_parent)

    async def handle_message(self, message: ReceivedMessage, run_turn: RunTurn) -> None:
        """Handle a wake-up message: run the turns of the activities that wait in a conversation."""
        with Operation("bot.drain", {"messaging.destination.name": TURNS}) as operation:
            turns = 0

            async def counted(accepted: AcceptedActivity, attempt: Attempt) -> None:
                nonlocal turns
                turns += 1
                await run_turn(accepted, attempt)

            try:
                await super().handle_message(message, counted)
            finally:
                operation.set("messaging.batch.message_count", turns)


class TracedMessageQueue(MessageQueue):
    """A queue of dead letters; see the base class."""

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue. It never expires."""
        await super().put(text, delay)
        bot_metrics().dead_lettered(self._name)


class TracedConversationLocks(ConversationLocks):
    """See the base class."""

    @asynccontextmanager
    async def lock(
        self,
        name: str,
        lock_timeout: float,
        meanwhile: Callable[[], Awaitable[object]] | None = None,
        known: Blob | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[HeldLock]:
        """Lock a conversation, unless the turn that runs this code has locked it already."""
        async with AsyncExitStack() as stack:
            with Operation("bot.conversation_lock"):
                lock = super().lock(name, lock_timeout, meanwhile, known, deadline)
                held = await stack.enter_async_context(lock)
            yield held

    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist."""
        with _storage_operation("read"):
            return await super().read(name)

    async def write(self, name: str, content: bytes, etag: str | None) -> str:
        """Write a blob, and return its new ETag; see BlobContainer."""
        with _storage_operation("write"):
            return await super().write(name, content, etag)

    async def delete(self, name: str) -> None:
        """Delete a blob, if it exists."""
        with _storage_operation("delete"):
            await super().delete(name)


def _storage_operation(operation: str) -> Operation:
    attributes: dict[str, Value] = {"storage.operation": operation, "storage.keys.count": 1}
    return Operation(f"agents.storage.{operation}", attributes)


class TracedNotifications(Notifications):
    """See the base class. The trace context of a notification's span is part of its message."""

    async def enqueue(
        self,
        to: str | Sequence[str],
        text: str,
        card: dict[str, Any] | None,
        channel: str,
        own_id: str,
        trace_parent: str = "",
    ) -> str:
        """Enqueue a notification, and return its id."""
        with Operation(
            f"send {NOTIFICATIONS}", queue_attributes(NOTIFICATIONS, "send"), SpanKind.PRODUCER
        ):
            trace_parent = trace_parent or current_trace_parent()
            return await super().enqueue(to, text, card, channel, own_id, trace_parent)

    async def _send(self, notification: Notification) -> None:
        parent, links = stored_parent(notification.trace_parent)
        attributes = queue_attributes(NOTIFICATIONS, "process")
        with Operation(f"process {NOTIFICATIONS}", attributes, SpanKind.CONSUMER, parent, links):
            await super()._send(notification)


def activity_attributes(activity: Any, app_id: str) -> dict[str, str]:
    """The attributes of an activity; values that are not well-known ones are `other`.

    Args:
        activity: an Activity, or a ConversationReference, which has no type.
        app_id: the bot's app id (GUID), see `hashed`.
    """
    found = {"activity.channel_id": known(CHANNELS, activity.channel_id)}
    if kind := getattr(activity, "type", None):
        found["activity.type"] = known(ACTIVITY_TYPES, kind)
    if mode := getattr(activity, "delivery_mode", None):
        found["activity.delivery_mode"] = known(_MODES, mode)
    conversation = activity.conversation
    if conversation is not None and conversation.id:
        found["activity.conversation.id"] = hashed(conversation.id, app_id)
    return found


@functools.lru_cache(maxsize=1024)
def hashed(own_id: str, app_id: str) -> str:
    """An id that names a person or a conversation, hashed.

    It is the same in all spans of a bot, and another one for other bots. docs/telemetry.md says how
    to compute it.
    """
    text = f"{app_id}|{own_id}".encode(errors="surrogatepass")
    return hashlib.sha256(text).hexdigest()[:HASH_LENGTH]


def queue_attributes(queue: str, operation: str) -> dict[str, str]:
    """The attributes of a span.

    Args:
        queue: its name.
        operation: `send` or `process`.
    """
    return {
        "messaging.system": SYSTEM,
        "messaging.destination.name": queue,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }
