"""UserStreams: the local connector's rules for streamed answers, and a user who presses Stop."""

import math
from collections.abc import Callable
from typing import Any

from botframework.connector import Channels

from bot_testing.activities.card import TEAMS
from bot_testing.options import Kind
from bot_workbench.emulator.channel.streams import StreamRules


class UserStreams(StreamRules):
    """The streams of a conversation, of which the user may stop one.

    Attributes:
        parts: how many parts the channel has taken so far, informative updates included.
        stop_at: the user presses Stop when there are so many parts; 0: never.
    """

    parts = stop_at = 0

    def accept(self, activity: dict[str, Any], new_id: Callable[[], str]) -> str:
        """Accept an activity of a stream, as StreamRules does."""
        stream_id = super().accept(activity, new_id)
        if activity["type"] != "message":
            self.parts += 1
            if self.parts == self.stop_at:
                self.stop(stream_id)
        return stream_id


def streams_of(channel: str, kind: Kind, clock: Callable[[], float]) -> UserStreams | None:
    """The streams of a conversation; None: its channel has none.

    Args:
        channel: the channel's id.
        kind: the kind of the conversation.
        clock: returns seconds.
    """
    if channel == TEAMS:
        return UserStreams(clock, enabled=kind == "personal")
    if channel in (Channels.webchat, Channels.direct_line):
        return UserStreams(clock, part_seconds=0.0, max_seconds=math.inf, limits_messages=False)
    return None
