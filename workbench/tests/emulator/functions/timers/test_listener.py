"""TimerListener: when it runs its function, and what it passes to it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.storage.blob.aio import BlobServiceClient

from bot_workbench.emulator.functions.errors import InvocationError
from bot_workbench.emulator.functions.timers.listener import TimerListener
from bot_workbench.emulator.functions.timers.monitor import ScheduleMonitor
from bot_workbench.emulator.functions.timers.schedule import schedule
from bot_workbench.emulator.functions.timers.timer_info import ScheduleStatus
from bot_workbench.emulator.functions.workers.protocol import TypedData
from tests.support.timing.condition import comes_true
from tests.support.timing.stepped_clock import SteppedClock

EVERY_FIVE_MINUTES = "0 */5 * * * *"


def moment(text: str) -> float:
    """A time of one day, in UTC, in seconds since 1970."""
    return datetime.fromisoformat(f"2026-11-25T{text}+00:00").timestamp()


class TimedFunction:
    """A timer's function with a clock of its own, which stops at one of its runs for ever.

    Args:
        runs: how many there are; the last one does not end.

    Attributes:
        values: the values of its runs.
        seconds: how long a run takes.
        fails: whether runs fail.
    """

    def __init__(self, start: str, runs: int) -> None:
        self.clock = SteppedClock()
        self.clock.now = moment(start)
        self.values: list[dict[str, Any]] = []
        self.seconds = 0.0
        self.fails = False
        self._times: list[datetime] = []
        self._runs = runs

    @property
    def times(self) -> list[str]:
        """The time of day of each run."""
        return [f"{each:%H:%M:%S}" for each in self._times]

    def now(self) -> datetime:
        """The clock's time."""
        return datetime.fromtimestamp(self.clock.now, UTC)

    async def __call__(self, info: TypedData) -> None:
        """Run."""
        self._times.append(self.now())
        self.values.append(json.loads(info.json))
        if len(self.values) == self._runs:
            await asyncio.Event().wait()
        self.clock.now += self.seconds
        if self.fails:
            raise InvocationError("what went wrong")

    async def listen(
        self,
        text: str = EVERY_FIVE_MINUTES,
        monitor: ScheduleMonitor | None = None,
        runs_on_startup: bool = False,
    ) -> None:
        """Let a listener run it as often as it should."""
        listener = TimerListener(
            *("tick", schedule(text), monitor, runs_on_startup, self),
            now=self.now,
            sleep=self.clock.sleep,
        )
        listener.start()
        await comes_true(lambda: len(self.values) == self._runs)
        await listener.stop(0)


async def test_runs_at_each_occurrence() -> None:
    """It runs at each occurrence, and looks at the clock once a minute at least."""
    function = TimedFunction("21:02:30", 3)
    await function.listen()
    assert function.times == ["21:05:00", "21:10:00", "21:15:00"]
    assert function.clock.slept[:3] == [60, 60, 30]


async def test_value_without_a_monitor() -> None:
    """Without a monitor the value says only what kind of schedule it is."""
    function = TimedFunction("21:02:30", 1)
    await function.listen("00:05:00")
    assert function.times == ["21:07:30"]
    assert function.values == [
        {"Schedule": {"AdjustForDST": False}, "ScheduleStatus": None, "IsPastDue": False}
    ]


async def test_run_on_startup() -> None:
    """The function also runs when the host starts, which is not past due."""
    function = TimedFunction("21:02:30", 2)
    await function.listen(runs_on_startup=True)
    assert function.times == ["21:02:30", "21:05:00"]
    assert [value["IsPastDue"] for value in function.values] == [False, False]


async def test_long_run_is_followed_once() -> None:
    """What occurs during a run is one run right after it; runs never overlap."""
    function = TimedFunction("21:04:00", 3)
    function.seconds = 12 * 60
    await function.listen()
    assert function.times == ["21:05:00", "21:17:00", "21:29:00"]


async def test_failed_run(caplog: pytest.LogCaptureFixture) -> None:
    """A run that fails is logged, and not repeated before the next occurrence."""
    function = TimedFunction("21:02:30", 2)
    function.fails = True
    await function.listen()
    assert function.times == ["21:05:00", "21:10:00"]
    assert "Timer tick failed: what went wrong" in caplog.text


async def test_stop_lets_a_run_finish() -> None:
    """A run has its time of grace, and no other one starts."""
    finish = asyncio.Event()
    runs = []

    async def run(info: TypedData) -> None:
        runs.append(info)
        await finish.wait()
        runs.append(info)

    listener = TimerListener("tick", schedule("00:00:01"), None, True, run)
    listener.start()
    await comes_true(lambda: len(runs) == 1)
    stopping = asyncio.create_task(listener.stop(60))
    finish.set()
    await stopping
    assert len(runs) == 2


@pytest.fixture
async def monitor(storage: str) -> AsyncIterator[ScheduleMonitor]:
    """A monitor in a storage of its own."""
    monitor = ScheduleMonitor.of({"AzureWebJobsStorage": storage})
    yield monitor
    monitor.close()


async def test_status_of_a_new_timer(monitor: ScheduleMonitor) -> None:
    """The first run gets its own time as the next occurrence; there was no last one."""
    function = TimedFunction("21:02:30", 2)
    await function.listen(monitor=monitor)
    first, second = (value["ScheduleStatus"] for value in function.values)
    assert first["Last"] == "0001-01-01T00:00:00+00:00"
    assert first["Next"] == "2026-11-25T21:05:00+00:00"
    assert second["Last"] == second["LastUpdated"] == "2026-11-25T21:05:00+00:00"


async def test_several_timers_in_new_storage(
    monitor: ScheduleMonitor, caplog: pytest.LogCaptureFixture
) -> None:
    """Timers that find no container at the same moment store their status all the same."""
    names = [f"timer{number}" for number in range(8)]
    status = ScheduleStatus(datetime.fromtimestamp(moment("21:05:00"), UTC))
    await asyncio.gather(*(monitor.write(name, status) for name in names))
    assert caplog.text == ""
    stored = [await monitor.read(name) for name in names]
    assert [each.next for each in stored if each] == [status.next] * len(names)


async def test_missed_occurrence(monitor: ScheduleMonitor) -> None:
    """After a restart what was missed is one run at once, which is past due."""
    await TimedFunction("21:02:30", 2).listen(monitor=monitor)
    restarted = TimedFunction("21:33:00", 2)
    await restarted.listen(monitor=monitor, runs_on_startup=True)
    assert restarted.times == ["21:33:00", "21:35:00"]
    assert [value["IsPastDue"] for value in restarted.values] == [True, False]


async def test_restart_before_the_next_occurrence(monitor: ScheduleMonitor) -> None:
    """A restart that misses nothing runs nothing; an interval goes on from the last run."""
    await TimedFunction("21:02:00", 2).listen("00:05:00", monitor)
    restarted = TimedFunction("21:09:00", 1)
    await restarted.listen("00:05:00", monitor)
    assert restarted.times == ["21:12:00"]
    assert not restarted.values[0]["IsPastDue"]


async def test_changed_schedule_has_missed_nothing(monitor: ScheduleMonitor) -> None:
    """A stored occurrence of another schedule does not count."""
    await TimedFunction("21:02:30", 2).listen(monitor=monitor)
    restarted = TimedFunction("23:10:00", 1)
    await restarted.listen("0 30 * * * *", monitor)
    assert restarted.times == ["23:30:00"]
    assert not restarted.values[0]["IsPastDue"]


@pytest.mark.parametrize("content", ["", "[]", '{"Next": 1}', '{"Next": "x"}'])
async def test_broken_status(
    storage: str, monitor: ScheduleMonitor, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A stored status that cannot be read is logged, and replaced."""
    await TimedFunction("21:02:30", 1).listen(monitor=monitor)
    async with BlobServiceClient.from_connection_string(storage) as client:
        container = client.get_container_client("azure-webjobs-hosts")
        [path] = [each.name async for each in container.list_blobs()]
        assert path == "timers/local/Host.Functions.tick/status"
        await container.upload_blob(path, content, overwrite=True)
    restarted = TimedFunction("23:02:30", 1)
    await restarted.listen(monitor=monitor)
    assert restarted.times == ["23:05:00"]
    assert "Function tick: its schedule status cannot be read" in caplog.text


async def test_storage_that_does_not_answer(caplog: pytest.LogCaptureFixture) -> None:
    """Timers run without their storage, and warnings say what is not stored."""
    monitor = ScheduleMonitor.of(
        {"AzureWebJobsStorage": "AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a"}
    )
    function = TimedFunction("21:02:30", 1)
    with caplog.at_level(logging.WARNING):
        await function.listen(monitor=monitor)
    monitor.close()
    assert function.times == ["21:05:00"]
    assert "its schedule status is not stored" in caplog.text
