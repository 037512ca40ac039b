"""TimerListener: runs a function on its schedule.

Source: TimerListener and ScheduleMonitor of azure-webjobs-sdk-extensions.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot_workbench.emulator.functions.errors import InvocationError
from bot_workbench.emulator.functions.timers.monitor import ScheduleMonitor
from bot_workbench.emulator.functions.timers.schedule import Schedule
from bot_workbench.emulator.functions.timers.timer_info import ScheduleStatus, timer_info
from bot_workbench.emulator.functions.workers.protocol import TypedData

LOG = logging.getLogger("bot_workbench.emulator.functions.timers.listener")

MAX_SLEEP_SECONDS = 60.0
"""The longest wait before the clock is checked again: it may be set, or the machine may sleep."""

Invoke = Callable[[TypedData], Awaitable[object]]
"""Runs the function with its timer's value; raises InvocationError."""


class TimerListener:
    """Waits for the occurrences of one timer, and runs its function at each, one run at a time.

    A run that fails is not repeated. If the timer occurs during a run, one more run follows it.

    Args:
        name: the function's.
        schedule: when the timer occurs.
        monitor: stores the timer's status; None: runs that are missed while no host runs are not
            made up for.
        runs_on_startup: whether to run the function when the host starts, too.
        invoke: runs the function.
        now: the time, in UTC.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        name: str,
        schedule: Schedule,
        monitor: ScheduleMonitor | None,
        runs_on_startup: bool,
        invoke: Invoke,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._schedule = schedule
        self._monitor = monitor
        self._runs_on_startup = runs_on_startup
        self._invoke = invoke
        self._now = now
        self._sleep = sleep
        self._running = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start waiting, on the running event loop."""
        self._task = asyncio.create_task(self._listen())

    async def stop(self, grace_seconds: float | None) -> None:
        """Stop waiting; a run has `grace_seconds` to finish; None: any time."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._running.acquire(), grace_seconds)
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _listen(self) -> None:
        status, is_past_due = await self._status_at_start()
        LOG.info("Timer %s: next at %s", self._name, status.next.isoformat())
        if is_past_due or self._runs_on_startup:
            status = await self._run(status, is_past_due)
        while True:
            while (wait := (status.next - self._now()).total_seconds()) > 0:
                await self._sleep(min(wait, MAX_SLEEP_SECONDS))
            status = await self._run(status)

    async def _status_at_start(self) -> tuple[ScheduleStatus, bool]:
        """The status, and whether an occurrence was missed while no host ran."""
        now = self._now()
        stored = await self._monitor.read(self._name) if self._monitor else None
        if stored is None:
            return await self._stored(ScheduleStatus(self._schedule.next(now), updated=now)), False
        if self._schedule.next(stored.updated) == stored.next:
            return stored, now > stored.next
        # The schedule has changed: no occurrence of the new schedule has been missed.
        return await self._stored(ScheduleStatus(self._schedule.next(now), updated=now)), False

    async def _run(self, status: ScheduleStatus, is_past_due: bool = False) -> ScheduleStatus:
        """Run the function now, and return the status after it."""
        started = self._now()
        shown = status if self._monitor else None
        async with self._running:
            try:
                await self._invoke(timer_info(self._schedule.adjust_for_dst, shown, is_past_due))
            except InvocationError as error:
                LOG.error("Timer %s failed: %s", self._name, error)  # noqa: TRY400 # it is the trace
            else:
                LOG.info("Timer %s ran%s", self._name, ", past due" if is_past_due else "")
            following = self._schedule.next(started)
            return await self._stored(ScheduleStatus(following, last=started, updated=started))

    async def _stored(self, status: ScheduleStatus) -> ScheduleStatus:
        if self._monitor:
            await self._monitor.write(self._name, status)
        return status
