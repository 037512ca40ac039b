"""The scenarios: how workers and hosts die, and what must be true all the same."""

import asyncio
import math
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from tests.support.load.counted_conversations import CountedConversation
from tests.support.load.deaths.outcome import Figure, at_least, at_most, exactly
from tests.support.load.deaths.stage import Killer, Stage
from tests.support.timing.condition import comes_true

Figures = dict[str, Figure]
Scenario = Callable[[Stage], Awaitable[Figures]]

SHORT_TURN = "wait 0.5"

MAX_BLOCK_SECONDS = 300.0
"""From one worker to the next, if a turn blocks each of them for two minutes."""


async def killed_workers(stage: Stage) -> Figures:
    """A worker is killed four seconds after it is ready, twenty times."""
    rounds = [stage.users([5] * 3, SHORT_TURN) for _ in range(20)]
    async with asyncio.TaskGroup() as group:
        for number, users in enumerate(rounds):
            await stage.watch.next_worker(number)
            group.create_task(users.deliver(12))
            await asyncio.sleep(4)
            stage.watch.kill_worker()
    return await stage.figures(*rounds)


async def killed_hosts(stage: Stage) -> Figures:
    """The host is killed every 15 seconds, ten times; its worker ends with it."""
    rounds = [stage.users([5] * 6, SHORT_TURN) for _ in range(10)]
    async with asyncio.TaskGroup() as group:
        for users in rounds:
            group.create_task(users.deliver(15))
            await asyncio.sleep(15)
            stage.host.send_signal(signal.SIGKILL)
    return await stage.figures(*rounds)


async def terminated_host(stage: Stage) -> Figures:
    """SIGTERM under turns of 25 seconds, five seconds after their begin."""
    return await _long_turns(stage, 5, lambda: stage.host.send_signal(signal.SIGTERM))


async def killed_all(stage: Stage) -> Figures:
    """Host and worker are killed under turns of 25 seconds, twelve seconds after their begin."""

    def kill() -> None:
        stage.watch.kill_worker()
        stage.host.send_signal(signal.SIGKILL)

    return await _long_turns(stage, 12, kill)


async def _long_turns(stage: Stage, seconds: float, end: Callable[[], None]) -> Figures:
    users = stage.users([1] * 8, "wait 25")
    await users.deliver(0)
    await stage.have_begun(users)
    await asyncio.sleep(seconds)
    end()
    figures = await stage.figures(users)
    wanted = {"turns of 10 s and more begun again": len(users.all), "replies sent twice": 0}
    return figures | {name: exactly(figures[name].value, each) for name, each in wanted.items()}


async def broken_app(stage: Stage) -> Figures:
    """A deployment breaks the bot under fifty activities; another repairs it two minutes later."""
    users = stage.users([1] * 50, "wait 10")
    late = stage.users([1], "wait 0")
    await users.deliver(1)
    stage.break_bot()
    stage.watch.kill_worker()
    await stage.watch.next_worker(1)
    async with asyncio.TaskGroup() as group:
        group.create_task(late.deliver(0))
        await asyncio.sleep(120)
        answered = sum(not each.lost for each in users.all)
        stage.repair_bot()
        stage.host.send_signal(signal.SIGTERM)
        repaired_at = time.time()
    refusals = late.messages[0].statuses.count(503)
    return {
        **await stage.figures(users, late),
        "stored until the repair": at_least(len(users.all) - answered, 25),
        "answers 503 while it was broken": at_least(refusals, 1),
        "all answered, s after the repair": Figure(
            max(max(each.replied_at.values(), default=math.inf) for each in users.all) - repaired_at
        ),
    }


async def one_killing_turn(stage: Stage) -> Figures:
    """A turn ends its process each time, beside six turns of twenty seconds."""
    return await _killing_turns(stage, 1)


async def two_killing_turns(stage: Stage) -> Figures:
    """Two turns end their process each time, beside six turns of twenty seconds."""
    return await _killing_turns(stage, 2)


async def _killing_turns(stage: Stage, count: int) -> Figures:
    users = stage.users([1] * 6, "wait 20")
    killers = [Killer(stage, "exit") for _ in range(count)]
    await users.deliver(0)
    await stage.have_begun(users)
    await asyncio.sleep(12)
    await asyncio.gather(*(each.deliver() for each in killers))
    of_killers: Figures = {}
    for number, killer in enumerate(killers, 1):
        of_killers |= await killer.figures(f"killer {number}", beside_another=count > 1)
    return await stage.figures(users) | of_killers


async def blocking_turn(stage: Stage) -> Figures:
    """A turn blocks the event loop beside 24 others; more activities come after two of its runs."""
    before_block = 4.0
    users = stage.users([1] * 24, "wait 6")
    blocker = Killer(stage, f"wait {before_block}, block 100000")
    later = [stage.users([1] * 6, SHORT_TURN) for _ in range(2)]
    await blocker.deliver()
    await comes_true(lambda: bool(blocker.runs))
    async with asyncio.TaskGroup() as group:
        group.create_task(users.deliver(0))
        for number, each in enumerate(later, 1):
            await stage.watch.next_worker(number, MAX_BLOCK_SECONDS)
            group.create_task(each.deliver(0))
    of_blocker = await blocker.figures("the blocker")
    figures = await stage.figures(users, *later)
    blocks = [run.at + before_block for run in blocker.runs]
    died, first = stage.watch.died, blocker.runs[0].pid
    return {
        **figures,
        **of_blocker,
        "named, s after the block began (longest)": at_most(
            max(_after(at, _named_at(stage)) for at in blocks), 20.0
        ),
        "ended, s after the block began (longest)": at_most(
            max(_after(at, died.values()) for at in blocks), 140.0
        ),
        "turns that the first block cut off, its own included": at_least(
            len(stage.journal.reruns({pid: died[pid] for pid in died if pid == first})), 9
        ),
        "blocks since a turn's last run that was cut off, its own included (most)": at_most(
            max(_blocks_during(stage, each, blocks) for each in users.all), 2
        ),
        "wait of those accepted after a block, s (longest)": at_most(
            max(each.longest_wait for group in later for each in group.all), 180.0
        ),
    }


def _named_at(stage: Stage) -> list[float]:
    """When the log named the bot's file as what blocks the event loop."""
    return [at for at, line in stage.watch.lines if "event loop" in line and "__init__.py" in line]


def _after(start: float, times: Iterable[float]) -> float:
    """Seconds from a time until the first of those that follow."""
    return min((each - start for each in times if each > start), default=math.inf)


def _blocks_during(stage: Stage, user: CountedConversation, blocks: Iterable[float]) -> int:
    """How many blocks began between the last run of a user's only turn that was cut off, and its
    reply."""
    activity_id = user.messages[0].activity["id"]
    runs, replied_at = stage.journal.runs().get(activity_id, []), user.replied_at
    if len(runs) < 2 or activity_id not in replied_at:
        return 0  # never cut off, or lost, which other figures say
    return sum(runs[-2].at <= at <= replied_at[activity_id] for at in blocks)


SCENARIOS: Mapping[str, Scenario] = {
    "killed-workers": killed_workers,
    "killed-hosts": killed_hosts,
    "sigterm": terminated_host,
    "sigkill": killed_all,
    "broken-app": broken_app,
    "killer": one_killing_turn,
    "two-killers": two_killing_turns,
    "blocker": blocking_turn,
}
"""By the names that the command line takes."""
