"""Notification: the queue message that says what the bot sends to whom."""

import json
from dataclasses import dataclass
from typing import Any

from botbuilder.schema import Activity, ActivityTypes, Attachment

from cloud_adapter.activities import CHANNELS
from cloud_adapter.errors import BadNotification
from cloud_adapter.storage.format_version import FORMAT_VERSION, VERSION_KEY, check_version

ALL = "all"
"""In place of recipients: every stored conversation."""

ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"

_RUNS_WITHOUT_RESULT = "fruitless"
_FAILED_RUNS = "failed"
_COUNTS = (_RUNS_WITHOUT_RESULT, _FAILED_RUNS)
_TRACE_PARENT = "trace"
_PROPERTIES = {"to", "channel", "text", "card", "id"}
_OF_THE_BOT = {*_COUNTS, _TRACE_PARENT}
"""Properties of the messages that the bot itself writes, which have a format version."""


@dataclass(frozen=True)
class Notification:
    """A text or card, and its recipients.

    Attributes:
        id: names the report. A notification with the same id is sent once.
        to: ids of conversations or users, or Entra object ids of users; or ALL alone.
        channel: with ALL: only conversations of this channel; empty: of every channel.
        text: Markdown; empty when there is only a card.
        card: the JSON of an adaptive card; None when there is only a text.
        runs_without_result: how many runs in a row ended without a new result.
        failed_runs: how many runs in a row failed, or were cut off.
        trace_parent: the W3C trace context in which it was enqueued; empty if telemetry was off.
    """

    id: str
    to: tuple[str, ...]
    channel: str = ""
    text: str = ""
    card: dict[str, Any] | None = None
    runs_without_result: int = 0
    failed_runs: int = 0
    trace_parent: str = ""

    @classmethod
    def parse(cls, message: str, message_id: str) -> "Notification":
        """Read a queue message.

        Args:
            message: `{"to": ..., "channel": ..., "text": ..., "card": ..., "id": ...}`; `to` is one
                recipient or a list, `text` or `card` may be missing, `channel` and `id` are
                optional. Users' own programs write such messages, so it has no format version.
            message_id: the queue message's id, which replaces a missing `id`.

        Raises:
            BadNotification: it is not a notification.
            UnknownFormat: a bot has written it, in another format version.
        """
        data = _object(message)
        known = _PROPERTIES
        if VERSION_KEY in data:
            check_version("a notification in the queue", data.pop(VERSION_KEY))
            known = _PROPERTIES | _OF_THE_BOT
        if not set(data) <= known:
            raise BadNotification("it has properties other than to, channel, text, card and id")
        text, card = _content(data)
        recipients = _recipients(data.get("to"))
        channel = _channel(data.get("channel"), recipients)
        runs_without_result, failed_runs = (_count(data, key) for key in _COUNTS)
        return cls(
            notification_id(message, message_id),
            recipients,
            channel,
            text,
            card,
            runs_without_result,
            failed_runs,
            str(data.get(_TRACE_PARENT, "")),
        )

    @property
    def message(self) -> str:
        """The queue message."""
        data = {
            VERSION_KEY: FORMAT_VERSION,
            "to": list(self.to),
            "channel": self.channel,
            "text": self.text,
            "card": self.card,
            "id": self.id,
            _RUNS_WITHOUT_RESULT: self.runs_without_result,
            _FAILED_RUNS: self.failed_runs,
            _TRACE_PARENT: self.trace_parent,
        }
        return json.dumps({name: value for name, value in data.items() if value})

    @property
    def to_all(self) -> bool:
        """Whether it goes to every stored conversation, or to every one of `channel`."""
        return self.to == (ALL,)

    def activity(self) -> Activity:
        """The activity to send, a new one for each recipient."""
        attachment = self.card and Attachment(content_type=ADAPTIVE_CARD, content=self.card)
        return Activity(
            type=ActivityTypes.message,
            text=self.text or None,
            attachments=[attachment] if attachment else None,
        )


def notification_id(message: str, message_id: str) -> str:
    """The id of a notification that may be invalid in other respects."""
    try:
        given = _object(message).get("id")
    except BadNotification:
        return message_id
    return given if isinstance(given, str) and given else message_id


def _object(message: str) -> dict[str, Any]:
    try:
        message.encode()  # bytes other than UTF-8 raise a ValueError, too
        data = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise BadNotification("it is not JSON, or not UTF-8") from error
    if not isinstance(data, dict):
        raise BadNotification("it is not a JSON object")
    return data


def _count(data: dict[str, Any], key: str) -> int:
    count = data.get(key, 0)
    if not isinstance(count, int):
        raise BadNotification(f"{key} is for the bot's own use: leave it out")
    return count


def _content(data: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    text, card = data.get("text") or "", data.get("card")
    if not isinstance(text, str):
        raise BadNotification("text is not a string")
    if card is not None and not (isinstance(card, dict) and card.get("type") == "AdaptiveCard"):
        raise BadNotification("card is not an adaptive card: an object with type AdaptiveCard")
    if not text.strip() and card is None:
        raise BadNotification("it is empty: text and card are missing")
    return text, card


def _recipients(to: object) -> tuple[str, ...]:
    named = to if isinstance(to, list) else [to]
    found = dict.fromkeys(each for each in named if isinstance(each, str) and each)
    if len(found) == 0 or not all(isinstance(each, str) and each for each in named):
        raise BadNotification('to names no recipient: give "all", an id, or a list of ids')
    if ALL in found and len(found) > 1:
        raise BadNotification('to combines "all" with other recipients')
    return tuple(found)


def _channel(channel: object, recipients: tuple[str, ...]) -> str:
    if channel is None:
        return ""
    if channel not in CHANNELS:
        raise BadNotification(f"channel is not one of {', '.join(sorted(CHANNELS))}")
    if recipients != (ALL,):
        raise BadNotification('channel works with "all" only: for one recipient, write CHANNEL/ID')
    return str(channel)
