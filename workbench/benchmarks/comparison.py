"""Comparison: measures every contestant in every cell, in several rounds."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.contestant import ONE_TOKEN, ROOT, Contestant
from benchmarks.results.measurement import CELLS, Cell, Measurement
from benchmarks.traffic.bot_process import LOAD_CORE, BotProcess
from benchmarks.traffic.load import Load, first_reply

LEAD_SECONDS = 0.3
"""Load before a measurement, which opens the connections."""

MIN_TURNS = 5
"""A measurement goes on until so many turns have ended."""

AUTH_LATENCIES = (60, 0)
"""Milliseconds at the cold starts; the process of the last one runs the warm turns."""


@dataclass
class Results:
    """The measurements of one contestant.

    Attributes:
        cells: one measurement for each round.
        cold_starts: milliseconds from the process's start to its first reply in each round, by
            the latency (milliseconds) of the sign-in and keys endpoints.
        peak_memory: bytes of the largest resident set in each round.
        imports: milliseconds that the imports take in each round.
    """

    cells: defaultdict[Cell, list[Measurement]] = field(default_factory=lambda: defaultdict(list))
    cold_starts: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    peak_memory: list[int] = field(default_factory=list)
    imports: list[float] = field(default_factory=list)


class Comparison:
    """Measures contestants side by side: in each round a cell for all, then the next cell.

    Args:
        contestants: the bots to measure.
        folder: for files and logs; it is not deleted.
        seconds: length of one measurement.
        progress: called at each step with the name of the next one.

    Attributes:
        results: the measurements so far.
    """

    def __init__(
        self,
        contestants: Sequence[Contestant],
        folder: Path,
        seconds: float,
        progress: Callable[[str], None],
    ) -> None:
        self._contestants = contestants
        self._folder = folder
        self._seconds = seconds
        self._progress = progress
        self._clouds: dict[str, BenchmarkCloud] = {}
        self._bots: dict[Contestant, BotProcess] = {}
        self.results = {contestant: Results() for contestant in contestants}

    @staticmethod
    def steps(contestants: int, rounds: int) -> int:
        """The number of calls of `progress`."""
        return contestants * rounds * (1 + len(AUTH_LATENCIES) + len(CELLS))

    async def run(self, rounds: int) -> None:
        """Measure this many rounds.

        Raises:
            OSError, RuntimeError, TimeoutError: a contestant does not work.
        """
        os.sched_setaffinity(0, {LOAD_CORE})
        try:
            for credential in {each.credential for each in self._contestants}:
                cloud = BenchmarkCloud(self._folder / credential, credential)
                self._clouds[credential] = cloud
                await cloud.start()
            for _ in range(rounds):
                await self._round()
        finally:
            await self._stop_bots()
            for cloud in self._clouds.values():
                await cloud.stop()

    async def _round(self) -> None:
        for contestant in self._contestants:
            self._progress(f"{contestant.label}: imports")
            self.results[contestant].imports.append(await self._import_time(contestant))
        for auth in AUTH_LATENCIES:
            await self._stop_bots()
            for contestant in self._contestants:
                self._progress(f"{contestant.label}: cold start, {auth} ms")
                self.results[contestant].cold_starts[auth].append(
                    await self._cold_start(contestant, auth)
                )
        for cell in CELLS:
            for contestant in self._contestants:
                self._progress(f"{contestant.label}: {cell}")
                self.results[contestant].cells[cell].append(await self._measure(contestant, cell))
        for contestant, bot in self._bots.items():
            self.results[contestant].peak_memory.append(bot.peak_memory)
        await self._stop_bots()

    async def _cold_start(self, contestant: Contestant, auth: int) -> float:
        cloud = self._clouds[contestant.credential]
        cloud.set_latencies(auth / 1000, 0)
        bot = contestant.bot(cloud, self._folder / f"{contestant.key}.log")
        self._bots[contestant] = bot
        await bot.start()
        return await first_reply(bot, cloud.target(bot.port, one_token=True))

    async def _measure(self, contestant: Contestant, cell: Cell) -> Measurement:
        cloud, bot = self._clouds[contestant.credential], self._bots[contestant]
        cloud.set_latencies(cell.auth / 1000, cell.connector / 1000)
        load = Load(
            cloud.target(bot.port, one_token=contestant.variant == ONE_TOKEN), cell.in_flight
        )
        await load.start()
        try:
            await load.measure(LEAD_SECONDS)
            cpu_seconds, counts = bot.cpu_seconds, cloud.counts()
            outcome = await load.measure(self._seconds, MIN_TURNS)
            cpu_seconds, counts = bot.cpu_seconds - cpu_seconds, cloud.counts() - counts
        finally:
            await load.stop()
        return Measurement.of(outcome, cpu_seconds, counts)

    async def _import_time(self, contestant: Contestant) -> float:
        """Milliseconds that a fresh interpreter takes to import what a turn needs."""
        cloud = self._clouds[contestant.credential]
        program = (
            "import sys, time; started_at = time.perf_counter(); "
            f"sys.path.insert(0, {str(contestant.folder)!r}); {contestant.imports}; "
            "print(1000 * (time.perf_counter() - started_at))"
        )
        process = await asyncio.create_subprocess_exec(
            str(contestant.python),
            "-c",
            program,
            env=dict(contestant.environ(cloud)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{contestant.label} cannot be imported")
        return float(printed)

    async def _stop_bots(self) -> None:
        for bot in self._bots.values():
            await bot.stop()
        self._bots.clear()
