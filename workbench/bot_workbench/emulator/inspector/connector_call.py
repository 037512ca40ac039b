"""ConnectorCall: a call of the bot as the local cloud's servers see it."""

import base64
import binascii
import json
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs

from bot_workbench.emulator.inspector.turns.turn_details import JsonObject, object_in
from bot_workbench.emulator.server import Exchange

NO_RESPONSE = "The connection ended without a response."


@dataclass(frozen=True)
class ConnectorCall:
    """A call of the connector.

    Attributes:
        exchange: the request and its response.
        activity: what the bot sent; empty: nothing.
        conversation_id: which conversation it is about; empty: none, or an unknown one.
        replied: the id of the activity that it replies to; empty: none.
        activity_id: the id of the activity that it has sent; empty: none.
    """

    exchange: Exchange
    activity: JsonObject
    conversation_id: str
    replied: str
    activity_id: str

    @classmethod
    def of(cls, exchange: Exchange) -> "ConnectorCall":
        """Read an exchange; what is not as it should be is left out."""
        sent = _object(exchange.request)
        parts = exchange.path.split("/")  # "", "v3", "conversations", ID, "activities", ID
        if exchange.path == "/v3/conversations":
            sent = object_in(sent, "activity")
        is_about_one = len(parts) > 3 and parts[2] == "conversations"
        answered = _object(exchange.response)
        conversation_id = parts[3] if is_about_one else answered.get("id")
        activity_id = answered.get("id") if is_about_one else answered.get("activityId")
        is_reply = exchange.method == "POST" and len(parts) == 6 and parts[4] == "activities"
        replied = sent.get("replyToId") or (parts[5] if is_reply else "")
        return cls(exchange, sent, str(conversation_id or ""), str(replied), str(activity_id or ""))

    @property
    def is_ok(self) -> bool:
        """Whether it succeeded."""
        return self.exchange.status is not None and self.exchange.status < 400

    @property
    def is_sent(self) -> bool:
        """Whether the bot has sent an activity by it."""
        return bool(self.activity) and self.is_ok and self.exchange.method in ("POST", "PUT")

    def as_json(self) -> JsonObject:
        """The call as its only attempt."""
        bodies = {
            "request": _object(self.exchange.request) or None,
            "response": _object(self.exchange.response) or None,
        }
        return {**exchange_as_json(self.exchange, "connector"), **bodies}


def exchange_as_json(exchange: Exchange, purpose: str) -> JsonObject:
    """An exchange as a call's only attempt, without its bodies and its query."""
    return {
        "id": secrets.token_hex(8),
        "method": exchange.method,
        "url": exchange.path,
        "purpose": purpose,
        "at": exchange.at,
        "ms": exchange.ms,
        "status": exchange.status,
        "error": NO_RESPONSE if exchange.status is None else None,
        "request": None,
        "response": None,
    }


def user_of(exchange: Exchange) -> str:
    """The id of the user whom a call of the token service is about; empty: it does not say."""
    query = parse_qs(exchange.query)
    if found := query.get("userId"):
        return found[0]
    try:
        state = _object(base64.b64decode(query.get("state", [""])[0]))
    except binascii.Error:
        return ""
    user = object_in(object_in(state, "conversation"), "user")
    return str(user.get("id") or "")


def _object(body: bytes) -> JsonObject:
    try:
        found = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
