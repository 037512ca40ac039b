"""KeptTriggers: the listeners of an app whose functions change while the host runs."""

import asyncio
import json
from collections.abc import Mapping, Sequence

from bot_workbench.emulator.functions.configuration import HostConfiguration
from bot_workbench.emulator.functions.triggers.triggers import Triggers, triggers_of
from bot_workbench.emulator.functions.workers.function import Function, InvokeFunction


class KeptTriggers:
    """Has the listeners of each function; those of a function whose trigger stays the same stay.

    So a timer occurs once, neither twice nor never, while the code is replaced, and does not run
    "on startup" again; and no message that is on its way gets lost.

    Args:
        invoke: runs a function with the newest code.
        stop_seconds: how long the functions of a trigger that is gone have to finish.
    """

    def __init__(self, invoke: InvokeFunction, stop_seconds: float) -> None:
        self._invoke = invoke
        self._stop_seconds = stop_seconds
        self._kept: dict[str, Sequence[Triggers]] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    def change(
        self,
        functions: Sequence[Function],
        configuration: HostConfiguration,
        environ: Mapping[str, str],
    ) -> None:
        """Listen for these functions, and no longer for others."""
        wanted = {_key(each, configuration, environ): each for each in functions}
        for key in self._kept.keys() - wanted.keys():
            self._stop(self._kept.pop(key))
        for key in wanted.keys() - self._kept.keys():
            self._kept[key] = self._started(wanted[key], configuration, environ)

    async def stop(self, grace_seconds: float | None) -> None:
        """Stop listening; running functions have `grace_seconds` to finish; None: any time."""
        await asyncio.gather(
            *(each.stop(grace_seconds) for kept in self._kept.values() for each in kept)
        )

    def _started(
        self, function: Function, configuration: HostConfiguration, environ: Mapping[str, str]
    ) -> Sequence[Triggers]:
        found = triggers_of([function], configuration, environ, self._invoke)
        for each in found:
            each.start()
        return found

    def _stop(self, triggers: Sequence[Triggers]) -> None:
        for each in triggers:
            task = asyncio.create_task(each.stop(self._stop_seconds))
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)


def _key(function: Function, configuration: HostConfiguration, environ: Mapping[str, str]) -> str:
    """The values on which the listeners of a function depend."""
    settings = sorted(environ.items())
    return json.dumps([function.name, function.bindings, str(configuration.queues), settings])
