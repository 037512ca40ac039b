"""on_home_loop: calls from other event loops run on the bot's, or not at all."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar, copy_context
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from cloud_adapter import home_loop
from cloud_adapter.errors import CallWithdrawn
from cloud_adapter.home_loop import bind, on_home_loop

VARIABLE: ContextVar[str] = ContextVar("variable", default="")


@pytest.fixture(autouse=True)
async def home() -> AsyncIterator[asyncio.AbstractEventLoop]:
    """The test's event loop is the bot's."""
    loop = asyncio.get_running_loop()
    bind(loop)
    yield loop
    bind(None)


@on_home_loop
async def loop_of_call(*_: object, **__: object) -> asyncio.AbstractEventLoop:
    """The loop that runs it."""
    return asyncio.get_running_loop()


async def elsewhere[Result](call: Coroutine[Any, Any, Result]) -> Result:
    """Await a coroutine on another event loop, while the bot's goes on."""
    return await asyncio.to_thread(asyncio.run, call)


async def test_on_the_bots_loop(home: asyncio.AbstractEventLoop) -> None:
    """A call runs on the bot's loop, wherever its coroutine was made and is awaited."""
    assert await loop_of_call() is home
    assert await elsewhere(loop_of_call()) is home
    assert await asyncio.to_thread(lambda: asyncio.run(loop_of_call())) is home


async def test_without_a_bots_loop(home: asyncio.AbstractEventLoop) -> None:
    """In a process without an app, and after its end, a call runs on its caller's loop."""
    bind(None)
    assert await elsewhere(loop_of_call()) is not home
    ended = asyncio.new_event_loop()
    ended.close()
    bind(ended)
    assert await loop_of_call() is home
    assert await elsewhere(loop_of_call()) not in (home, ended)


async def test_an_error() -> None:
    """The caller gets what the call raises."""

    @on_home_loop
    async def fail() -> NoReturn:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await elsewhere(fail())


async def test_an_exit() -> None:
    """It reaches the caller only: out of a task of the bot's loop, it would end this loop."""

    @on_home_loop
    async def leave() -> None:
        sys.exit(3)

    with pytest.raises(SystemExit):
        await elsewhere(leave())


async def test_a_cancelled_task() -> None:
    """A call that waits for a cancelled task raises CancelledError, as it does on its own loop."""

    @on_home_loop
    async def wait_for_cancelled() -> None:
        task = asyncio.create_task(asyncio.Event().wait())
        task.cancel()
        await task

    async def call() -> bool:
        task = asyncio.create_task(wait_for_cancelled())
        await asyncio.wait({task})
        return task.cancelled()

    assert await elsewhere(call())


def joined(call: Callable[[], Coroutine[Any, Any, object]]) -> BaseException | None:
    """What a call in another thread raises while this one waits for it, and awaits nothing."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(call())
        except BaseException as error:  # noqa: BLE001  # CancelledError, too
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised[0] if raised else None


async def rounds() -> None:
    """Let the loop run what others have handed to it."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def calls() -> list[str]:
    """The calls that were made."""
    return []


@pytest.fixture
def noted(calls: list[str]) -> Callable[[], Coroutine[Any, Any, None]]:
    """A call that notes that it was made."""

    @on_home_loop
    async def note() -> None:
        calls.append("made")

    return note


async def test_a_loop_that_waits_for_the_caller(
    monkeypatch: pytest.MonkeyPatch,
    calls: list[str],
    noted: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """The call fails, the error names cause and cure, and nothing is done later."""
    monkeypatch.setattr(home_loop, "BEGIN_SECONDS", 0.0)
    error = joined(noted)
    assert isinstance(error, CallWithdrawn)
    assert "`thread.join()`" in str(error)
    assert "`await asyncio.to_thread(...)`" in str(error)
    await rounds()
    assert calls == []


async def test_a_caller_that_gives_up_first(
    calls: list[str], noted: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Its own time limit withdraws the call as well."""

    async def limited() -> None:
        async with asyncio.timeout(0):
            await noted()

    assert isinstance(joined(limited), TimeoutError)
    await rounds()
    assert calls == []


async def test_a_caller_that_is_cancelled() -> None:
    """A call that has begun is cancelled together with its caller."""
    begun, cancelled = threading.Event(), asyncio.Event()

    @on_home_loop
    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def call() -> None:
        task = asyncio.create_task(hang())
        await asyncio.to_thread(begun.wait)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    await elsewhere(call())
    await cancelled.wait()


async def test_a_slow_call(
    home: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its beginning is limited."""
    begun, released = threading.Event(), asyncio.Event()
    wait, waits = asyncio.wait, 0

    async def moved_wait(futures: Any, **options: Any) -> Any:
        nonlocal waits
        waits += 1
        if waits == 1:  # its time has passed
            await asyncio.to_thread(begun.wait)
            return set(), set(futures)
        home.call_soon_threadsafe(released.set)
        return await wait(futures, **options)

    @on_home_loop
    async def work() -> str:
        begun.set()
        await released.wait()
        return "done"

    monkeypatch.setattr(asyncio, "wait", moved_wait)
    assert await elsewhere(work()) == "done"
    assert waits == 2


async def test_a_task_that_never_ran(home: asyncio.AbstractEventLoop) -> None:
    """A loop that ends cancels its tasks, also one before its first step: its caller learns it."""
    handed = threading.Event()

    def cancel_others() -> None:
        for task in asyncio.all_tasks(home) - before:
            task.cancel()

    async def call() -> bool:
        task = asyncio.create_task(loop_of_call())
        await asyncio.sleep(0)  # now the bot's loop has the call
        home.call_soon_threadsafe(cancel_others)
        handed.set()
        await asyncio.wait({task})
        return task.cancelled()

    calling = asyncio.create_task(elsewhere(call()))
    await asyncio.sleep(0)
    before = asyncio.all_tasks()
    handed.wait()  # it blocks the loop until both are there
    assert await calling


async def test_a_loop_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller does not wait for a loop that runs no more."""
    monkeypatch.setattr(home_loop, "BEGIN_SECONDS", 0.01)
    ending = asyncio.new_event_loop()
    bind(ending)

    @on_home_loop
    async def stop() -> None:
        ending.stop()
        await asyncio.Event().wait()

    running = threading.Event()
    ending.call_soon(running.set)
    async with asyncio.TaskGroup() as both:
        both.create_task(asyncio.to_thread(ending.run_forever))
        await asyncio.to_thread(running.wait)
        with pytest.raises(RuntimeError, match="closed"):
            await elsewhere(stop())
    [task] = asyncio.all_tasks(ending)
    task.cancel()
    await asyncio.to_thread(ending.run_until_complete, task)
    ending.close()


@on_home_loop
async def replaced(value: str, *_: object, **__: object) -> str:
    """Set the variable, and return what it was."""
    was = VARIABLE.get()
    VARIABLE.set(value)
    return was


async def test_variables_of_a_turn() -> None:
    """A call with a turn's context reads and writes the turn's own, which a thread lacks."""
    task = asyncio.current_task()
    assert task is not None
    turn = SimpleNamespace(task_context=task.get_context())
    VARIABLE.set("of the turn")
    loop = asyncio.get_running_loop()
    as_argument = await loop.run_in_executor(None, lambda: asyncio.run(replaced("new", turn)))
    assert (as_argument, VARIABLE.get()) == ("of the turn", "new")
    by_name = await loop.run_in_executor(None, lambda: asyncio.run(replaced("last", turn=turn)))
    assert (by_name, VARIABLE.get()) == ("new", "last")


async def test_variables_of_calls_at_the_same_time() -> None:
    """What a call sets and resets, as spans do, is neither another call's nor the turn's."""
    task = asyncio.current_task()
    assert task is not None
    turn = SimpleNamespace(task_context=task.get_context())
    first, second = asyncio.Event(), asyncio.Event()

    @on_home_loop
    async def outer(_: object) -> str:
        token = VARIABLE.set("of the outer")
        first.set()
        await second.wait()
        VARIABLE.reset(token)
        return VARIABLE.get()

    @on_home_loop
    async def inner(_: object, ended: "asyncio.Task[str]") -> str:
        await first.wait()
        was, token = VARIABLE.get(), VARIABLE.set("of the inner")
        second.set()
        await asyncio.wait({ended})
        VARIABLE.reset(token)
        return was

    VARIABLE.set("of the turn")
    ended = asyncio.create_task(elsewhere(outer(turn)))
    assert await elsewhere(inner(turn, ended)) == "of the turn"
    assert (await ended, VARIABLE.get()) == ("of the turn", "of the turn")


async def test_variables_of_other_calls() -> None:
    """Any other call reads its caller's, and changes nothing there."""
    context = copy_context()
    context.run(VARIABLE.set, "of the caller")

    def run() -> tuple[str, str]:
        return asyncio.run(replaced("new")), VARIABLE.get()

    assert await asyncio.to_thread(context.run, run) == ("of the caller", "of the caller")
    assert VARIABLE.get() == ""
