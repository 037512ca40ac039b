"""StateComparison: measures every counter bot in several rounds, one after the other in each."""

import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.state.contestant import StateContestant
from benchmarks.state.measurement import StateMeasurement
from benchmarks.state.storage.accounts import ContestantAccounts
from benchmarks.state.trial import StateTrial
from benchmarks.state.turns import TurnSender
from benchmarks.traffic.bot_process import LOAD_CORE
from bot_workbench.credential_kinds import MANAGED_IDENTITY


class StateComparison:
    """Measures contestants in turn: each is started anew in each round.

    Args:
        contestants: the bots to measure.
        folder: for files and logs; it is not deleted.
        seconds: length of the measurement under load.
        progress: called before each trial with its name.

    Attributes:
        results: the measurements so far, one for each round.
    """

    def __init__(
        self,
        contestants: Sequence[StateContestant],
        folder: Path,
        seconds: float,
        progress: Callable[[str], None],
    ) -> None:
        self._contestants = contestants
        self._folder = folder
        self._seconds = seconds
        self._progress = progress
        self.results: dict[StateContestant, list[StateMeasurement]] = {
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
            accounts = ContestantAccounts(cloud.cloud, self._contestants)
            stack.push_async_callback(accounts.stop)
            await accounts.start()
            for _ in range(rounds):
                for contestant in self._contestants:
                    self._progress(contestant.key)
                    measured = await self._measure(contestant, cloud, accounts)
                    self.results[contestant].append(measured)

    async def _measure(
        self, contestant: StateContestant, cloud: BenchmarkCloud, accounts: ContestantAccounts
    ) -> StateMeasurement:
        async with AsyncExitStack() as stack:
            proxy = accounts.proxies.get(contestant)
            log = self._folder / f"{contestant.key}.log"
            settings = {**accounts.settings(contestant), **contestant.settings}
            bots = [contestant.bot.bot(cloud, log, settings) for _ in range(contestant.instances)]
            for bot in bots:
                stack.push_async_callback(bot.stop)
                await bot.start()
            ports = [bot.port for bot in bots]
            sender = TurnSender(cloud.target(ports[0], one_token=False), ports)
            stack.callback(sender.close)
            trial = StateTrial(sender, bots)
            await trial.warm_up()
            if proxy is None:
                return StateMeasurement(await trial.load(self._seconds))
            turns = await trial.single_turns(proxy)
            load = await trial.load(self._seconds)
            return StateMeasurement(load, turns, await trial.burst(proxy))
