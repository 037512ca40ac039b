"""The cost of a turn: with the feed and no inspector open, as much as without a feed."""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from tests.support.bots.bot_process import BotProcess
from tests.support.credentials.token_press import TokenPress
from tests.support.recording.feed_thread import FeedThread
from tests.support.recording.recorded_bot import RecordedBot
from tests.support.wire.http_post import Caller

ROUNDS, TURNS = 31, 100
WARM_UP = 300
MAX_RATIO = 1.1
"""The median of the ratios of paired rounds; the noise of a busy machine is within it."""

pytestmark = [pytest.mark.timed, pytest.mark.timeout(400)]


class MeasuredBot:
    """A bot's process, whose CPU time is measured.

    Args:
        process: running.
        press: makes its tokens.
    """

    def __init__(self, process: BotProcess, press: TokenPress) -> None:
        self._tasks = Path(f"/proc/{process.pid}/task")
        self._caller = Caller(process.url)
        self._activity = press.activity
        self._authorization = f"Bearer {press.token()}"

    def run(self, turns: int) -> float:
        """Run turns, one after the other, and return the CPU time of one in microseconds."""
        before = self._cpu()
        for _ in range(turns):
            assert self._caller.deliver(self._activity, self._authorization).status == 200
        return (self._cpu() - before) / turns / 1000

    def close(self) -> None:
        """Close the connection to the bot."""
        self._caller.close()

    def _cpu(self) -> int:
        """The CPU time of all threads of the process so far, in nanoseconds."""
        stats = (each / "schedstat" for each in self._tasks.iterdir())
        return sum(int(each.read_text().split()[0]) for each in stats)


@pytest.fixture
def bots(
    own_cloud: CloudThread, app_folder: Path, tmp_path: Path
) -> Iterator[tuple[MeasuredBot, MeasuredBot, MeasuredBot]]:
    """A bot without a feed, one with a feed that records nothing, and one that is recorded."""
    with ExitStack() as stack:
        feeds = [stack.enter_context(FeedThread()) for _ in range(2)]
        feeds[1].record(True)
        settings = ({}, *(feed.settings for feed in feeds))
        found = []
        for number, more in enumerate(settings):
            given = own_cloud.cloud.settings() | more
            log = tmp_path / f"measured {number}.log"
            process = stack.enter_context(BotProcess(given, log, app_folder))
            bot = RecordedBot(own_cloud, process.messages, feeds[0])
            press = TokenPress(own_cloud.cloud, bot.activity(type="message", text="hello"))
            found.append(stack.enter_context(closing(MeasuredBot(process, press))))
        yield found[0], found[1], found[2]


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="there are no such figures")
def test_cost_of_a_turn(
    bots: tuple[MeasuredBot, MeasuredBot, MeasuredBot], capsys: pytest.CaptureFixture[str]
) -> None:
    """The feed alone costs nothing that can be measured; what recording costs is printed."""
    for bot in bots:
        bot.run(WARM_UP)
    rounds = [[bot.run(TURNS) for bot in bots] for _ in range(ROUNDS)]
    alone, fed, recorded = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratio = statistics.median(each[1] / each[0] for each in rounds)
    recording = statistics.median(each[2] / each[0] for each in rounds)
    with capsys.disabled():
        print(
            f"\nCPU time of a turn, median of {ROUNDS} paired rounds of {TURNS}:"
            f" without a feed {alone:.0f} us; with a feed, no inspector open {fed:.0f} us"
            f" (x {ratio:.3f}); while it is recorded {recorded:.0f} us (x {recording:.2f})"
        )
    assert ratio < MAX_RATIO
