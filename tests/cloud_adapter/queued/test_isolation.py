"""Isolation: turns beside one that always takes its process with it are answered, and none is
apologized to."""

import asyncio
import contextlib

import pytest

from cloud_adapter.queued.drain import (
    MAX_ATTEMPTS,
    MIN_CUT_OFFS,
    RETRY_PAUSE_SECONDS,
    WAITING_SECONDS,
    Isolation,
)
from cloud_adapter.queued.wake_up import PAUSE_SECONDS, WakeUp
from cloud_adapter.storage.account import StorageAccount
from tests.support.bots.queued_turns import CONVERSATION, LongTurn, QueuedTurnsBot, content
from tests.support.storage.broken_leases import dying
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, after
from tests.support.timing.moved_clock import MovedClock

ALL = WakeUp(CONVERSATION).text
"""A wake-up message for all that waits."""

INNOCENT = [f"innocent {number}" for number in range(6)]
LONGER = 0.1
"""Seconds that the turns beside a deadly one take beyond it."""


def enters(isolation: Isolation, name: str, cut_offs: int) -> bool:
    """Whether a turn that was cut off so often may run now."""
    with isolation.slot(name, cut_offs) as may_run:
        return may_run


async def test_one_at_a_time() -> None:
    """Of turns that were cut off twice, one runs at a time, beside all others."""
    isolation = Isolation()
    with isolation.slot("one", MIN_CUT_OFFS) as may_run:
        assert may_run
        assert not enters(isolation, "other", MIN_CUT_OFFS)
        for cut_offs in range(MIN_CUT_OFFS):
            assert enters(isolation, "innocent", cut_offs)
    assert enters(isolation, "other", MIN_CUT_OFFS)


async def test_the_guilty_wait_for_the_innocent(clock: MovedClock) -> None:
    """Turns that were cut off less often go first, while it is likely that they still wait."""
    isolation = Isolation()
    with isolation.slot("one", MIN_CUT_OFFS):
        assert not enters(isolation, "innocent", MIN_CUT_OFFS)
    assert not enters(isolation, "guilty", MIN_CUT_OFFS + 1)
    assert enters(isolation, "innocent", MIN_CUT_OFFS)
    assert enters(isolation, "guilty", MIN_CUT_OFFS + 1)
    with isolation.slot("one", MIN_CUT_OFFS):
        assert not enters(isolation, "innocent", MIN_CUT_OFFS)
    clock.move(WAITING_SECONDS + 1)
    assert enters(isolation, "guilty", MIN_CUT_OFFS + 1)


class DyingHost:
    """Runs each wake-up message, in a new process whenever one has died.

    Args:
        account: the bot's storage account.
        messages: the wake-up messages.
        storage: the account's connection string.
        deadly: ids of the activities whose turns take their process with them.
    """

    def __init__(
        self,
        account: StorageAccount,
        messages: QueueMessages,
        storage: str,
        deadly: tuple[str, ...],
    ) -> None:
        self._account = account
        self._messages = messages
        self._storage = storage
        self._deadly = deadly
        self._waiting: list[str] = []
        self.processes: list[QueuedTurnsBot] = []

    async def run(self) -> None:
        """Until no message is left."""
        while self._waiting or await self._messages.count():
            await self._run_process()

    async def _run_process(self) -> None:
        process, death = QueuedTurnsBot(self._account), asyncio.Event()

        async def die() -> None:
            death.set()
            await asyncio.Event().wait()

        process.script |= {name: [die] for name in self._deadly}
        process.script |= {name: [_longer] for name in INNOCENT}
        self.processes.append(process)
        dying_of = asyncio.create_task(death.wait())
        running: dict[asyncio.Task[None], str] = {}
        while not death.is_set():
            for text in [*self._waiting, *await self._messages.taken()]:
                running[asyncio.create_task(process.wake_up(text))] = text
            self._waiting = []
            if not running:
                break
            await asyncio.wait({*running, dying_of}, return_when=asyncio.FIRST_COMPLETED)
            running = {task: text for task, text in running.items() if not task.done()}
        dying_of.cancel()
        if running:
            with contextlib.suppress(asyncio.CancelledError):
                await dying(self._storage)()
            for each in running:
                each.cancel()
            await asyncio.wait(running)
        self._waiting = list(running.values())

    def runs(self, name: str) -> int:
        """The number of times that the turn of an activity has begun."""
        return sum(process.runs.count(name) for process in self.processes)

    @property
    def apologies(self) -> list[str | None]:
        """Ids of the activities that were given up."""
        return [each for process in self.processes for each in process.killed]


async def _longer() -> None:
    await asyncio.sleep(LONGER)


async def test_a_turn_that_waits(
    far: QueuedTurnsBot, front: StorageFront, messages: QueueMessages, storage: str
) -> None:
    """It has no lease, which would say that it was cut off, too, if the process died now."""
    turn = LongTurn()
    far.script.update({"x": [*[dying(storage)] * 2, turn], "y": [dying(storage)] * 2})
    wake_ups = {}
    for name in "xy":
        await far.accept(content(name, name))
        wake_ups[name] = (await messages.taken())[-1]
        for _ in range(2):
            with pytest.raises(asyncio.CancelledError):
                await far.wake_up(wake_ups[name])
        await far.wake_up(wake_ups[name])  # it is put back
    running = asyncio.create_task(far.wake_up(wake_ups["x"]))
    await turn.started.wait()
    front.calls.clear()
    await far.wake_up(wake_ups["y"])
    assert [call.name for call in front.calls] == ["GET blob bot-state", "POST queue bot-turns"]
    turn.ends.set()
    await running


async def test_a_turn_that_another_process_has_isolated(
    one: QueuedTurnsBot, far: QueuedTurnsBot, front: StorageFront, storage: str
) -> None:
    """It is not run in a drain that has begun before, and beside others."""
    one.script["x"] = [dying(storage)] * 2
    await one.accept(content("x"))
    await one.accept(content("y"))

    async def cut_off() -> None:
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                await one.wake_up(ALL)
        await one.wake_up(ALL)  # it is put back

    front.spoil("PUT blob", after(cut_off), times=1)
    await far.wake_up(ALL)
    assert (one.runs, far.runs) == (["x", "x"], [])
    assert far.queue.delays[-1] == RETRY_PAUSE_SECONDS


async def test_a_turn_that_another_process_has_run(
    one: QueuedTurnsBot, far: QueuedTurnsBot, front: StorageFront, storage: str
) -> None:
    """Whoever has waited to run it alone runs nothing else in its place."""
    one.script["x"] = [dying(storage)] * 2
    await one.accept(content("x"))
    await one.accept(content("y"))
    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            await one.wake_up(ALL)
    await one.wake_up(ALL)  # it is put back
    front.spoil("PUT blob lease", after(lambda: one.wake_up(ALL)), times=1)
    await far.wake_up(ALL)
    assert (one.runs, far.runs) == (["x"] * 3, [])
    assert far.queue.delays[-1] == PAUSE_SECONDS
    await far.wake_up(ALL)
    assert far.runs == ["y"]


@pytest.mark.parametrize("deadly", [("x",), ("x", "y")], ids=len)
async def test_innocent_turns(
    account: StorageAccount,
    one: QueuedTurnsBot,
    messages: QueueMessages,
    storage: str,
    deadly: tuple[str, ...],
) -> None:
    """Beside one or two turns that always take their process with them, none is given up.

    Those run five times each.
    """
    for name in (*INNOCENT, *deadly):
        await one.accept(content(name, name))
    host = DyingHost(account, messages, storage, deadly)
    await host.run()
    assert sorted(map(str, host.apologies)) == sorted(deadly)
    assert [host.runs(name) for name in deadly] == [MAX_ATTEMPTS] * len(deadly)
    for name in INNOCENT:
        assert await one.count(f"webchat~2Fconversations~2F{name.replace(' ', '~20')}") == 1
