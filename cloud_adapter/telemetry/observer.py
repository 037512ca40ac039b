"""Telemetry: the observer that makes spans and metrics of the app's moments.

Spans hold nothing that a user or a client has written. Nothing here imports the bot SDK: the
warm-up creates the observer before its first requests, and imports the SDK after them.
"""

import functools
import hashlib
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from cloud_adapter.storage.account import AUDIENCE
from cloud_adapter.telemetry.metrics import ACTIVITY_TYPES, CHANNELS, OTHER, bot_metrics, known
from cloud_adapter.telemetry.spans import (
    Operation,
    Value,
    current_trace_parent,
    entry_kind,
    past_operation,
    stored_parent,
)
from http_client.observer import Ended, Facts, Watch

_REQUEST = {"http.request.method": "POST", "http.route": "/api/messages"}

TURN_QUEUE, NOTIFICATION_QUEUE = "bot-turns", "bot-notifications"
"""The queues' names, repeated because their modules import the bot SDK."""

DEAD_LETTERS = "-poison"
"""The end of the name of a queue of dead letters."""

CHANNEL, STORAGE, SKILL = "channel", "storage", "skill"
"""The uses of a token, as metrics name them; OTHER is one for another service."""

TURN_COUNT = "messaging.batch.message_count"
"""The attribute with the number of turns that a drain has run."""

HISTORY = "history"
"""The one segment of a path that stands where others have an id."""

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

STREAM = "bot.reply.stream"
"""The name of the span of a streamed answer's parts."""

OTHER_CALL = "request"
"""The name of an operation that neither table has."""

SYSTEM = "azure_queue_storage"
"""The conventions for messaging spans have no value for queues of Azure Storage, and allow others.
Source: OpenTelemetry, semantic conventions."""

HASH_LENGTH = 16
"""Hex digits of a hashed id."""

DELIVERY_MODES = frozenset({"normal", "notification", "expectReplies", "ephemeral"})
"""The SDK's DeliveryModes."""


class Telemetry:
    """Makes spans and metrics, as docs/telemetry.md lists them.

    Args:
        app_id: the bot's app id (GUID), see `hashed`.
        channel_audience: the resource (URL) of the tokens for the channel.
    """

    def __init__(self, app_id: str, channel_audience: str) -> None:
        self._app_id = app_id
        self._channel_audience = channel_audience
        self.watches: Mapping[str, Watch] = {
            "request": _request,
            "caller.authorize": self._authorized,
            "turn": self._turn,
            "turn.error": _turn_failed,
            "token.request": self._token_request,
            "connector.call": _connector_call,
            "reply.stream": _stream,
            "skill.call": _skill_call,
            "skill.reply": _skill_reply,
            "http.request": _http_request,
            "state.lock": _lock,
            "state.read": functools.partial(_storage, "read"),
            "state.write": functools.partial(_storage, "write"),
            "state.delete": functools.partial(_storage, "delete"),
            "queued.enqueue": _enqueue_turn,
            "queued.wake_up": _drain,
            "queued.turn": _queued_turn,
            "queue.put": _put,
            "notification.enqueue": _enqueue_notification,
            "notification.send": _send_notification,
            "proactive.send": self._proactive,
        }

    def trace_parent(self) -> str:
        """The `traceparent` of the current span; empty: there is none."""
        return current_trace_parent()

    def _authorized(self, facts: Facts) -> None:
        if operation := Operation.current():
            for name, value in activity_attributes(facts["activity"], self._app_id).items():
                operation.set(name, value)

    def _token_request(self, facts: Facts) -> Ended:
        attributes = {"auth.method": type(facts["credential"]).__name__}
        audience = facts["audience"]
        kind = self._kind_of(audience)
        if kind != SKILL:  # its audience is an app id
            attributes["auth.scopes"] = f"{audience}/.default"
        operation = Operation("agents.authentication.get_access_token", attributes)

        def ended(token: Any, error: BaseException | None) -> None:
            operation.ended(token, error)
            if error is None:
                bot_metrics().token_obtained(kind)
                if token.certificate_expires_on:
                    bot_metrics().certificate_expires_at(token.certificate_expires_on)

        return ended

    def _kind_of(self, audience: str) -> str:
        if "://" not in audience:
            return SKILL
        return {self._channel_audience: CHANNEL, AUDIENCE: STORAGE}.get(audience, OTHER)

    def _turn(self, facts: Facts) -> Ended:
        attributes = activity_attributes(facts["context"].activity, self._app_id)
        return Operation("agents.app.run", attributes).ended

    def _proactive(self, facts: Facts) -> Ended:
        attributes = activity_attributes(facts["reference"], self._app_id)
        return Operation("agents.proactive.send_activity", attributes).ended


def _request(_: Facts) -> Ended:
    return Operation("agents.adapter.process", _REQUEST, entry_kind()).answered


def _turn_failed(facts: Facts) -> None:
    # Most errors go no further than this: the user gets an apology.
    if operation := Operation.current():
        operation.fail(facts["error"])


def _connector_call(facts: Facts) -> Ended | None:
    if (outer := Operation.current()) and outer.name == STREAM:
        return None  # a part, of which there are many
    attributes = {
        "http.request.method": facts["method"],
        "server.address": host_of(facts["service"].base_url),
    }
    # Without `url.full`: exporters would name the span after it, and it holds ids.
    return Operation(call_name(facts["method"], facts["path"]), attributes, SpanKind.CLIENT).ended


def _stream(_: Facts) -> Ended:
    return Operation(STREAM).ended


def _skill_call(facts: Facts) -> Ended:
    attributes = {"http.request.method": "POST", "server.address": host_of(facts["to_url"])}
    return Operation("bot.skill.call", attributes, SpanKind.CLIENT).ended


def _skill_reply(_: Facts) -> Ended:
    return Operation("bot.skill.reply", kind=entry_kind()).answered


def _http_request(_: Facts) -> Ended | None:
    operation = Operation.current()
    if operation is None or not operation.is_call:
        return None
    operation.count_request()
    return operation.received


def _lock(_: Facts) -> Ended | None:
    if Operation.current() is None:  # a notification's own: no turn waits for it
        return None
    return Operation("bot.conversation_lock").ended


def _storage(operation: str, _: Facts) -> Ended:
    attributes: dict[str, Value] = {"storage.operation": operation, "storage.keys.count": 1}
    return Operation(f"agents.storage.{operation}", attributes).ended


def _enqueue_turn(_: Facts) -> Ended:
    if operation := Operation.current():
        operation.set("bot.queued", True)
    attributes = queue_attributes(TURN_QUEUE, "send")
    return Operation(f"send {TURN_QUEUE}", attributes, SpanKind.PRODUCER).ended


def _drain(_: Facts) -> Ended:
    return Operation("bot.drain", {"messaging.destination.name": TURN_QUEUE, TURN_COUNT: 0}).ended


def _queued_turn(facts: Facts) -> Ended:
    if drain := Operation.current():
        drain.count(TURN_COUNT)
    accepted = facts["accepted"]
    parent, links = stored_parent(accepted.trace_parent)
    attributes = {**queue_attributes(TURN_QUEUE, "process"), "bot.attempt": facts["attempt"].name}
    operation = Operation(f"process {TURN_QUEUE}", attributes, SpanKind.CONSUMER, parent, links)
    if accepted.accepted_at:
        past_operation("bot.queue_wait", accepted.accepted_at, time.time_ns())
    return operation.ended


def _put(facts: Facts) -> Ended | None:
    name = facts["self"].name
    if not name.endswith(DEAD_LETTERS):
        return None

    def ended(_: None, error: BaseException | None) -> None:
        if error is None:
            bot_metrics().dead_lettered(name)

    return ended


def _enqueue_notification(_: Facts) -> Ended:
    attributes = queue_attributes(NOTIFICATION_QUEUE, "send")
    return Operation(f"send {NOTIFICATION_QUEUE}", attributes, SpanKind.PRODUCER).ended


def _send_notification(facts: Facts) -> Ended:
    parent, links = stored_parent(facts["notification"].trace_parent)
    attributes = queue_attributes(NOTIFICATION_QUEUE, "process")
    name = f"process {NOTIFICATION_QUEUE}"
    return Operation(name, attributes, SpanKind.CONSUMER, parent, links).ended


@functools.lru_cache(maxsize=64)  # a bot calls few hosts
def host_of(url: str) -> str:
    """The host of a URL, without its port; empty if the URL is not valid."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


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
        found["activity.delivery_mode"] = known(DELIVERY_MODES, mode)
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
