"""AgentsComparison: an echo bot's turns and start, and a counter bot's turns, in several rounds."""

import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path

from benchmarks.agents.contestant import AgentsContestant
from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.comparison import LEAD_SECONDS
from benchmarks.state.measurement import BurstFigures, LoadFigures
from benchmarks.state.storage.accounts import ContestantAccounts
from benchmarks.state.storage.proxy import StorageProxy
from benchmarks.state.trial import StateTrial
from benchmarks.state.turns import TurnSender
from benchmarks.traffic.bot_process import LOAD_CORE, BotProcess
from benchmarks.traffic.load import Load, first_reply
from bot_workbench.credential_kinds import MANAGED_IDENTITY

IN_FLIGHT = 16
MIN_TURNS = 1000
"""A measurement goes on until so many turns have ended: then memory is compared."""


@dataclass(frozen=True)
class AgentsMeasurement:
    """The figures of one round.

    Attributes:
        first_reply: milliseconds from the echo bot's start.
        first_reply_cpu: milliseconds of CPU time until then, of its process with its host.
        cpu: milliseconds of CPU time per echo turn.
        turns_per_second: echo turns whose response and reply both arrived.
        peak_memory: bytes of the largest resident set, after MIN_TURNS echo turns.
        state_cpu: milliseconds of CPU time per turn of the counter bot.
        counted: of 16 messages at once in one conversation, those that the count has.
        failures: turns without a reply, of both bots, and errors of those at once.
    """

    first_reply: float
    first_reply_cpu: float
    cpu: float
    turns_per_second: float
    peak_memory: float
    state_cpu: float
    counted: float
    failures: float


def median(rounds: Sequence[AgentsMeasurement]) -> AgentsMeasurement:
    """The median of each figure; for `failures` the sum, for `counted` the worst."""
    middle = {
        each.name: statistics.median(getattr(found, each.name) for found in rounds)
        for each in fields(AgentsMeasurement)
    }
    worst = {
        "counted": min(each.counted for each in rounds),
        "failures": sum(each.failures for each in rounds),
    }
    return AgentsMeasurement(**{**middle, **worst})


class AgentsComparison:
    """Measures contestants in turn: each is started anew in each round, first to echo.

    Args:
        contestants: the bots to measure.
        folder: for files and logs; it is not deleted.
        seconds: length of one measurement.
        progress: called before each measurement with its name.

    Attributes:
        results: the measurements so far, one for each round.
    """

    def __init__(
        self,
        contestants: Sequence[AgentsContestant],
        folder: Path,
        seconds: float,
        progress: Callable[[str], None],
    ) -> None:
        self._contestants = contestants
        self._folder = folder
        self._seconds = seconds
        self._progress = progress
        self.results: dict[AgentsContestant, list[AgentsMeasurement]] = {
            contestant: [] for contestant in contestants
        }

    async def run(self, rounds: int) -> None:
        """Measure this many rounds.

        Raises:
            OSError, RuntimeError, TimeoutError: a contestant does not work.
            AzuriteError: Azurite does not run.
        """
        os.sched_setaffinity(0, {LOAD_CORE})
        async with AsyncExitStack() as stack:
            cloud = BenchmarkCloud(self._folder / "cloud", MANAGED_IDENTITY)
            await cloud.start()
            stack.push_async_callback(cloud.stop)
            counters = [each.counter for each in self._contestants]
            accounts = ContestantAccounts(cloud.cloud, counters)
            stack.push_async_callback(accounts.stop)
            await accounts.start()
            for _ in range(rounds):
                for contestant in self._contestants:
                    self._progress(contestant.key)
                    measured = await self._measure(contestant, cloud, accounts)
                    self.results[contestant].append(measured)

    async def _measure(
        self, contestant: AgentsContestant, cloud: BenchmarkCloud, accounts: ContestantAccounts
    ) -> AgentsMeasurement:
        log = self._folder / "agents.log"
        echo = contestant.echo.bot(cloud, log)
        settings = {**accounts.settings(contestant.counter), **contestant.counter.settings}
        counter = contestant.counter.bot.bot(cloud, log, settings)
        # A bot without a proxy keeps its state in its process.
        proxy = accounts.proxies.get(contestant.counter) or StorageProxy({})
        try:
            await echo.start()
            started = await first_reply(echo, cloud.target(echo.port, one_token=True))
            started_cpu = 1000 * echo.cpu_seconds
            turns = await self._echo_turns(echo, cloud)
            memory = echo.peak_memory
            await echo.stop()
            await counter.start()
            state, burst = await self._counter_turns(counter, cloud, proxy)
        finally:
            await echo.stop()
            await counter.stop()
        return AgentsMeasurement(
            first_reply=started,
            first_reply_cpu=started_cpu,
            cpu=turns.cpu,
            turns_per_second=turns.turns_per_second,
            peak_memory=memory,
            state_cpu=state.cpu,
            counted=burst.counted,
            failures=turns.failures + state.failures + burst.errors,
        )

    async def _echo_turns(self, bot: BotProcess, cloud: BenchmarkCloud) -> LoadFigures:
        target = cloud.target(bot.port, one_token=False)
        # Turns of one conversation would wait for each other, in the host that orders them.
        load = Load(replace(target, conversations=len(target.tokens)), IN_FLIGHT)
        await load.start()
        try:
            await load.measure(LEAD_SECONDS)
            cpu = bot.cpu_seconds
            outcome = await load.measure(self._seconds, MIN_TURNS)
            cpu = bot.cpu_seconds - cpu
        finally:
            await load.stop()
        turns = len(outcome.latencies)
        if not turns:
            raise RuntimeError(f"no turn succeeded: {outcome.failures[:3]}")
        return LoadFigures(turns / outcome.seconds, 1000 * cpu / turns, len(outcome.failures))

    async def _counter_turns(
        self, bot: BotProcess, cloud: BenchmarkCloud, proxy: StorageProxy
    ) -> tuple[LoadFigures, BurstFigures]:
        sender = TurnSender(cloud.target(bot.port, one_token=False), [bot.port])
        try:
            trial = StateTrial(sender, [bot])
            await trial.warm_up()
            return await trial.load(self._seconds), await trial.burst(proxy)
        finally:
            sender.close()
