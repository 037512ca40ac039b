"""TimerTriggers: which timers the host remembers, and which are in error."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot_workbench.emulator.functions.timers.triggers import TimerTriggers
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.protocol import TypedData
from tests.support.timing.condition import comes_true

REMEMBERED: Mapping[str, tuple[dict[str, Any], bool]] = {
    "by default": ({"schedule": "0 0 0 1 1 *"}, True),
    "unset": ({"schedule": "0 0 0 1 1 *", "useMonitor": None}, True),
    "not wanted": ({"schedule": "0 0 0 1 1 *", "useMonitor": False}, False),
    "frequent": ({"schedule": "*/30 * * * * *"}, False),
}


@pytest.mark.parametrize(("trigger", "remembered"), REMEMBERED.values(), ids=REMEMBERED)
async def test_remembered_timers(storage: str, trigger: dict[str, Any], remembered: bool) -> None:
    """A status is stored unless the trigger says otherwise, or occurs more than once a minute."""
    binding = {"type": "timerTrigger", "name": "timer", "runOnStartup": True, **trigger}
    values: list[dict[str, Any]] = []

    async def invoke(_function: Function, data: TypedData, _: Mapping[str, TypedData]) -> None:
        values.append(json.loads(data.json))

    function = Function("1", "tick", (binding,))
    triggers = TimerTriggers([function], {"AzureWebJobsStorage": storage}, invoke)
    triggers.start()
    await comes_true(lambda: bool(values))
    await triggers.stop(0)
    assert (values[0]["ScheduleStatus"] is not None) == remembered


async def test_storage_that_no_timer_can_use(caplog: pytest.LogCaptureFixture) -> None:
    """If the app's storage is not a connection string, each timer is in error, and named."""
    names = ("tick", "tock")
    binding = {"type": "timerTrigger", "name": "timer", "schedule": "* * * * * *"}
    ran: list[str] = []

    async def invoke(function: Function, *_: object) -> None:
        ran.append(function.name)

    functions = [Function(name, name, (binding,)) for name in names]
    triggers = TimerTriggers(functions, {"AzureWebJobsStorage": "junk"}, invoke)
    triggers.start()
    await triggers.stop(0)
    reason = "AzureWebJobsStorage is not a storage connection string"
    for name in names:
        assert caplog.text.count(f"The '{name}' function is in error: {reason}") == 1
    assert ran == []
