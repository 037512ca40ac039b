"""Comparison: every contestant in every cell, round after round."""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.contestant import ONE_TOKEN, ROOT, Contestant
from benchmarks.results.measurement import CELLS, Cell, Measurement
from benchmarks.stage import Stage
from benchmarks.traffic.bot import LOADS_CORE, Bot
from benchmarks.traffic.load import Load

LEAD = 0.3
"""Seconds of load before a measurement: connections are open by then."""

LEAST = 5
"""Turns that end in any measurement."""

AUTH_LATENCIES = (60, 0)
"""Milliseconds at a cold start; with the last one the process stays."""


@dataclass
class Results:
    """What was measured of one contestant.

    Attributes:
        cells: one measurement for each round.
        cold_starts: milliseconds from the process's start to its first reply in each round, by
            the milliseconds of the sign-in and keys endpoints.
        peak_memory: bytes of the largest resident set in each round.
        imports: milliseconds in each round.
    """

    cells: defaultdict[Cell, list[Measurement]] = field(default_factory=lambda: defaultdict(list))
    cold_starts: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    peak_memory: list[int] = field(default_factory=list)
    imports: list[float] = field(default_factory=list)


class Comparison:
    """Measures contestants side by side: each cell of a round is measured of all, then the next.

    Args:
        contestants: who is measured.
        folder: for files and logs; it is left as it is.
        seconds: of one measurement.
        progress: called at each step with what is done next.

    Attributes:
        results: what was found so far.
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
        self._stages: dict[str, Stage] = {}
        self._bots: dict[Contestant, Bot] = {}
        self.results = {contestant: Results() for contestant in contestants}

    @staticmethod
    def steps(contestants: int, rounds: int) -> int:
        """How often `progress` will be called."""
        return contestants * rounds * (1 + len(AUTH_LATENCIES) + len(CELLS))

    async def run(self, rounds: int) -> None:
        """Measure so many rounds.

        Raises:
            OSError, RuntimeError, TimeoutError: a contestant does not work.
        """
        os.sched_setaffinity(0, {LOADS_CORE})
        try:
            for credential in {each.credential for each in self._contestants}:
                stage = Stage(self._folder / credential, credential)
                self._stages[credential] = stage
                await stage.start()
            for _ in range(rounds):
                await self._round()
        finally:
            await self._stop_bots()
            for stage in self._stages.values():
                await stage.stop()

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
        stage = self._stages[contestant.credential]
        stage.be_slow(auth / 1000, 0)
        bot = contestant.bot(stage, self._folder / f"{contestant.key}.log")
        self._bots[contestant] = bot
        await bot.start()
        load = Load(stage.delivery(bot.port, one_token=True), 1)
        before = time.perf_counter() - bot.started
        await load.begin()
        seconds = before + await load.first_turn()
        await load.end()
        return 1000 * seconds

    async def _measure(self, contestant: Contestant, cell: Cell) -> Measurement:
        stage, bot = self._stages[contestant.credential], self._bots[contestant]
        stage.be_slow(cell.auth / 1000, cell.connector / 1000)
        load = Load(
            stage.delivery(bot.port, one_token=contestant.variant == ONE_TOKEN), cell.in_flight
        )
        await load.begin()
        try:
            await load.watch(LEAD)
            cpu_seconds, counts = bot.cpu_seconds, stage.counts()
            outcome = await load.watch(self._seconds, LEAST)
            cpu_seconds, counts = bot.cpu_seconds - cpu_seconds, stage.counts() - counts
        finally:
            await load.end()
        return Measurement.of(outcome, cpu_seconds, counts)

    async def _import_time(self, contestant: Contestant) -> float:
        """Milliseconds of an interpreter that imports what a turn needs, over one that does not."""
        stage = self._stages[contestant.credential]
        program = (
            "import sys, time; begin = time.perf_counter(); "
            f"sys.path.insert(0, {str(contestant.folder)!r}); {contestant.imports}; "
            "print(1000 * (time.perf_counter() - begin))"
        )
        process = await asyncio.create_subprocess_exec(
            str(contestant.python),
            "-c",
            program,
            env=dict(contestant.environ(stage)),
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
