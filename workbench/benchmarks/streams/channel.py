"""StreamChannel: keeps Teams' rule of the rate, and records how long new text waits for its part.

https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.streams.model import times_in

PART_SECONDS = 1.0
"""Between two parts of a stream; what comes earlier gets 429."""


def _response(status: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


_FIRST = _response("201 Created", '{"id":"stream-1"}')
_LATER = _response("202 Accepted", "{}")
_REFUSED = _response("429 Too Many Requests", '{"error":{"code":"TooManyRequests","message":""}}')


@dataclass
class Stream:
    """A streaming reply as the channel saw it.

    Attributes:
        parts: that were accepted, the final one included.
        refused: requests that got 429.
        chunks: of the model's text that have arrived.
        longest_wait: seconds from when a chunk was due to the arrival of the first part with it.
        accepted_at: when the last part was accepted.
        ended: whether the final part has arrived.
    """

    parts: int = 0
    refused: int = 0
    chunks: int = 0
    longest_wait: float = 0.0
    accepted_at: float = -PART_SECONDS
    ended: bool = False


class StreamChannel:
    """Takes the parts of streaming replies, one stream in each conversation.

    Args:
        clock: seconds; the model's clock.

    Attributes:
        streams: by conversation.
        others: activities that are no part of a stream, such as typing indicators.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.streams: defaultdict[bytes, Stream] = defaultdict(Stream)
        self.others = 0

    def respond(self, conversation: bytes, _: bytes, body: bytes) -> bytes:
        """Take an activity, and return the response to it; see `ReplyConnector.respond`."""
        now = self._clock()
        activity = json.loads(body)
        part_type = _part_type(activity)
        if not part_type:
            self.others += 1
            return _LATER
        stream = self.streams[conversation]
        if now - stream.accepted_at < PART_SECONDS:
            stream.refused += 1
            return _REFUSED
        stream.accepted_at = now
        stream.parts += 1
        stream.ended |= part_type == "final"
        if len(times := times_in(activity["text"])) > stream.chunks:
            stream.longest_wait = max(stream.longest_wait, now - float(times[stream.chunks]))
            stream.chunks = len(times)
        return _FIRST if stream.parts == 1 else _LATER


def _part_type(activity: dict[str, Any]) -> str:
    entities: list[dict[str, Any]] = activity.get("entities") or []
    found = (each["streamType"] for each in entities if each["type"] == "streaminfo")
    return next(found, "")
