"""StreamsComparison: 100 streaming replies at once, in several rounds."""

import asyncio
import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.contestant import Contestant
from benchmarks.streams.channel import StreamChannel
from benchmarks.streams.contestant import key
from benchmarks.streams.model import chunks_in
from benchmarks.traffic.bot_process import LOAD_CORE
from benchmarks.traffic.load import BotTarget
from bot_workbench.credential_kinds import MANAGED_IDENTITY

STREAMS = 100
ANSWER_SECONDS = 20
FIRST_ANSWER_SECONDS = 3
"""Of one stream before the measurement: what a turn needs is imported, and the bot signed in."""
CONNECTOR_SECONDS = 0.05
"""From a request to its response."""
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class StreamsMeasurement:
    """The figures of one round.

    Attributes:
        cpu: milliseconds of CPU time per accepted part, of the bot's process with host and model.
        cpu_per_request: the same per request to the connector, whether it was accepted or not.
        cpu_per_stream: the same per stream.
        parts_per_stream: that were accepted, the final one included.
        refused: requests that got 429.
        others: activities that are no part of a stream.
        longest_wait: seconds from when the model produced text to the arrival of the first part
            with it, the longest of all.
        failures: streams without an end, or without the whole text.
    """

    cpu: float
    cpu_per_request: float
    cpu_per_stream: float
    parts_per_stream: float
    refused: float
    others: float
    longest_wait: float
    failures: float

    @classmethod
    def of(cls, channel: StreamChannel, seconds: float, cpu_seconds: float) -> "StreamsMeasurement":
        """The figures of these streams, whose answers took so many seconds.

        Raises:
            RuntimeError: no part arrived.
        """
        streams = channel.streams.values()
        parts = sum(each.parts for each in streams)
        if not parts:
            raise RuntimeError("no part of a stream arrived")
        refused = sum(each.refused for each in streams)
        whole = sum(each.ended and each.chunks == chunks_in(seconds) for each in streams)
        return cls(
            cpu=1000 * cpu_seconds / parts,
            cpu_per_request=1000 * cpu_seconds / (parts + refused + channel.others),
            cpu_per_stream=1000 * cpu_seconds / STREAMS,
            parts_per_stream=parts / STREAMS,
            refused=refused,
            others=channel.others,
            longest_wait=max(each.longest_wait for each in streams),
            failures=STREAMS - whole,
        )


def median(rounds: Sequence[StreamsMeasurement]) -> StreamsMeasurement:
    """The median of each figure; for `failures` the sum, for waits and 429 the worst."""
    return StreamsMeasurement(
        cpu=statistics.median(each.cpu for each in rounds),
        cpu_per_request=statistics.median(each.cpu_per_request for each in rounds),
        cpu_per_stream=statistics.median(each.cpu_per_stream for each in rounds),
        parts_per_stream=statistics.median(each.parts_per_stream for each in rounds),
        refused=max(each.refused for each in rounds),
        others=statistics.median(each.others for each in rounds),
        longest_wait=max(each.longest_wait for each in rounds),
        failures=sum(each.failures for each in rounds),
    )


class StreamsComparison:
    """Measures contestants in turn: each is started anew in each round.

    Args:
        contestants: the bots to measure.
        folder: for files and logs; it is not deleted.
        progress: called before each measurement with its name.

    Attributes:
        results: the measurements so far, one for each round.
    """

    def __init__(
        self, contestants: Sequence[Contestant], folder: Path, progress: Callable[[str], None]
    ) -> None:
        self._contestants = contestants
        self._folder = folder
        self._progress = progress
        self.results: dict[Contestant, list[StreamsMeasurement]] = {
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
            cloud.set_latencies(0.0, CONNECTOR_SECONDS)
            for _ in range(rounds):
                for contestant in self._contestants:
                    self._progress(key(contestant))
                    self.results[contestant].append(await self._measure(contestant, cloud))

    async def _measure(self, contestant: Contestant, cloud: BenchmarkCloud) -> StreamsMeasurement:
        bot = contestant.bot(cloud, self._folder / f"{contestant.key}.log")
        async with AsyncExitStack() as stack:
            stack.push_async_callback(bot.stop)
            await bot.start()
            target = cloud.target(bot.port, one_token=False)
            cloud.connector.respond = StreamChannel().respond
            await _ask_at_once(target, 1, FIRST_ANSWER_SECONDS)
            channel = StreamChannel()
            cloud.connector.respond = channel.respond
            cpu = bot.cpu_seconds
            await _ask_at_once(target, STREAMS, ANSWER_SECONDS)
            return StreamsMeasurement.of(channel, ANSWER_SECONDS, bot.cpu_seconds - cpu)


async def _ask_at_once(target: BotTarget, users: int, seconds: float) -> None:
    """Have so many users each ask for an answer of this length, and wait for the responses.

    Their statuses do not matter: a stream that fails has no end.

    Raises:
        aiohttp.ClientError: the bot cannot be reached, or closed a connection.
        TimeoutError: the bot does not respond.
    """
    timeout = aiohttp.ClientTimeout(TIMEOUT_SECONDS)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def ask(number: int) -> None:
            name = f"{seconds}-{number}"
            activity = target.activity(f"T-{name}", f"a:{name}", f"29:{name}")
            activity["text"] = str(seconds)
            token = target.tokens[number % len(target.tokens)]
            headers = {"Authorization": f"Bearer {token}"}
            url = f"http://localhost:{target.port}/api/messages"
            async with session.post(url, json=activity, headers=headers) as response:
                await response.read()

        async with asyncio.TaskGroup() as tasks:
            for number in range(users):
                tasks.create_task(ask(number))
