"""ChannelWatch: turns as the local cloud itself sees them, without help of the bot's processes."""

import base64
import binascii
import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

import jwt

from emulator.channel.channel import BotAnswer, Channel
from emulator.channel.conversations import Activity
from emulator.inspector.turn import DONE, FAILED, QUEUED, Turn
from emulator.inspector.turn_details import JsonObject
from emulator.inspector.turn_log import TurnLog
from emulator.inspector.unhandled_invokes import hint_for
from emulator.server import Exchange

ADDRESS = ("channelId", "serviceUrl", "from", "recipient", "conversation")
"""The properties of an activity that say who writes to whom, and where."""

MAX_BODY_BYTES = 256 * 1024
"""Of the bot's response, in a row's details."""

_REPLAYED: ContextVar[str | None] = ContextVar("replayed", default=None)


class ChannelWatch:
    """Puts deliveries and the bot's calls into the log.

    A call belongs to the turn whose activity it replies to, else to the newest running turn of its
    conversation. One that belongs to no turn is a proactive message.

    Args:
        channel: whose deliveries are watched.
        log: gets the turns.
    """

    def __init__(self, channel: Channel, log: TurnLog) -> None:
        self._channel = channel
        self._log = log
        self._claims: tuple[str, JsonObject] = ("", {})

    @contextlib.contextmanager
    def replaying(self, turn_id: str | None) -> Iterator[None]:
        """What is delivered in this block repeats a turn."""
        token = _REPLAYED.set(turn_id)
        try:
            yield
        finally:
            _REPLAYED.reset(token)

    def newest_address(self) -> Activity:
        """Who wrote to whom, and where, in the newest delivery; empty: there is none."""
        for turn in self._log.newest_first:
            activity = turn.first("activity")
            if isinstance(activity, dict) and set(ADDRESS) <= set(activity):
                return {name: activity[name] for name in ADDRESS}
        return {}

    def delivering(self, turn: str, activity: Activity, token: str) -> None:
        """See DeliveryObserver."""
        row = self._log.start(turn, "channel")
        row.describe(activity)
        row.replay_of = _REPLAYED.get()
        self._log.add(row, "activity", activity)
        self._log.add(row, "request", {"url": self._channel.bot_endpoint, "headers": HEADERS})
        self._log.add(row, "claims", self._decoded(token))
        self._log.changed(row)

    def _decoded(self, token: str) -> JsonObject:
        # The channel uses a token for many deliveries.
        if token != self._claims[0]:
            self._claims = (token, _claims(token))
        return self._claims[1]

    def delivered(self, answer: BotAnswer) -> None:
        """See DeliveryObserver."""
        row = self._log.find(answer.turn)
        if row is None:
            return
        row.answered, row.status = True, answer.status
        row.error = row.error or self._error(answer)
        row.hint = hint_for(row.first("activity") or {}, answer.status)
        if answer.reached:
            self._log.add(row, "response", _response(answer))
        self._end(row, answer)
        self._log.changed(row)

    def _end(self, row: Turn, answer: BotAnswer) -> None:
        if not answer.ok:
            row.outcome, row.ended_at = FAILED, self._log.clock()
        elif answer.status == 202 and row.kind == "channel":
            row.kind, row.outcome = "queued", QUEUED
        elif row.kind == "channel":
            row.outcome = FAILED if row.error else DONE
            row.ended_at = self._log.clock()

    def _error(self, answer: BotAnswer) -> str:
        if answer.ok:
            return ""
        if answer.reached:
            return f"The bot answered {answer.status}."
        if answer.status == 504:
            return f"The bot did not answer within {self._channel.timeout:g} seconds."
        return f"The bot cannot be reached at {self._channel.bot_endpoint}"

    def connector_called(self, exchange: Exchange) -> None:
        """The bot has called the connector."""
        sent = _object(exchange.request)
        if exchange.path.rstrip("/") == "/v3/conversations" and exchange.method == "POST":
            sent = dict(_mapping(sent, "activity"))
        conversation_id = _conversation(exchange)
        row = self._turn_of(conversation_id, str(sent.get("replyToId") or _replied(exchange)))
        if row is None:
            row = self._proactive(exchange, conversation_id, sent)
        self._add_exchange(row, exchange, _object(exchange.response), "connector")
        if sent and exchange.method in ("POST", "PUT") and _is_ok(exchange):
            self._log.add(row, "replies", sent)
        self._log.changed(row)

    def token_service_called(self, exchange: Exchange) -> None:
        """The bot has called the token service. Its responses have tokens, and are not kept."""
        user_id = _user(exchange)
        running = (turn for turn in self._log.newest_first if turn.ended_at is None)
        row = next((turn for turn in running if turn.user_id == user_id), None)
        if row is not None:
            self._add_exchange(row, exchange, {}, "user token")
            self._log.changed(row)

    def _turn_of(self, conversation_id: str, replied: str) -> Turn | None:
        running = None
        for turn in self._log.newest_first:
            if turn.conversation_id != conversation_id:
                continue
            if replied and turn.activity_id == replied:
                return turn
            if running is None and turn.ended_at is None:
                running = turn
        return running

    def _proactive(self, exchange: Exchange, conversation_id: str, sent: JsonObject) -> Turn:
        row = self._log.start(secrets.token_hex(16), "proactive", exchange.at)
        row.describe({**sent, "conversation": {"id": conversation_id}})
        row.activity_id = ""  # nobody replies to it by this id
        row.status, row.ended_at = exchange.status, exchange.at + exchange.ms / 1000
        row.outcome = DONE if _is_ok(exchange) else FAILED
        return row

    def _add_exchange(
        self, row: Turn, exchange: Exchange, response: JsonObject, purpose: str
    ) -> None:
        query = f"?{exchange.query}" if exchange.query and purpose == "connector" else ""
        call = {
            "id": secrets.token_hex(8),
            "method": exchange.method,
            "url": f"{exchange.path}{query}",
            "purpose": purpose,
            "at": exchange.at,
            "ms": exchange.ms,
            "status": exchange.status,
            "error": None if exchange.status else "the connection ended without a response",
            "request": _object(exchange.request) or None if purpose == "connector" else None,
            "response": response or None,
        }
        self._log.add(row, "exchanges", call)


HEADERS = {"Content-Type": "application/json; charset=utf-8"}
"""Of a delivery, without its token."""


def _claims(token: str) -> JsonObject:
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        return {**claims, "kid": jwt.get_unverified_header(token).get("kid")}
    except jwt.InvalidTokenError:
        return {}


def _response(answer: BotAnswer) -> JsonObject:
    text = answer.body[:MAX_BODY_BYTES].decode("utf-8", "replace")
    body: object = text
    with contextlib.suppress(ValueError):
        body = json.loads(text) if text else None
    return {"status": answer.status, "headers": dict(answer.headers), "body": body}


def _object(body: bytes) -> JsonObject:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_ok(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status < 400


def _conversation(exchange: Exchange) -> str:
    parts = exchange.path.split("/")
    if len(parts) > 3 and parts[2] == "conversations":
        return parts[3]
    return str(_object(exchange.response).get("id") or "")


def _replied(exchange: Exchange) -> str:
    parts = exchange.path.split("/")
    is_reply = exchange.method == "POST" and len(parts) == 6 and parts[4] == "activities"
    return parts[5] if is_reply else ""


def _user(exchange: Exchange) -> str:
    """The id of the user whose token is meant; empty: the call does not say."""
    query = parse_qs(exchange.query)
    if found := query.get("userId"):
        return found[0]
    try:
        state = _object(base64.b64decode(query.get("state", [""])[0]))
    except binascii.Error:
        return ""
    user = _mapping(_mapping(state, "conversation"), "user")
    return str(user.get("id") or "")


def _mapping(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}
