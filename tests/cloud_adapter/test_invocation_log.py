"""InvocationLog: no line is lost between invocations, and none is logged twice."""

import asyncio
import gc
import logging
import re
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from types import SimpleNamespace

import pytest
from azure_functions_runtime.utils.executor import run_sync_func

from bot_workbench.emulator.functions.workers.invocation_task import (
    in_running_invocation,
    mark_tasks,
    running,
)
from cloud_adapter.invocation_log import MAX_HELD_RECORDS, InvocationLog

log = logging.getLogger("a_package.a_module")
span: ContextVar[str] = ContextVar("span", default="none")


class HostLog(logging.Handler):
    """Collects the lines that Azure's host would log, and those that it would drop."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.lost: list[str] = []
        self.spans: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Log or drop a record as the host does, and note what is current."""
        self.spans.append(span.get())
        (self.lines if in_running_invocation() else self.lost).append(self.format(record))


@pytest.fixture
def host_log() -> Iterator[HostLog]:
    """A handler of the root logger; the test fails if a line is lost."""
    handler, root = HostLog(), logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    assert handler.lost == []


@pytest.fixture
async def invocation_log(host_log: HostLog) -> AsyncIterator[InvocationLog]:  # noqa: ARG001  # it checks last
    """An InvocationLog for `a_package`; tasks have an invocation id."""
    package = logging.getLogger("a_package")
    package.setLevel(logging.INFO)
    invocation_log = InvocationLog()
    invocation_log.attach(["a_package"])
    mark_tasks(asyncio.get_running_loop())
    yield invocation_log
    logging.getLogger().removeFilter(invocation_log.passes)
    package.removeHandler(invocation_log)
    package.propagate = True


async def invoke(invocation_log: InvocationLog, *lines: str, name: str = "1") -> None:
    """Run an invocation that logs these lines, in its own task."""

    async def function() -> None:
        with running(name), invocation_log.invocation():
            for line in lines:
                log.info(line)

    await asyncio.create_task(function())


def untimed(lines: list[str]) -> list[str]:
    """The lines, with `(held)` in place of the time at which a held line was logged."""
    return [re.sub(r" \(logged at [\d-]+T[\d:]+Z\)", " (held)", line) for line in lines]


async def test_a_running_invocation_logs_at_once(
    invocation_log: InvocationLog, host_log: HostLog
) -> None:
    """Its own lines and those of the tasks that it creates."""

    async def function() -> None:
        with running("1"), invocation_log.invocation():
            log.info("its own")
            assert host_log.lines == ["its own"]
            await asyncio.create_task(coroutine())
            assert host_log.lines == ["its own", "a task's"]

    async def coroutine() -> None:
        log.info("a task's")

    await asyncio.create_task(function())
    assert host_log.lines == ["its own", "a task's"]


async def test_the_next_invocation_logs_held_lines(
    invocation_log: InvocationLog, host_log: HostLog
) -> None:
    """They come before its own lines, with their times, once."""
    log.info("before, with an %s", "argument")
    assert host_log.lines == []
    await invoke(invocation_log, "the first")
    await invoke(invocation_log, "the second", name="2")
    assert untimed(host_log.lines) == ["before, with an argument (held)", "the first", "the second"]


async def test_a_held_line_keeps_its_context(
    invocation_log: InvocationLog, host_log: HostLog
) -> None:
    """So an exporter adds it to the trace in which it was logged, and not to the next one."""

    async def coroutine() -> None:
        span.set("a background task's")
        log.info("before")

    async def function() -> None:
        span.set("the next turn's")
        await invoke(invocation_log, "its own")

    await asyncio.create_task(coroutine())
    await asyncio.create_task(function())
    assert untimed(host_log.lines) == ["before (held)", "its own"]
    assert host_log.spans == ["a background task's", "the next turn's"]


async def test_a_function_that_is_no_coroutine(
    invocation_log: InvocationLog,  # noqa: ARG001  # it holds the line
    host_log: HostLog,
) -> None:
    """Its thread logs held lines: the worker adds them to its invocation, whose id only it has."""

    async def ended() -> None:
        with running("0"):
            await asyncio.to_thread(log.info, "before")

    await asyncio.create_task(ended())
    context = SimpleNamespace(thread_local_storage=threading.local())
    with running("1"):
        run = asyncio.get_running_loop().run_in_executor
        await run(None, run_sync_func, "1", context, log.info, {"msg": "its own"})
    assert untimed(host_log.lines) == ["before (held)", "its own"]


async def test_the_root_logger_s_own_lines(
    invocation_log: InvocationLog, host_log: HostLog
) -> None:
    """`logging.warning(...)` is held as well, once."""
    logging.warning("before")  # noqa: LOG015  # as a bot may do
    assert host_log.lines == []
    await invoke(invocation_log, "a line")
    assert untimed(host_log.lines) == ["before (held)", "a line"]


async def test_the_start_of_an_invocation_logs_held_lines(
    invocation_log: InvocationLog, host_log: HostLog
) -> None:
    """A function may run for minutes before it logs a line, or be killed before."""
    log.info("before")

    async def function() -> None:
        with running("1"), invocation_log.invocation():
            assert untimed(host_log.lines) == ["before (held)"]

    await asyncio.create_task(function())


async def test_lines_that_the_host_would_drop(
    invocation_log: InvocationLog, host_log: HostLog
) -> None:
    """Lines of threads, callbacks and their tasks wait for the function's next line, or its end."""
    loop = asyncio.get_running_loop()

    async def coroutine() -> None:
        log.info("a callback's task")

    async def function() -> None:
        with running("1"), invocation_log.invocation():
            await asyncio.to_thread(log.info, "a thread")
            assert host_log.lines == []
            log.info("the function")
            loop.call_soon(log.info, "a callback")
            made: asyncio.Future[asyncio.Task[None]] = loop.create_future()
            loop.call_soon(lambda: made.set_result(loop.create_task(coroutine())))
            await (await made)
            assert untimed(host_log.lines) == ["a thread (held)", "the function"]

    await asyncio.create_task(function())
    later = ["a callback (held)", "a callback's task (held)"]
    assert untimed(host_log.lines) == ["a thread (held)", "the function", *later]


async def test_a_task_that_outlives_its_invocation(
    invocation_log: InvocationLog, host_log: HostLog
) -> None:
    """The next invocation logs its lines."""
    ended = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def coroutine() -> None:
        await ended.wait()
        log.info("late")

    async def function() -> None:
        with running("1"), invocation_log.invocation():
            tasks.append(asyncio.create_task(coroutine()))

    await asyncio.create_task(function())
    ended.set()
    await tasks[0]
    assert host_log.lines == []
    await invoke(invocation_log, name="2")
    assert untimed(host_log.lines) == ["late (held)"]


async def test_the_oldest_lines_are_dropped(
    invocation_log: InvocationLog, host_log: HostLog
) -> None:
    """MAX_HELD_RECORDS lines are held, and one more line says how many were dropped."""
    for number in range(MAX_HELD_RECORDS + 3):
        log.info("line %d", number)
    await invoke(invocation_log)
    await invoke(invocation_log, name="2")
    notice, first, *_, last = untimed(host_log.lines)
    assert notice == "3 older log lines were dropped: too many came between two invocations"
    assert (first, last) == ("line 3 (held)", f"line {MAX_HELD_RECORDS + 2} (held)")
    assert len(host_log.lines) == MAX_HELD_RECORDS + 1


async def test_a_held_traceback(invocation_log: InvocationLog, host_log: HostLog) -> None:
    """It is logged with its line, even if the message is an exception."""
    error = LookupError("100 %")
    try:
        raise error
    except LookupError:
        log.exception(error)
    await invoke(invocation_log)
    [line] = untimed(host_log.lines)
    assert line.startswith("100 % (held)\nTraceback")
    assert line.endswith("LookupError: 100 %")


async def test_levels(invocation_log: InvocationLog, host_log: HostLog) -> None:
    """A line below a logger's level is neither logged nor held."""
    log.debug("too small")
    await invoke(invocation_log)
    assert host_log.lines == []


async def test_an_ended_invocation_leaves_no_reference_cycle(invocation_log: InvocationLog) -> None:
    """Its task is freed without garbage collection."""
    gc.disable()
    try:
        task = asyncio.create_task(invoke(invocation_log, "a line"))
        await task
        gone = weakref.ref(task)
        del task
        await asyncio.sleep(0)  # the event loop refers to it until this step ends
        assert gone() is None
    finally:
        gc.enable()


class CustomerLogFilter(logging.Filter):
    """Bears the name of the filter of Azure's worker."""


async def test_the_workers_console() -> None:
    """Of the root logger's handlers only the worker's own goes, which prints each line again."""
    root = logging.getLogger()
    console, to_stdout, to_stderr = (
        logging.StreamHandler(stream) for stream in (sys.stdout, sys.stdout, sys.stderr)
    )
    console.addFilter(CustomerLogFilter())
    to_stderr.addFilter(CustomerLogFilter())
    to_stdout.addFilter(logging.Filter())
    for handler in (console, to_stdout, to_stderr):
        root.addHandler(handler)
    invocation_log = InvocationLog()
    try:
        invocation_log.attach([])
        assert console not in root.handlers
        assert {to_stdout, to_stderr} <= {*root.handlers}
    finally:
        root.removeFilter(invocation_log.passes)
        for handler in (console, to_stdout, to_stderr):
            root.removeHandler(handler)
