"""LoopClock: an event loop's clock that a test moves forward, instead of waiting."""

import asyncio
import contextvars
import sys
from asyncio import futures
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

import pytest

_WAKE_UP: Any = futures._set_result_unless_cancelled  # type: ignore[attr-defined]  # asyncio.sleep's
_TIME_OUT: Any = asyncio.Timeout._on_timeout  # type: ignore[attr-defined]  # asyncio.timeout's

_SETTING = {asyncio.sleep.__code__, asyncio.Timeout.__aenter__.__code__}

RESOLUTION_SECONDS = 0.001
"""uvloop's."""


class MovedTimer:
    """A timer that can be armed again. uvloop's own timers follow the machine's clock once armed.

    Args:
        when: when it fires, in seconds of the moved clock.
        call: the function to call then.
        arm: sets a timer of the loop's own for the time `when`.
        is_early: whether the clock has stopped before a time, so that a timer waits for it.

    Attributes:
        sleeper: the task that sleeps until then, if it is a timer of `asyncio.sleep`.
        module: the name of the module that calls `asyncio.sleep` or `asyncio.timeout`.
        hurried: the task with this deadline, if it is a timer of `asyncio.timeout`.
    """

    _source_traceback = None  # asyncio's call_later reads it

    def __init__(
        self,
        when: float,
        call: Callable[[], object],
        arm: Callable[[float, Callable[[], None]], asyncio.Handle],
        is_early: Callable[[float], bool],
        sleeper: "asyncio.Task[Any] | None",
        hurried: "asyncio.Task[Any] | None",
        module: str,
    ) -> None:
        self.sleeper = sleeper
        self.module = module
        self.hurried = hurried
        self._when = when
        self._call = call
        self._arm = arm
        self._is_early = is_early
        self._done = False
        self._cancelled = False
        self._handle = arm(when, self._fire)

    def __lt__(self, other: "MovedTimer") -> bool:
        return self._when < other._when

    def _fire(self) -> None:
        if self._is_early(self._when):
            self.arm()
            return
        self._done = True
        self._call()

    @property
    def is_pending(self) -> bool:
        """Whether it is neither cancelled nor fired."""
        return not self._done

    def arm(self) -> None:
        """Arm it again, by the clock's current time."""
        if not self._done:
            self._handle.cancel()
            self._handle = self._arm(self._when, self._fire)

    def when(self) -> float:
        """As in asyncio.TimerHandle."""
        return self._when

    def cancelled(self) -> bool:
        """As in asyncio.Handle."""
        return self._cancelled

    def cancel(self) -> None:
        """As in asyncio.Handle."""
        self._done = self._cancelled = True
        self._handle.cancel()


class LoopClock:
    """The running event loop's clock: `asyncio.sleep`, `asyncio.timeout` and all timers follow it.

    Timers that were set before it was created are not moved.

    Args:
        monkeypatch: restores the loop's own clock.

    Attributes:
        fired: how many timers have fired so far.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fired = 0
        loop = asyncio.get_running_loop()
        self._own_time = loop.time
        self._moved = 0.0
        self._stopped_at: float | None = None
        self._timers: list[MovedTimer] = []
        self._arm = arm = _armed_by(loop)

        def call_at(
            when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
        ) -> MovedTimer:
            own = contextvars.copy_context() if context is None else context

            def fire() -> None:
                self.fired += 1
                callback(*args)

            is_timeout = getattr(callback, "__func__", None) is _TIME_OUT
            is_sleep = callback is _WAKE_UP
            timer = MovedTimer(
                when,
                fire,
                lambda at, call: arm(at, call, own),
                self._is_early,
                asyncio.current_task() if is_sleep else None,
                asyncio.current_task() if is_timeout else None,
                _caller() if is_sleep or is_timeout else "",
            )
            self._timers.append(timer)
            return timer

        def call_later(
            delay: float,
            callback: Callable[..., object],
            *args: Any,
            context: Context | None = None,
        ) -> MovedTimer:
            return call_at(self.time() + delay, callback, *args, context=context)

        monkeypatch.setattr(loop, "time", self.time)
        monkeypatch.setattr(loop, "call_at", call_at)
        monkeypatch.setattr(loop, "call_later", call_later)

    def time(self) -> float:
        """The loop's time, in seconds."""
        own = self._own_time() if self._stopped_at is None else self._stopped_at
        return own + self._moved

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let no time pass but by `move`, and no timer fire: the machine may be slow meanwhile."""
        self._stopped_at = self._own_time()
        try:
            yield
        finally:
            self._moved -= self._own_time() - self._stopped_at
            self._stopped_at = None
            self.move(0.0)

    def _is_early(self, when: float) -> bool:
        return self._stopped_at is not None and when > self.time() + RESOLUTION_SECONDS

    def move(self, seconds: float) -> None:
        """Move the time forward. Timers that are due fire in the loop's next iterations."""
        self._moved += seconds
        self._timers = sorted(self._pending())
        for timer in self._timers:
            timer.arm()

    def until_next_timer(self) -> float | None:
        """The seconds until the next timer fires; None if there is none."""
        return max(0.0, min(self._pending()).when() - self.time()) if self._pending() else None

    def pause(self, seconds: float) -> "asyncio.Future[None]":
        """A future that is done after some real seconds: no timer that a test moves."""
        done = asyncio.get_running_loop().create_future()
        self._arm(self.time() + seconds, lambda: _WAKE_UP(done, None), contextvars.copy_context())
        return done

    def sleeping(self, modules: Container[str] | None = None) -> set["asyncio.Task[Any]"]:
        """The tasks that are in `asyncio.sleep`.

        Args:
            modules: only sleeps that these modules call; None: all.
        """
        return {
            timer.sleeper
            for timer in self._pending()
            if timer.sleeper is not None and (modules is None or timer.module in modules)
        }

    def resting(self, modules: Container[str] | None = None) -> set["asyncio.Task[Any]"]:
        """The tasks that `sleeping` returns, and those that await one of them."""
        tasks = self.sleeping(modules)
        everyone = asyncio.all_tasks() if tasks else ()
        return tasks | {each for each in everyone if not tasks.isdisjoint(_awaited(each))}

    def hurried(self, modules: Container[str] | None = None) -> set["asyncio.Task[Any]"]:
        """The tasks in `asyncio.timeout` that are not in `asyncio.sleep`: they wait for others.

        Args:
            modules: only time limits that these modules set; None: all.
        """
        tasks = {
            timer.hurried
            for timer in self._pending()
            if timer.hurried is not None and (modules is None or timer.module in modules)
        }
        return tasks - self.sleeping()

    def _pending(self) -> list[MovedTimer]:
        self._timers = [timer for timer in self._timers if timer.is_pending]
        return self._timers


def _caller() -> str:
    """The name of the module whose `asyncio.sleep` or `asyncio.timeout` is setting a timer."""
    frame = sys._getframe()
    while frame.f_code not in _SETTING and frame.f_back is not None:
        frame = frame.f_back
    return str(frame.f_back.f_globals["__name__"]) if frame.f_back is not None else ""


def _awaited(task: "asyncio.Task[Any]") -> Iterator["asyncio.Task[Any]"]:
    """The task that a task awaits, the one that this one awaits, and so on."""
    awaited: object = task
    while isinstance(awaited := getattr(awaited, "_fut_waiter", None), asyncio.Task):
        yield awaited


def _armed_by(
    loop: asyncio.AbstractEventLoop,
) -> Callable[[float, Callable[[], None], Context], asyncio.Handle]:
    """A function that sets a timer of the loop's own."""
    own_call_at, own_call_later = loop.call_at, loop.call_later
    if isinstance(loop, asyncio.BaseEventLoop):
        # It compares with `loop.time()`, which is moved.
        return lambda when, fire, context: own_call_at(when, fire, context=context)
    return lambda when, fire, context: own_call_later(
        max(0.0, when - loop.time()), fire, context=context
    )
