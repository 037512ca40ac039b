"""What the host does when its worker processes end, or functions take too long."""

import asyncio
import functools
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_workbench.emulator.functions.host_rules import HostRules
from tests.support.program import is_running
from tests.support.timing.condition import comes_true
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.worker_program import ProgramPool, program_pool

EXHAUSTED = "Exceeded language worker restart retry count for runtime:python."
TIMEOUT = 600.0
"""Seconds that a function may run, on a clock that the test moves."""


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log of the host."""
    with caplog.at_level(logging.INFO, "bot_workbench"):
        yield caplog


async def ended(workers: ProgramPool, call: str = "/exit/3") -> None:
    """Have a worker end, and wait until the call that ended it has failed."""
    assert await workers.get(call) == (500, {}, b"")


@pytest.mark.parametrize("code", ["3", "SIGKILL"])
async def test_calls_of_a_worker_that_dies_fail_at_once(
    tmp_path: Path, log: pytest.LogCaptureFixture, code: str
) -> None:
    """They are answered with 500 and nothing else, and the next call by the worker's successor."""
    async with program_pool(tmp_path) as workers:
        dead = await workers.pid()
        call = asyncio.create_task(workers.get("/until/never"))
        await comes_true(lambda: workers.got("until"))
        if code == "SIGKILL":
            os.kill(dead, signal.SIGKILL)
        else:
            await ended(workers, f"/exit/{code}")
        assert await call == (500, {}, b"")
        assert await workers.pid() != dead
    assert log.text.count("Worker 1 ended (") == 1


async def test_exit_code_0_is_not_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """Calls that the worker had, and gets later, wait for functionTimeout. Then it is replaced."""
    clock = MovedClock(monkeypatch)
    async with program_pool(tmp_path, function_timeout=TIMEOUT) as workers:
        first = await workers.pid()
        had = asyncio.create_task(workers.get("/exit/0"))
        await comes_true(lambda: not is_running(first))
        later = asyncio.create_task(workers.get("/pid"))
        await settled()
        clock.move(TIMEOUT - 60)
        await settled()
        assert not had.done()
        assert not later.done()
        assert "ended" not in log.text
        clock.move(61)
        assert await had == await later == (500, {}, b"")
        assert await workers.pid() != first
    assert log.text.count("Timeout value of 00:10:00 exceeded by function") == 2
    assert "ended" not in log.text
    assert not workers.stops


async def test_exit_code_200_is_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """The worker is replaced, its calls wait for functionTimeout, and it is no death."""
    clock = MovedClock(monkeypatch)
    async with program_pool(tmp_path, function_timeout=TIMEOUT) as workers:

        def has_restarted(times: int) -> bool:
            return log.text.count("exit code 200") == times

        calls, pids = [], {await workers.pid()}
        for number in range(4):
            calls.append(asyncio.create_task(workers.get("/exit/200")))
            await comes_true(functools.partial(has_restarted, number + 1))
            pids.add(await workers.pid())
        await settled()
        assert not any(call.done() for call in calls)
        clock.move(TIMEOUT + 1)
        assert {(await call).status for call in calls} == {500}
    assert len(pids) == 5
    assert not workers.stops


async def test_at_most_one_restart_in_ten_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """The first successor comes at once, the second ten seconds after that."""
    clock = MovedClock(monkeypatch)
    async with program_pool(tmp_path, rules=HostRules()) as workers:
        await ended(workers)
        await workers.pid()
        await ended(workers)
        call = asyncio.create_task(workers.get("/pid"))
        with clock.stopped():
            clock.move(9)
            for _ in range(3):  # in the time of three starts there is none of this pool's
                async with program_pool(tmp_path) as others:
                    await others.pid()
            assert not call.done()
            assert log.text.count("Worker 1 started") == 2 + 3
        clock.move(10)
        assert (await call).status == 200
    assert log.text.count("Worker 1 started") == 3 + 3


@pytest.mark.parametrize("size", [1, 2])
async def test_three_deaths_a_worker_end_the_host(
    tmp_path: Path, log: pytest.LogCaptureFixture, size: int
) -> None:
    """After the third, no worker is started any more; the host ends once none is left."""
    async with program_pool(tmp_path, size) as workers:
        for _ in range(3 * size - 1):
            await ended(workers)
            await workers.pid()
        await ended(workers)
        if size == 2:
            await comes_true(lambda: log.text.count("ended (") == 6)
            await comes_true(lambda: log.text.count("started") == 2 + 5)
            assert not workers.stops
            await ended(workers)
        await comes_true(lambda: bool(workers.stops))
    assert log.text.count(EXHAUSTED) == len(workers.stops) == 1


async def test_deaths_that_lie_far_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A death more than half an hour after the one before is the first again."""
    clock = MovedClock(monkeypatch)
    async with program_pool(tmp_path) as workers:
        for _ in range(2):
            await ended(workers)
            await workers.pid()
        clock.move(30 * 60 + 1)
        for _ in range(2):
            await ended(workers)
            await workers.pid()
        assert not workers.stops
        await ended(workers)
        await comes_true(lambda: bool(workers.stops))


async def test_worker_that_ends_before_it_is_ready(
    tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    """That is a death, too."""
    async with program_pool(tmp_path) as workers:
        (tmp_path / "broken").touch()
        await ended(workers)
        await comes_true(lambda: bool(workers.stops))
    assert log.text.count("Worker 1 ended while it started (exit code 3)") == 2
    assert log.text.count(EXHAUSTED) == 1


async def test_call_that_waits_too_long_for_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """It fails after forty seconds, and the host ends."""
    clock = MovedClock(monkeypatch)
    async with program_pool(tmp_path, rules=HostRules(restart_interval=1000)) as workers:
        await ended(workers)
        await workers.pid()
        await ended(workers)
        call = asyncio.create_task(workers.get("/pid"))
        await settled()
        clock.move(35)
        await settled()
        assert not call.done()
        clock.move(6)
        assert await call == (500, {}, b"")
        assert workers.stops
    assert "Initialization timed out and host is shutting down" in log.text


async def test_function_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """The worker is killed two seconds later; its other calls wait for their own timeout."""
    clock = MovedClock(monkeypatch)
    rules = HostRules(restart_interval=0)
    async with program_pool(tmp_path, function_timeout=TIMEOUT, rules=rules) as workers:
        first = await workers.pid()
        call = asyncio.create_task(workers.get("/until/never"))
        await comes_true(lambda: workers.got("until"))
        clock.move(TIMEOUT / 2)
        other = asyncio.create_task(workers.get("/until/never?"))
        await settled()
        clock.move(TIMEOUT / 2 + 1)
        await comes_true(lambda: "Timeout value of 00:10:00 exceeded by function" in log.text)
        assert is_running(first)
        clock.move(2)
        assert await call == (500, {}, b"")
        assert not is_running(first)
        assert await workers.pid() != first
        assert not other.done()
        clock.move(TIMEOUT / 2)
        await comes_true(lambda: log.text.count("Timeout value of 00:10:00 exceeded by") == 2)
        clock.move(2)
        assert await other == (500, {}, b"")
    assert log.text.count("Restarting worker process") == 1
    assert not workers.stops


async def test_function_that_ends_soon_after_its_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """Its worker stays, but its answer comes too late."""
    clock = MovedClock(monkeypatch)
    rules = HostRules(restart_interval=0)
    async with program_pool(tmp_path, function_timeout=TIMEOUT, rules=rules) as workers:
        first = await workers.pid()
        call = asyncio.create_task(workers.get("/until/soon"))
        await comes_true(lambda: workers.got("until"))
        clock.move(TIMEOUT + 1)
        await comes_true(lambda: "Timeout value of 00:10:00 exceeded by function" in log.text)
        with clock.stopped():
            (tmp_path / "soon").touch()
            assert await call == (500, {}, b"")
        assert await workers.pid() == first


async def test_answer_that_is_not_http(tmp_path: Path) -> None:
    """The call fails at once, and the worker stays."""
    async with program_pool(tmp_path) as workers:
        first = await workers.pid()
        assert await workers.get("/nonsense") == (500, {}, b"")
        assert await workers.pid() == first
