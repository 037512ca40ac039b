"""Notification: the message in the queue that says what the bot shall tell whom."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from botbuilder.schema import Activity, ActivityTypes, Attachment

from cloud_adapter.codec.channels import CHANNELS
from cloud_adapter.errors import BadNotification

ALL = "all"
"""In the place of recipients: every conversation that is kept."""

ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"

_PROPERTIES = {"to", "channel", "text", "card", "id", "fruitless"}


@dataclass(frozen=True)
class Notification:
    """What is to be said, and to whom.

    Attributes:
        id: names its report. The same one is not sent twice.
        to: each a conversation's id, a user's, or a user's object id in Entra; or ALL alone.
        channel: with ALL, send to this channel only; empty: to every channel.
        text: empty with a card alone.
        card: the JSON of an adaptive card; None with a text alone.
        fruitless: how often it was put back in a row without a new result.
    """

    id: str
    to: tuple[str, ...]
    channel: str = ""
    text: str = ""
    card: dict[str, Any] | None = None
    fruitless: int = 0

    @classmethod
    def parse(cls, message: str, message_id: str) -> "Notification":
        """The notification that a message holds.

        Args:
            message: `{"to": ..., "channel": ..., "text": ..., "card": ..., "id": ...}`;
                `to` is one recipient or a list, one of `text` and `card` may be missing, and
                `channel` and `id` are optional.
            message_id: the queue's, used if there is no `id`.

        Raises:
            BadNotification: it holds none.
        """
        data = _object(message)
        unknown = sorted(set(data) - _PROPERTIES)
        if unknown:
            raise BadNotification("it has properties other than to, channel, text, card and id")
        text, card = data.get("text") or "", data.get("card")
        if not isinstance(text, str):
            raise BadNotification("text is no text")
        if card is not None and not (isinstance(card, dict) and card.get("type") == "AdaptiveCard"):
            raise BadNotification("card is no adaptive card: an object of the type AdaptiveCard")
        if not text.strip() and card is None:
            raise BadNotification("it says nothing: text and card are missing")
        recipients, fruitless = _recipients(data.get("to")), data.get("fruitless", 0)
        channel = _channel(data.get("channel"), recipients)
        if not isinstance(fruitless, int):
            raise BadNotification("fruitless is the queue's own: leave it out")
        found_id = notification_id(message, message_id)
        return cls(found_id, recipients, channel, text, card, fruitless)

    @property
    def message(self) -> str:
        """The message."""
        given = {**dataclasses.asdict(self), "to": list(self.to)}
        return json.dumps({name: value for name, value in given.items() if value})

    @property
    def to_all(self) -> bool:
        """Whether it goes to every stored conversation, or to every one of `channel`."""
        return self.to == (ALL,)

    def activity(self) -> Activity:
        """What is sent, a new one each time."""
        attachment = self.card and Attachment(content_type=ADAPTIVE_CARD, content=self.card)
        return Activity(
            type=ActivityTypes.message,
            text=self.text or None,
            attachments=[attachment] if attachment else None,
        )


def notification_id(message: str, message_id: str) -> str:
    """The id of a notification, even of one that is not right in other respects."""
    try:
        given = _object(message).get("id")
    except BadNotification:
        return message_id
    return given if isinstance(given, str) and given else message_id


def _object(message: str) -> dict[str, Any]:
    try:
        data = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise BadNotification("it is not JSON") from error
    if not isinstance(data, dict):
        raise BadNotification("it is no JSON object")
    return data


def _recipients(to: object) -> tuple[str, ...]:
    named = to if isinstance(to, list) else [to]
    found = dict.fromkeys(each for each in named if isinstance(each, str) and each)
    if len(found) == 0 or not all(isinstance(each, str) and each for each in named):
        raise BadNotification('to names nobody: give "all", an id, or a list of ids')
    if ALL in found and len(found) > 1:
        raise BadNotification('to has "all" beside others')
    return tuple(found)


def _channel(channel: object, recipients: tuple[str, ...]) -> str:
    if channel is None:
        return ""
    if channel not in CHANNELS:
        raise BadNotification(f"channel is not one of {', '.join(sorted(CHANNELS))}")
    if recipients != (ALL,):
        raise BadNotification('channel works with "all" only: for one recipient, write CHANNEL/ID')
    return str(channel)
