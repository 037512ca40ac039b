"""TimerTriggers: the listeners of an app's timer-triggered functions."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import cached_property

from bot_workbench.emulator.functions.errors import ConnectionMissingError, FunctionError
from bot_workbench.emulator.functions.timers.listener import TimerListener
from bot_workbench.emulator.functions.timers.monitor import ScheduleMonitor
from bot_workbench.emulator.functions.timers.schedule import schedule
from bot_workbench.emulator.functions.workers.function import Function, InvokeFunction
from bot_workbench.emulator.functions.workers.protocol import TypedData

LOG = logging.getLogger("bot_workbench.emulator.functions.timers.triggers")

TIME_ZONE = "WEBSITE_TIME_ZONE"


class TimerTriggers:
    """Runs a listener for each function with a timerTrigger that is not in error.

    A function is in error if its schedule or the app's storage is not valid: that is logged, as in
    Azure, and the others run.

    The listeners belong to the host, not to its workers, so that each occurrence is one run. In
    Azure, an app may have several hosts, and only one of them runs a timer; here, each host would.

    Args:
        functions: the app's; those with other triggers are ignored.
        environ: the app's settings.
        invoke: runs a function.
    """

    def __init__(
        self, functions: Iterable[Function], environ: Mapping[str, str], invoke: InvokeFunction
    ) -> None:
        self._environ = environ
        self._invoke = invoke
        self._listeners: list[TimerListener] = []
        if environ.get(TIME_ZONE):
            LOG.warning(
                "%s is ignored: timers run in UTC, as on Flex Consumption, which does not support"
                " this setting",
                TIME_ZONE,
            )
        for function in functions:
            if function.trigger["type"] == "timerTrigger":
                self._add_listener(function)

    def start(self) -> None:
        """Start waiting, on the running event loop."""
        for listener in self._listeners:
            listener.start()

    async def stop(self, grace_seconds: float | None) -> None:
        """Stop waiting; functions that run have `grace_seconds` to finish; None: any time."""
        await asyncio.gather(*(listener.stop(grace_seconds) for listener in self._listeners))
        if self._listeners and self._monitor is not None:
            self._monitor.close()

    @cached_property
    def _monitor(self) -> ScheduleMonitor | None:
        """None: no setting names the app's storage. Raises: FunctionError: it is invalid."""
        try:
            return ScheduleMonitor.of(self._environ)
        except ConnectionMissingError as error:
            LOG.warning("Timers run here, but would not run in Azure: %s", error)
            return None

    def _add_listener(self, function: Function) -> None:
        trigger = function.trigger
        try:
            found = schedule(function.resolved("schedule", self._environ))
            monitor = self._monitor
        except (ValueError, FunctionError) as error:
            LOG.error("The '%s' function is in error: %s", function.name, error)  # noqa: TRY400 # it is all
            return
        is_kept = trigger.get("useMonitor") is not False and not found.is_frequent

        async def run(info: TypedData) -> None:
            await self._invoke(function, info, {})

        self._listeners.append(
            TimerListener(
                function.name,
                found,
                monitor if is_kept else None,
                bool(trigger.get("runOnStartup")),
                run,
            )
        )
