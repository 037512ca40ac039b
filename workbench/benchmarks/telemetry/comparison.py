"""TelemetryComparison: measures each way of exporting in several rounds."""

import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.telemetry.contestant import TelemetryContestant
from benchmarks.telemetry.sink import TelemetrySink
from benchmarks.traffic.bot_process import LOAD_CORE
from benchmarks.traffic.load import Load, first_reply
from bot_workbench.credential_kinds import MANAGED_IDENTITY

IN_FLIGHT = 16
LEAD_SECONDS = 4.0
"""Load before the measurement: connections are opened, the exporters created, and the first batches
sent."""
MIN_TURNS = 50


@dataclass(frozen=True)
class TelemetryMeasurement:
    """The figures of one round.

    Attributes:
        cpu: microseconds of CPU time per turn, of the bot's process with its host and exporters.
        turns_per_second: turns whose response and reply both arrived.
        first_reply: milliseconds from the process's start.
        peak_memory: bytes of the largest resident set.
        requests: that the exporters sent, for 1,000 turns.
        failures: turns without a reply.
    """

    cpu: float
    turns_per_second: float
    first_reply: float
    peak_memory: float
    requests: float
    failures: float


def median(rounds: Sequence[TelemetryMeasurement]) -> TelemetryMeasurement:
    """The median of each figure; for `failures` the sum."""
    return TelemetryMeasurement(
        cpu=statistics.median(each.cpu for each in rounds),
        turns_per_second=statistics.median(each.turns_per_second for each in rounds),
        first_reply=statistics.median(each.first_reply for each in rounds),
        peak_memory=statistics.median(each.peak_memory for each in rounds),
        requests=statistics.median(each.requests for each in rounds),
        failures=sum(each.failures for each in rounds),
    )


class TelemetryComparison:
    """Measures contestants in turn: each is started anew in each round.

    Args:
        contestants: the ways of exporting.
        folder: for files and logs; it is not deleted.
        seconds: length of one measurement.
        progress: called before each measurement with its name.

    Attributes:
        results: the measurements so far, one for each round.
    """

    def __init__(
        self,
        contestants: Sequence[TelemetryContestant],
        folder: Path,
        seconds: float,
        progress: Callable[[str], None],
    ) -> None:
        self._contestants = contestants
        self._folder = folder
        self._seconds = seconds
        self._progress = progress
        self.results: dict[TelemetryContestant, list[TelemetryMeasurement]] = {
            contestant: [] for contestant in contestants
        }

    async def run(self, rounds: int) -> None:
        """Measure this many rounds.

        Raises:
            OSError, RuntimeError, TimeoutError: a contestant does not work.
        """
        os.sched_setaffinity(0, {LOAD_CORE})
        async with AsyncExitStack() as stack:
            cloud = BenchmarkCloud(self._folder / "cloud", MANAGED_IDENTITY)
            await cloud.start()
            stack.push_async_callback(cloud.stop)
            sink = TelemetrySink(cloud.cloud.authority.server_context())
            await sink.start()
            stack.push_async_callback(sink.stop)
            for _ in range(rounds):
                for contestant in self._contestants:
                    self._progress(contestant.key)
                    measured = await self._measure(contestant, cloud, sink)
                    self.results[contestant].append(measured)

    async def _measure(
        self, contestant: TelemetryContestant, cloud: BenchmarkCloud, sink: TelemetrySink
    ) -> TelemetryMeasurement:
        log = self._folder / "telemetry.log"
        bot = contestant.bot.bot(cloud, log, contestant.environ(cloud, sink))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(bot.stop)
            await bot.start()
            started = await first_reply(bot, cloud.target(bot.port, one_token=True))
            load = Load(cloud.target(bot.port, one_token=False), IN_FLIGHT)
            await load.start()
            await load.measure(LEAD_SECONDS)
            cpu, requests = bot.cpu_seconds, sink.requests
            outcome = await load.measure(self._seconds, MIN_TURNS)
            cpu, requests = bot.cpu_seconds - cpu, sink.requests - requests
            await load.stop()
            turns = len(outcome.latencies)
            return TelemetryMeasurement(
                cpu=1e6 * cpu / turns,
                turns_per_second=turns / outcome.seconds,
                first_reply=started,
                peak_memory=bot.peak_memory,
                requests=1000 * requests / turns,
                failures=len(outcome.failures),
            )
