"""ChannelWatch: turns as the local cloud itself sees them, without help of the bot's processes."""

import asyncio
import secrets
from dataclasses import replace

import jwt

from bot_workbench.emulator.channel.channel import BotAnswer, Channel
from bot_workbench.emulator.channel.conversations import (
    Activity,
    Conversations,
    UnknownConversationError,
)
from bot_workbench.emulator.inspector.bot_status import BotStatus, block_hint
from bot_workbench.emulator.inspector.connector_call import ConnectorCall, exchange_as_json, user_of
from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_details import JsonObject
from bot_workbench.emulator.inspector.turns.turn_log import TurnLog
from bot_workbench.emulator.inspector.turns.turn_progress import ACCEPTED
from bot_workbench.emulator.inspector.unhandled_invokes import hint_for
from bot_workbench.emulator.server import Exchange

ADDRESS = ("channelId", "serviceUrl", "from", "recipient", "conversation")
"""The properties of an activity that say who writes to whom, and where."""

MATCH_SECONDS = 0.5
"""The time for which a call waits for the turn that it belongs to: its process's report may come
later."""

LOOK_SECONDS = 0.05
"""Between two looks for it."""

CONTINUATION = "event"
"""The type of the activity with which the SDK continues a conversation: `ContinueConversation`."""

MAX_BODY_BYTES = 256 * 1024
"""Of the bot's response, in a row's details."""


class ChannelWatch:
    """Puts deliveries and the bot's calls into the log.

    A call belongs to the turn whose activity it replies to or, once that is over, to a proactive
    turn that repeats it, as after a sign-in; else to the newest running turn of its conversation.
    One that belongs to no turn is a proactive message.

    Args:
        channel: whose deliveries are watched.
        conversations: know their members' names.
        log: gets the turns.
        status: says whether the bot's event loop is blocked.
    """

    def __init__(
        self, channel: Channel, conversations: Conversations, log: TurnLog, status: BotStatus
    ) -> None:
        self._channel = channel
        self._conversations = conversations
        self._log = log
        self._status = status
        self._claims: tuple[str, JsonObject] = ("", {})

    def expect_replay(self, turn: str, replay_of: str) -> None:
        """The delivery of that trace id will repeat another turn."""
        self._log.start(turn, "channel").replay_of = replay_of

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
        row.progress.sent()
        row.retry()
        row.status = None
        row.hint = block_hint(self._status.blocking_place)
        if row.first("activity") is None:  # else the bot could not be reached the last time
            row.describe(activity)
            row.user_name = row.user_name or self._name_of(row)
            self._log.add(row, "activity", activity)
            self._log.add(row, "request", {"url": self._channel.bot_endpoint, "headers": HEADERS})
            self._log.add(row, "claims", self._decoded(token))
        self._log.changed(row)

    def _name_of(self, row: Turn) -> str:
        """The sender's name: activities that are not messages often have the id only."""
        try:
            members = self._conversations.find(row.conversation_id).members
        except UnknownConversationError:
            return ""
        return str(members.get(row.user_id, {}).get("name") or "")

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
        is_accepted = answer.status == ACCEPTED
        row.progress.answered(self._log.clock(), ok=answer.ok, accepted=is_accepted)
        row.status, row.kind = answer.status, "queued" if is_accepted else row.kind
        if not row.error:
            row.fail(answer.failure)
        row.hint = hint_for(row.first("activity") or {}, answer.status) or row.hint
        if answer.reached:
            self._log.add(row, "response", _response(answer))
        self._log.changed(row)

    def connector_called(self, exchange: Exchange) -> None:
        """The bot has called the connector."""
        call = ConnectorCall.of(exchange)
        row = self._turn_of(call)
        if row is not None and row.ran_at(call.exchange.at):
            self._add_call(row, call)
        else:
            self._look_again(call, MATCH_SECONDS)

    def _look_again(self, call: ConnectorCall, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(LOOK_SECONDS, self._add_late, call, seconds - LOOK_SECONDS)

    def _add_late(self, call: ConnectorCall, seconds: float) -> None:
        row = self._turn_of(call)
        is_running = row is not None and row.ran_at(call.exchange.at)
        if not is_running and seconds > 0:
            self._look_again(call, seconds)
        else:
            self._add_call(row or self._proactive(call), call)

    def _add_call(self, row: Turn, call: ConnectorCall) -> None:
        self._log.add(row, "exchanges", call.as_json())
        if call.is_sent:
            self._log.add(row, "replies", call.activity)
            if call.activity.get("type") == "message":  # not that it is typing
                row.last_reply = call.activity_id or row.last_reply
        if call.is_sent and row.kind == "proactive" and row.type in ("", CONTINUATION):
            self._describe_by(row, call)  # what was sent says more than what made the SDK send it
        self._log.changed(row)

    def token_service_called(self, exchange: Exchange) -> None:
        """The bot has called the token service. Its responses have tokens, and are not kept."""
        user_id = user_of(exchange)
        running = (turn for turn in self._log.newest_first if turn.ran_at(exchange.at))
        row = next((turn for turn in running if user_id and turn.user_id == user_id), None)
        if row is not None:
            self._log.add(row, "exchanges", exchange_as_json(exchange, "user token"))
            self._log.changed(row)

    def _turn_of(self, call: ConnectorCall) -> Turn | None:
        """The turn that a call belongs to: first the one it replies to, then a running one."""
        turns = [
            turn for turn in self._log.newest_first if turn.conversation_id == call.conversation_id
        ]
        running = [turn for turn in turns if turn.ran_at(call.exchange.at)]
        replied = [turn for turn in turns if call.replied and turn.activity_id == call.replied]
        if not replied:
            return running[0] if running else None
        repeating = [turn for turn in running if turn.kind == "proactive"]
        return next((turn for turn in replied if turn in running), (repeating or replied)[0])

    def _describe_by(self, row: Turn, call: ConnectorCall) -> None:
        row.describe({**call.activity, "conversation": {"id": call.conversation_id}})
        row.activity_id = ""  # nobody replies to it by this id

    def _proactive(self, call: ConnectorCall) -> Turn:
        exchange = call.exchange
        row = self._log.start(secrets.token_hex(16), "proactive", exchange.at)
        self._describe_by(row, call)
        row.status = exchange.status
        end = exchange.at + exchange.ms / 1000
        row.progress.answered(end, ok=call.is_ok, accepted=False)
        return row


HEADERS = {"Content-Type": "application/json; charset=utf-8"}
"""Of a delivery, without its token."""


def _claims(token: str) -> JsonObject:
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        return {**claims, "kid": jwt.get_unverified_header(token).get("kid")}
    except jwt.InvalidTokenError:
        return {}


def _response(answer: BotAnswer) -> JsonObject:
    body = replace(answer, body=answer.body[:MAX_BODY_BYTES]).content
    return {"status": answer.status, "headers": dict(answer.headers), "body": body}
