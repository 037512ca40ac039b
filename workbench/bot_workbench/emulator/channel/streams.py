"""StreamRules: the rules for messages that a bot streams.

Rules: Microsoft reference "Stream bot messages", "Response codes". Where it names no text, the text
is the one that bots of Microsoft's SDKs look for. Web Chat's streams are activities of the same
form, with the same fields in `channelData` (LIVESTREAMING.md of microsoft/BotFramework-WebChat).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot_workbench.emulator.channel.errors import ChannelError

PART_SECONDS = 1.0
"""Between two parts of a stream."""

MAX_SECONDS = 120.0
"""The time limit of a stream."""

MAX_INFORMATIVE = 1000
"""Characters of an informative update."""

STREAM_TYPES = ("informative", "streaming", "final")

CODE = "ContentStreamNotAllowed"
COMPLETED = "Content stream is not allowed on an already completed streamed message."
OVER = "Content stream finished due to exceeded streaming time."
STOPPED = "Content stream was cancelled by user."


def stream_info(activity: dict[str, Any]) -> dict[str, Any] | None:
    """The fields of a stream: the activity's `streaminfo` entity, else those of `channelData`."""
    entities = activity.get("entities")
    for entity in entities if isinstance(entities, list) else []:
        if isinstance(entity, dict) and str(entity.get("type")).lower() == "streaminfo":
            return entity
    data = activity.get("channelData")
    return data if isinstance(data, dict) and "streamType" in data else None


def with_stream_id(activity: dict[str, Any], stream_id: str) -> dict[str, Any]:
    """The activity of a stream with the id that the first one lacks."""
    info = stream_info(activity) or {}
    named = {**info, "streamId": stream_id}
    if activity.get("channelData") is info:
        return {**activity, "channelData": named}
    entities = [named if each is info else each for each in activity["entities"]]
    return {**activity, "entities": entities}


@dataclass
class StreamedMessage:
    """One streamed message.

    Attributes:
        started: seconds of the rules' clock.
        counted: when its newest part came; seconds of the rules' clock.
        sequence: the last `streamSequence`.
        text: what has been streamed of the message.
        ended: why nothing more is accepted; empty: it is not ended.
    """

    started: float
    counted: float = -math.inf
    sequence: int = 0
    text: str = ""
    ended: str = ""


@dataclass
class StreamRules:
    """The streamed messages of one conversation.

    Web Chat has these rules in part: no rate limit, no time limit, and messages of any size. So a
    conversation there has part_seconds=0, max_seconds=math.inf and limits_messages=False. It would
    also take several streams at once, and a text that loses what it had.

    Attributes:
        clock: returns seconds that only grow.
        enabled: False in group chats and channels, where Teams refuses every stream.
        part_seconds: the shortest time between two parts; a final message may come at any time.
        max_seconds: the time limit of a stream.
        takes_update_while_open: whether a PUT on a stream that is still open is accepted; see
            `replace`.
        limits_messages: whether all of the conversation's messages have Teams' limits.
    """

    clock: Callable[[], float] = time.monotonic
    enabled: bool = True
    part_seconds: float = PART_SECONDS
    max_seconds: float = MAX_SECONDS
    takes_update_while_open: bool = True
    limits_messages: bool = True
    _streams: dict[str, StreamedMessage] = field(default_factory=dict)

    def accept(self, activity: dict[str, Any], new_id: Callable[[], str]) -> str:
        """Accept an activity of a stream.

        Args:
            activity: as the bot sent it.
            new_id: makes one.

        Returns:
            The stream's id.

        Raises:
            ChannelError: as Teams refuses it. A part that comes late has the status 202: it is
                dropped. (The reference has its code and its text, but no body; here it is that of
                an error.)
        """
        if not self.enabled:
            message = "Streaming API is not enabled for this conversation."
            raise ChannelError(400, "BadArgument", message)
        info = stream_info(activity) or {}
        kind = info.get("streamType") or "streaming"
        _check_shape(activity, kind, info)
        stream_id = str(info.get("streamId") or "")
        if not stream_id:
            self._check_alone()
            stream_id = new_id()
            self._streams[stream_id] = StreamedMessage(self.clock())
        stream = self._streams.get(stream_id)
        if stream is None:
            raise _bad("The stream is not known.")
        if ended := self._ended(stream):
            raise ChannelError(403, CODE, ended)
        if kind != "final":
            self._advance(stream, info["streamSequence"])
        if kind != "informative":
            _extend(stream, activity["text"])
        if kind == "final":
            stream.ended = COMPLETED
        return stream_id

    def replace(self, message_id: str) -> None:
        """Accept that the bot replaces a message (PUT), which ends its stream.

        Microsoft's SDKs do so once the time of the stream is over. What Teams answers while the
        stream is still open is not known: nobody has shown it. Here it is accepted.

        Raises:
            ChannelError: 403, the user has stopped the stream, or it is open and
                `takes_update_while_open` is false.
        """
        stream = self._streams.get(message_id)
        if stream is None:
            return
        ended = self._ended(stream)
        if ended == STOPPED:
            raise ChannelError(403, CODE, STOPPED)
        if not ended and not self.takes_update_while_open:
            raise ChannelError(403, CODE, "Content stream is not allowed")
        stream.ended = ended or COMPLETED

    def stop(self, stream_id: str) -> bool:
        """End a stream, as a user does; False: there is no such stream, or it has ended."""
        stream = self._streams.get(stream_id)
        if stream is None or self._ended(stream):
            return False
        stream.ended = STOPPED
        return True

    def _ended(self, stream: StreamedMessage) -> str:
        is_over = self.clock() - stream.started > self.max_seconds
        return stream.ended or (OVER if is_over else "")

    def _check_alone(self) -> None:
        if not all(map(self._ended, self._streams.values())):
            raise ChannelError(403, CODE, "Content stream is not allowed")

    def _advance(self, stream: StreamedMessage, sequence: int) -> None:
        now = self.clock()
        if now - stream.counted < self.part_seconds:
            wait = {"Retry-After": "1"}
            raise ChannelError(429, "TooManyRequests", "API calls quota exceeded", wait)
        stream.counted = now
        if sequence <= stream.sequence:
            code = "ContentStreamSequenceOrderPreConditionFailed"
            message = "PreCondition failed exception when processing streaming activity."
            raise ChannelError(202, code, message)
        stream.sequence = sequence


def _extend(stream: StreamedMessage, text: str) -> None:
    """Take the next version of the text, which has all of the one before (not of its white space).

    Raises:
        ChannelError: 403, it does not.
    """
    if stream.text.strip() not in text:
        message = "Request streamed content should contain the previously streamed content"
        raise ChannelError(403, CODE, message)
    stream.text = text


def _check_shape(activity: dict[str, Any], kind: object, info: dict[str, Any]) -> None:
    is_message, sequence = activity.get("type") == "message", info.get("streamSequence")
    if kind not in STREAM_TYPES:
        raise _bad(f"'streamType' must be one of {', '.join(STREAM_TYPES)}.")
    if is_message and kind != "final":
        raise _bad("Only end streaming type is allowed as a message activity.")
    if not is_message and kind == "final":
        raise _bad("Only start streaming and continue streaming types are allowed as typing.")
    text = activity.get("text")
    if not isinstance(text, str) or not text:
        raise _bad("Start streaming activities should include text")
    if kind == "informative" and len(text) > MAX_INFORMATIVE:
        raise _bad(f"An informative update has at most {MAX_INFORMATIVE} characters.")
    if kind == "final":
        if "streamSequence" in info:
            raise _bad("End streaming activities have no 'streamSequence'.")
        if not info.get("streamId"):
            raise _bad("End streaming activities need a stream id.")
        return
    if activity.get("attachments"):
        raise _bad("Only end streaming activities have attachments.")
    if not isinstance(sequence, int) or (not info.get("streamId") and sequence != 1):
        raise _bad("'streamSequence' is not a number, or the first one is not 1.")


def _bad(message: str) -> ChannelError:
    return ChannelError(400, "BadRequest", message)
