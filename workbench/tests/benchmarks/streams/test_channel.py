"""The channel of the streams benchmark takes one part a second, and times the wait of new text."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks.streams.channel import Stream, StreamChannel
from benchmarks.streams.comparison import STREAMS, StreamsMeasurement
from benchmarks.streams.model import chunks_in

SECONDS = 0.2
"""An answer with four chunks."""


class Bot:
    """Sends parts of one stream to a channel whose clock it moves.

    Attributes:
        now: seconds on the channel's clock.
        channel: where the parts go.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.channel = StreamChannel(lambda: self.now)

    @property
    def stream(self) -> Stream:
        """The stream as the channel saw it."""
        [stream] = self.channel.streams.values()
        return stream

    def send(self, due: Sequence[float] = (), kind: str = "streaming") -> str:
        """Send a part with the chunks that were due then; returns the response's status."""
        info = {"type": "streaminfo", "streamType": kind}
        text = "".join(f"{each:019.6f} " for each in due)
        return self.post({"text": text, "entities": [{"type": "clientInfo"}, info]})

    def post(self, activity: dict[str, Any]) -> str:
        """Send an activity; returns the response's status."""
        response = self.channel.respond(b"a:1", b"", json.dumps(activity).encode())
        return response.split()[1].decode()


def test_one_part_a_second() -> None:
    """A part within a second of the last accepted one gets 429, and does not delay the next."""
    bot, statuses = Bot(), []
    for seconds in (0.0, 0.5, 0.5, 0.999, 0.001):
        bot.now += seconds
        statuses.append(bot.send())
    assert statuses == ["201", "429", "202", "429", "202"]
    assert (bot.stream.parts, bot.stream.refused) == (3, 2)


def test_the_wait_of_new_text() -> None:
    """Text waits from when it was due to the first accepted part with it; the longest wait counts.

    A part that is refused, and text that has arrived already, do not count.
    """
    bot = Bot()
    bot.send([999.9])
    bot.now = 1000.5
    bot.send([999.9, 1000.1])
    bot.now = 1001.3
    bot.send([999.9, 1000.1, 1001.2])
    assert bot.stream.longest_wait == pytest.approx(1.2)
    bot.now = 1009.0
    bot.send([999.9, 1000.1, 1001.2])
    assert bot.stream.longest_wait == pytest.approx(1.2)


def test_other_activities() -> None:
    """A typing indicator is no part of a stream, and takes none of its time."""
    bot = Bot()
    assert bot.post({"type": "typing"}) == "202"
    assert bot.send() == "201"
    assert (bot.channel.others, bot.stream.parts) == (1, 1)


@pytest.mark.parametrize(
    ("chunks", "kind", "failures"), [(4, "final", 0), (3, "final", 1), (4, "streaming", 1)]
)
def test_a_stream_needs_its_whole_text_and_an_end(chunks: int, kind: str, failures: int) -> None:
    """A stream that lacks either has failed, as has each that did not begin."""
    assert chunks_in(SECONDS) == 4
    bot = Bot()
    bot.send([1000.0] * chunks, kind)
    found = StreamsMeasurement.of(bot.channel, SECONDS, cpu_seconds=1.0)
    assert found.failures == STREAMS - 1 + failures


def test_figures_of_a_part() -> None:
    """CPU time is divided by the accepted parts, and beside it by all requests."""
    bot = Bot()
    for _ in range(2):
        bot.send()
        bot.send()
        bot.post({"type": "typing"})
        bot.now += 1
    found = StreamsMeasurement.of(bot.channel, SECONDS, cpu_seconds=0.6)
    assert (found.cpu, found.cpu_per_request, found.cpu_per_stream) == (300, 100, 6)
    assert (found.parts_per_stream, found.refused, found.others) == (0.02, 2, 2)


def test_no_part_at_all() -> None:
    """A bot that does not stream has no figures."""
    with pytest.raises(RuntimeError, match="no part"):
        StreamsMeasurement.of(StreamChannel(), SECONDS, cpu_seconds=1.0)
