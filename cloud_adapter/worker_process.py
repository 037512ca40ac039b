"""A Functions host's worker process, which does not stay when it can do nothing more.

The host replaces a worker that ends, unless its exit code is 0 or 200, and one that only does not
answer it keeps until a function has taken functionTimeout. Hence two guards of the event loop:

- Something has ended it: a SystemExit that left a task. The process ends, and not with code 0.
- Something blocks it. The log names the bot's line, and later the process ends.

Neither can help if the bot's code calls `os._exit(0)`, or if it keeps Python's lock, as a regular
expression may that takes for ever: then functionTimeout ends the process.
"""

import asyncio
import contextlib
import contextvars
import linecache
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from cloud_adapter.errors import BotExited
from cloud_adapter.invocation_log import join_invocation, running_invocation
from http_client.observer import moment

EXIT_CODE = 70
"""EX_SOFTWARE in sysexits.h of BSD: an error of the software."""

LAST_SECONDS = 1.0
"""Between the last line and the end of the process: the host reads the line."""

TICK_SECONDS = 1.0

NAMED_TICKS, ENDED_TICKS = 10, 120
"""After how many ticks a blocked loop is named in the log, and ended."""

CURE = (
    "Await what takes long, or run it in a thread: await asyncio.to_thread(...). While it is"
    " blocked, nothing else runs in this process. After 20 s, another instance may begin the same"
    " queued turn a second time."
)

log = logging.getLogger(__name__)

_ends: set["asyncio.Task[None]"] = set()  # the event loop refers to its tasks only weakly


@dataclass(frozen=True)
class Watch:
    """When a blocked event loop is named and ended.

    Ticks are counted and not the time, because a machine or a process that pauses blocks nothing.

    Attributes:
        tick_seconds: the period of the watching thread.
        named_ticks: after so many without an answer of the event loop, the log says why.
        ended_ticks: after so many, the process ends.
    """

    tick_seconds: float = TICK_SECONDS
    named_ticks: int = NAMED_TICKS
    ended_ticks: int = ENDED_TICKS


WATCH = Watch()
LOCAL_WATCH = Watch(named_ticks=2)
"""On a developer's machine, where nobody waits ten seconds for an answer."""


def guard_worker(bot_folder: Path, watch: Watch = WATCH) -> None:
    """Start both guards of the running event loop.

    Args:
        bot_folder: the folder of the bot's code.
        watch: when a block is named and ended.

    Raises:
        RuntimeError: no event loop runs: this is no worker process.
    """
    _ends.add(asyncio.get_running_loop().create_task(_end_after_the_loop()))
    watching = _LoopWatch(bot_folder, watch)
    threading.Thread(target=watching.run, name="event loop watch", daemon=True).start()


async def _end_after_the_loop() -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.get_running_loop().create_future()
    # Only the end of `asyncio.run` cancels this task. It is handling the error, if there is one;
    # without one the worker has ended its work by itself. The exit cannot be left to `atexit`: a
    # task that ignores its cancellation, or a thread, would delay it for ever.
    error = sys.exception()
    if error is None or isinstance(error, KeyboardInterrupt):
        return
    try:
        _write(_why_ended(error))  # the worker's log is closed
        await asyncio.sleep(LAST_SECONDS)
    finally:
        os._exit(EXIT_CODE)


def _why_ended(error: BaseException) -> str:
    cause = f"there was an error, {type(error).__name__}"
    if isinstance(error, SystemExit):
        where = "in a task that it created, or in a function of its routes.py"
        cause = f"{BotExited(error.code)} {where}; raise an error instead"
    # Without the error's text, which may quote a user.
    trace = "".join(traceback.format_tb(error.__traceback__))
    return f"The process ends, because its event loop has ended: {cause}\n{trace}"


class _LoopWatch:
    """Watches the event loop of the thread that creates it, from another thread.

    Args:
        bot_folder: the folder of the bot's code.
        watch: see there.
    """

    def __init__(self, bot_folder: Path, watch: Watch) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._bot_folder = bot_folder
        self._watch = watch
        self._answered = threading.Event()

    def run(self) -> None:
        """Watch until the event loop is closed."""
        while True:
            self._answered.clear()
            try:
                self._loop.call_soon_threadsafe(self._answered.set)
            except RuntimeError:
                return
            time.sleep(self._watch.tick_seconds)
            if place := self._blocked_after(self._watch.named_ticks - 1):
                self._block(place, asyncio.current_task(self._loop))

    def _blocked_after(self, ticks: int) -> str:
        """The place that blocks the loop once `ticks` more pass; empty: it answers before."""
        counted = 0
        while not self._answered.is_set():
            if (stack := self._stack()) and not _is_debugged(stack):
                if counted == ticks:
                    return self._place(stack)
                counted += 1
            self._answered.wait(self._watch.tick_seconds)
        return ""

    @moment("worker.blocked")
    def _block(self, place: str, task: "asyncio.Task[Any] | None") -> None:
        """Name what blocks the event loop, and wait until it answers; end the process otherwise."""
        named, ended = self._watch.named_ticks, self._watch.ended_ticks
        self._say(named, f"{place}. {CURE}", task)
        if place := self._blocked_after(ended - named):
            self._say(ended, f"{place}. The process ends now.", task)
            time.sleep(LAST_SECONDS)
            os._exit(EXIT_CODE)

    def _stack(self) -> list[FrameType]:
        """The frames of the event loop's thread, the innermost first."""
        frame, stack = sys._current_frames().get(self._thread), []
        while frame is not None:
            stack.append(frame)
            frame = frame.f_back
        return stack

    def _place(self, stack: Sequence[FrameType]) -> str:
        """The bot's innermost frame with its source, and what it has called."""
        bots = (each for each in stack if self._bot_folder in Path(_file(each)).parents)
        frame = next(bots, stack[0])
        source = linecache.getline(_file(frame), frame.f_lineno).strip()
        inner = "" if frame is stack[0] else f", which has called {self._name(stack[0])}"
        return f"{self._name(frame)}: {source}{inner}"

    def _name(self, frame: FrameType) -> str:
        file = Path(_file(frame))
        if self._bot_folder in file.parents:
            file = file.relative_to(self._bot_folder.parent)
        return f"{file.as_posix()}:{frame.f_lineno} in {frame.f_code.co_name}"

    def _say(self, ticks: int, what: str, task: "asyncio.Task[Any] | None") -> None:
        """Log a line in the blocked task's context, as its invocation's: the host drops all others.

        In a thread of its own: what blocks may be a handler of the log, which holds its lock.
        """
        text = (
            f"The event loop has been blocked for {ticks * self._watch.tick_seconds:g} s by {what}"
        )
        context = task.get_context().copy() if task else contextvars.Context()
        arguments = (_log, text, task and running_invocation(task))
        with contextlib.suppress(RuntimeError):  # no thread can be started: the process still ends
            threading.Thread(target=context.run, args=arguments, daemon=True).start()


def _log(text: str, invocation_id: str | None) -> None:
    if invocation_id is None:
        _write(text)
    else:
        join_invocation(invocation_id)
        log.error("%s", text)


def _write(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _is_debugged(stack: Iterable[FrameType]) -> bool:
    """Whether a debugger is attached, which may hold the event loop for as long as it likes."""
    if (pydevd := sys.modules.get("pydevd")) is not None:  # the editors' debugger
        return bool(getattr(pydevd, "_is_attached", lambda: True)())
    return any(each.f_globals.get("__name__") == "bdb" for each in stack)  # pdb's


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename
