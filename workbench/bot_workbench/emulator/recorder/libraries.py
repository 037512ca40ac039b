"""Libraries: functions of other libraries that become moments.

It is the only place that replaces functions. None of these has a hook for all calls of a process:
those of the HTTP clients are given to each session or client, by the bot's own code, and Python
passes no context on to the threads of an executor. The app's own decorator makes them moments.

Only the turn is passed on to threads, no other context; `asyncio.to_thread` does it by itself.
"""

import functools
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import thread as pools
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, NamedTuple

from bot_workbench.emulator.recorder.recording import (
    Facts,
    Recording,
    Watching,
    current_turn,
    within,
)

Wrap = Callable[[Any], Any]

AIOHTTP, REQUESTS, HTTPX = "aiohttp.request", "requests.request", "httpx.request"
THREAD = "thread.start"

_POOL = getattr(pools, "_worker", None)
"""The function that the threads of executors run."""


class LibraryFunction(NamedTuple):
    """A method of a class.

    Attributes:
        module: the module that has the class; it is not imported for it.
        moment: its name as a moment; empty: it submits a function, and becomes `_submitting_turn`.
    """

    module: str
    owner: str
    name: str
    moment: str


FUNCTIONS = (
    LibraryFunction("aiohttp.client", "ClientSession", "_request", AIOHTTP),
    LibraryFunction("requests.sessions", "Session", "send", REQUESTS),
    LibraryFunction("httpx", "Client", "send", HTTPX),
    LibraryFunction("httpx", "AsyncClient", "send", HTTPX),
    LibraryFunction("httpx2", "Client", "send", HTTPX),
    LibraryFunction("httpx2", "AsyncClient", "send", HTTPX),
    LibraryFunction("threading", "Thread", "start", THREAD),
    LibraryFunction("concurrent.futures.thread", "ThreadPoolExecutor", "submit", ""),
)


class Libraries(MetaPathFinder):
    """Makes them moments, those of modules that are imported later, too."""

    def __init__(self) -> None:
        self._moment: Callable[[str], Wrap] | None = None
        self._replaced: dict[LibraryFunction, tuple[Any, Any, Any]] = {}
        self._changing = threading.Lock()

    def install(self, moment: Callable[[str], Wrap]) -> None:
        """Replace the functions; `moment` is the decorator of the app's hook."""
        self._moment = moment
        sys.meta_path.insert(0, self)
        self.replace()

    def remove(self) -> None:
        """Put the functions back, but for one that somebody else has replaced since."""
        with self._changing:
            self._moment = None
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            for function, (owner, original, wrapped) in self._replaced.items():
                if vars(owner)[function.name] is wrapped:
                    setattr(owner, function.name, original)
            self._replaced.clear()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module in the table, whose functions are replaced once its code has run."""
        if name not in {each.module for each in FUNCTIONS}:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                self.replace()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def replace(self) -> None:
        """Replace those that are there by now: another thread may have been importing a module."""
        with self._changing:
            for function in FUNCTIONS:
                owner = getattr(sys.modules.get(function.module), function.owner, None)
                original = vars(owner).get(function.name) if owner is not None else None
                if self._moment is None or original is None or function in self._replaced:
                    continue
                wrap = self._moment(function.moment) if function.moment else _submitting_turn
                wrapped = wrap(original)
                self._replaced[function] = owner, original, wrapped
                setattr(owner, function.name, wrapped)


def thread_start(_: Recording, call: Facts) -> Watching:
    """A thread; those of executors are shared by all turns, and belong to none."""
    thread = call["self"]
    if current_turn() is not None and getattr(thread, "_target", None) is not _POOL:
        thread.run = _InTurn(thread.run)
    yield


def _submitting_turn(submit: Any) -> Any:
    @functools.wraps(submit)
    def submit_in_turn(executor: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return submit(executor, _InTurn(function), *args, **kwargs)

    return submit_in_turn


class _InTurn:
    """A function that runs in the turn in which this object was made, or in none."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self._turn = current_turn()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # whatever the function takes
        with within(self._turn):
            return self._function(*args, **kwargs)
