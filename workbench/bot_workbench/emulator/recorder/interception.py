"""Interception: a function of the bot's process that is replaced while turns are recorded."""

import contextlib
import functools
import inspect
import sys
import threading
from collections.abc import Callable, Generator, MutableMapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Any, NamedTuple, Self

from bot_workbench.emulator.recorder.import_watch import import_watch
from bot_workbench.emulator.recorder.recording import Recording


class Outcome(NamedTuple):
    """How a call ended."""

    result: Any = None
    error: BaseException | None = None


Arguments = MutableMapping[str, Any]
"""A call's arguments by parameter name; what is changed in them is what the function gets."""

Observer = Generator[None, Outcome]
"""Sees the arguments first; then yields once, and gets the outcome."""

Observe = Callable[[Recording, Arguments], Observer]


@dataclass(frozen=True)
class Interception:
    """Where to observe what. The function is found by its name, and nothing is imported for it.

    A module that does not have it stays as it is.

    Attributes:
        module: the module's name.
        path: the function's name in it, or a class and its method: `CloudAdapter.run`.
        observe: watches each call.
        on_entry: the function returns an asynchronous context manager; its entry is observed.
    """

    module: str
    path: str
    observe: Observe
    on_entry: bool = False


class Interceptions:
    """Puts observed functions in the place of others, and puts these back.

    Args:
        rows: what is replaced.
        recording: what observers report to.
    """

    def __init__(self, rows: tuple[Interception, ...], recording: Recording) -> None:
        self._missing = list(rows)
        self._recording = recording
        self._installed: list[tuple[Any, str, Any, Any]] = []
        self._changing = threading.Lock()
        self.is_watching = True
        """Whether calls are observed: False once the functions have been put back."""

    def install(self) -> None:
        """Replace the functions of modules that are imported, and later those of the others."""
        for name in {row.module for row in self._missing}:
            module = sys.modules.get(name)
            if module is None:
                import_watch.add(name, self._imported)
            elif not getattr(module.__spec__, "_initializing", False):
                self._replace_in(module)

    def install_late(self) -> None:
        """Replace what has been imported meanwhile, but was being imported when `install` ran."""
        for name in {row.module for row in self._missing} & sys.modules.keys():
            if not getattr(sys.modules[name].__spec__, "_initializing", False):
                self._replace_in(sys.modules[name])

    def remove(self) -> None:
        """Put the original functions back.

        A function that somebody else has replaced since stays as it is; calls pass through it.
        """
        import_watch.remove(self._imported)
        with self._changing:
            self.is_watching = False
            while self._installed:
                owner, name, original, observed = self._installed.pop()
                if vars(owner)[name] is observed:
                    setattr(owner, name, original)

    def _imported(self, module: ModuleType) -> None:
        with self._recording.guarded():
            self._replace_in(module)

    def _replace_in(self, module: ModuleType) -> None:
        with self._changing:
            rows = [row for row in self._missing if row.module == module.__name__]
            self._missing = [row for row in self._missing if row.module != module.__name__]
            if self.is_watching:
                for row in rows:
                    self._replace(row, module)

    def _replace(self, row: Interception, module: ModuleType) -> None:
        owner_name, _, name = row.path.rpartition(".")
        owner = getattr(module, owner_name, None) if owner_name else module
        original = vars(owner).get(name) if owner is not None else None
        if original is None:  # an app may have a function_app of its own
            return
        observed = _kind(row, original)(original, functools.partial(self._watch, row, original))
        self._installed.append((owner, name, original, observed))
        setattr(owner, name, observed)

    def _watch(
        self, row: Interception, original: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> "_Watch":
        watch = _Watch(self._recording, args, kwargs)
        if self.is_watching:
            watch.start(row.observe, original)
        return watch


class _Watch:
    """One call that is observed; its end is the end of a `with` block.

    A fault of the recorder never reaches the bot.

    Attributes:
        args, kwargs: the call's arguments, as the observer has changed them.
        result: what the function returns.
    """

    def __init__(self, recording: Recording, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self.result: Any = None
        self._recording = recording
        self._observer: Observer | None = None

    def start(self, observe: Observe, original: Any) -> None:
        """Let the observer see the arguments of a call, and change them."""
        with self._recording.guarded():
            call = _signature(original).bind(*self.args, **self.kwargs)
            call.apply_defaults()
            observer = observe(self._recording, call.arguments)
            try:
                next(observer)
            except StopIteration:  # there is nothing to observe
                return
            self._observer = observer
            self.args, self.kwargs = call.args, call.kwargs

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._observer is None:
            return
        with self._recording.guarded(), contextlib.suppress(StopIteration):
            self._observer.send(Outcome(self.result, error))


_signature = functools.lru_cache(inspect.signature)

Watch = Callable[[tuple[Any, ...], dict[str, Any]], _Watch]
"""Starts to watch a call."""


def _kind(row: Interception, original: Any) -> Callable[[Any, Watch], Any]:
    """How a function is replaced."""
    if row.on_entry:
        return _entered
    return _awaited if inspect.iscoroutinefunction(original) else _called


# The functions' own parameters differ, so these take whatever comes.


def _awaited(original: Any, watch: Watch) -> Any:
    @functools.wraps(original)
    async def observed(*args: Any, **kwargs: Any) -> Any:
        with watch(args, kwargs) as call:
            call.result = await original(*call.args, **call.kwargs)
        return call.result

    return observed


def _called(original: Any, watch: Watch) -> Any:
    @functools.wraps(original)
    def observed(*args: Any, **kwargs: Any) -> Any:
        with watch(args, kwargs) as call:
            call.result = original(*call.args, **call.kwargs)
        return call.result

    return observed


def _entered(original: Any, watch: Watch) -> Any:
    @functools.wraps(original)
    def observed(*args: Any, **kwargs: Any) -> Any:
        return _ObservedEntry(original(*args, **kwargs), lambda: watch(args, kwargs))

    return observed


class _ObservedEntry:
    """An asynchronous context manager whose entry is observed."""

    def __init__(
        self, manager: AbstractAsyncContextManager[Any], watch: Callable[[], _Watch]
    ) -> None:
        self._manager = manager
        self._watch = watch

    async def __aenter__(self) -> Any:
        with self._watch() as call:
            call.result = await self._manager.__aenter__()
        return call.result

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._manager.__aexit__(kind, error, trace)
