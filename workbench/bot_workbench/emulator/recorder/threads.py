"""Threads: what a turn starts in other threads belongs to it, too.

`asyncio.to_thread` passes the context on; an executor's `submit`, on which `run_in_executor`
relies, and `Thread.start` do not. Only the turn is passed on, no other context.
"""

from concurrent.futures import thread as pools
from typing import Any

from bot_workbench.emulator.recorder.interception import Arguments, Observer
from bot_workbench.emulator.recorder.recording import Recording
from bot_workbench.emulator.recorder.turn import current_turn, within

_POOL = getattr(pools, "_worker", None)
"""What the threads of executors run."""


def submission(_: Recording, call: Arguments) -> Observer:
    """A function that an executor will run."""
    call["fn"] = _InTurn(call["fn"])
    yield


def start(_: Recording, call: Arguments) -> Observer:
    """A thread; those of executors are shared by all turns, and belong to none."""
    thread = call["self"]
    if current_turn() is not None and getattr(thread, "_target", None) is not _POOL:
        thread.run = _InTurn(thread.run)
    yield


class _InTurn:
    """A function that runs in the turn in which this object was made, or in none."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self._turn = current_turn()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # whatever the function takes
        with within(self._turn):
            return self._function(*args, **kwargs)
