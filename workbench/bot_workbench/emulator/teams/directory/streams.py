"""StreamRules: the rules for messages that a bot streams.

Rules: Microsoft reference "Stream bot messages", "Response codes". Where it names no text, the text
is the one that bots of Microsoft's SDKs look for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.channel.errors import ChannelError

MAX_SECONDS = 120.0
"""The time limit of a stream."""

BURST = 3
"""The number of updates that may come at once; the rate is one a second."""

STREAM_TYPES = ("informative", "streaming", "final")


def stream_info(activity: Activity) -> dict[str, Any] | None:
    """The activity's `streaminfo` entity, if it has one."""
    entities = activity.get("entities")
    for entity in entities if isinstance(entities, list) else []:
        if isinstance(entity, dict) and str(entity.get("type")).lower() == "streaminfo":
            return entity
    return None


@dataclass
class StreamedMessage:
    """One streamed message.

    Attributes:
        started: monotonic seconds.
        sequence: the last `streamSequence`.
        text: what has been streamed of the message.
        ended: why nothing more is accepted; empty: it is not ended.
        allowance: how many updates may come now.
        counted: when `allowance` was last counted; monotonic seconds.
    """

    started: float
    sequence: int = 0
    text: str = ""
    ended: str = ""
    allowance: float = BURST
    counted: float = 0.0


class StreamRules:
    """The streamed messages of one conversation.

    Attributes:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._streams: dict[str, StreamedMessage] = {}

    def accept(self, activity: Activity, new_id: Callable[[], str]) -> tuple[str, bool]:
        """Accept an activity of a stream.

        Args:
            activity: as the bot sent it.
            new_id: makes one.

        Returns:
            The stream's id, and whether the activity is shown: one that comes late is dropped.

        Raises:
            ChannelError: as Teams refuses it.
        """
        info = stream_info(activity) or {}
        kind = info.get("streamType") or "streaming"
        _check_shape(activity, kind)
        stream_id = str(info.get("streamId") or activity.get("id") or "")
        stream = self._streams.get(stream_id) if stream_id else None
        if stream_id and stream is None:
            raise ChannelError(400, "BadRequest", "The stream is not known.")
        if stream is None:
            stream_id, stream = self._start(kind, new_id)
        self._check_open(stream)
        is_final = kind == "final"
        is_shown = is_final or self._advance(stream, info.get("streamSequence"))
        if is_shown and kind != "informative":
            _extend(stream, str(activity.get("text") or ""))
        if is_final:
            stream.ended = "Content stream is not allowed on an already completed streamed message."
        return stream_id, is_shown

    def stop(self, stream_id: str) -> None:
        """End a stream, as a user does."""
        if stream := self._streams.get(stream_id):
            stream.ended = "Content stream was canceled by user."

    def _start(self, kind: str, new_id: Callable[[], str]) -> tuple[str, StreamedMessage]:
        if kind == "final":
            raise ChannelError(400, "BadRequest", "End streaming activities need a stream id.")
        stream_id, now = new_id(), self.clock()
        self._streams[stream_id] = StreamedMessage(now, counted=now)
        return stream_id, self._streams[stream_id]

    def _check_open(self, stream: StreamedMessage) -> None:
        if not stream.ended and self.clock() - stream.started > MAX_SECONDS:
            stream.ended = "Content stream finished due to exceeded streaming time."
        if stream.ended:
            raise ChannelError(403, "ContentStreamNotAllowed", stream.ended)

    def _advance(self, stream: StreamedMessage, sequence: object) -> bool:
        if not isinstance(sequence, int) or (stream.sequence == 0 and sequence != 1):
            message = "'streamSequence' is not a number, or the first one is not 1."
            raise ChannelError(400, "BadRequest", message)
        now = self.clock()
        stream.allowance = min(BURST, stream.allowance + now - stream.counted)
        stream.counted = now
        if stream.allowance < 1:
            wait = {"Retry-After": "1"}
            raise ChannelError(429, "TooManyRequests", "API calls quota exceeded", wait)
        stream.allowance -= 1
        if sequence <= stream.sequence:
            return False
        stream.sequence = sequence
        return True


def _extend(stream: StreamedMessage, text: str) -> None:
    """Take the next version of the text, which has all of the one before (not of its white space).

    A final message may have no text, but a card.
    """
    if text and stream.text.strip() not in text:
        message = "Request streamed content should contain the previously streamed content"
        raise ChannelError(403, "ContentStreamNotAllowed", message)
    stream.text = text


def _check_shape(activity: Activity, kind: object) -> None:
    is_message = activity.get("type") == "message"
    if kind not in STREAM_TYPES:
        raise ChannelError(
            400, "BadRequest", f"'streamType' must be one of {', '.join(STREAM_TYPES)}."
        )
    if is_message and kind != "final":
        message = "Only end streaming type is allowed as a message activity."
        raise ChannelError(400, "BadRequest", message)
    if not is_message and kind == "final":
        message = "Only start streaming and continue streaming types are allowed as typing."
        raise ChannelError(400, "BadRequest", message)
    if not is_message and not activity.get("text"):
        raise ChannelError(400, "BadRequest", "Start streaming activities should include text")


def with_stream_id(activity: Activity, stream_id: str) -> Activity:
    """The activity of a stream with the id that the first one lacks."""
    info = stream_info(activity) or {}
    named = {**info, "streamId": stream_id}
    entities = [named if each is info else each for each in activity["entities"]]
    return {**activity, "entities": entities}
