"""Moments: the functions that an observer may watch, by name. Telemetry is such an observer.

A function becomes a moment by a decorator, where the work happens:

    @moment("http.request")
    async def request(self, method: str, url: str) -> Response: ...

Nothing here knows who watches. A moment that nobody watches costs one comparison for a call. This
is the lowest module, because every part of the app has moments.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

Facts = Mapping[str, Any]
"""The arguments of the call by name, `self` included."""

Ended = Callable[[Any, BaseException | None], None]
"""Called when the function has ended: with its result, or with None and what it has raised."""

Watch = Callable[[Facts], Ended | None]
"""Called before the function runs, in its context; None: its end is not of interest."""

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Watches moments. Whatever it raises is logged, and changes nothing else.

    Attributes:
        watches: by the names of moments, whether or not their modules are imported yet.
    """

    @property
    def watches(self) -> Mapping[str, Watch]: ...

    def trace_parent(self) -> str:
        """The `traceparent` (W3C Trace Context) of the running code; empty: it has none.

        It goes with what runs later or elsewhere: queued activities, notifications, calls of
        skills.
        """
        ...


class _Moment:
    """The functions that share a name, and who watches them."""

    __slots__ = ("name", "watches")

    def __init__(self, name: str) -> None:
        self.name = name
        self.watches: tuple[Watch, ...] = ()


_moments: dict[str, _Moment] = {}
_observers: tuple[Observer, ...] = ()


def attach(observer: Observer) -> None:
    """Let an observer watch from now on, in all threads."""
    global _observers  # the process's, like its moments
    _observers = (observer, *_observers)
    for name, watch in observer.watches.items():
        watched = _moments.setdefault(name, _Moment(name))
        watched.watches = (*watched.watches, watch)


def detach(observer: Observer) -> None:
    """Undo `attach`. Calls that are under way are watched to their end."""
    global _observers  # see attach
    _observers = tuple(each for each in _observers if each is not observer)
    for name, watch in observer.watches.items():
        watched = _moments[name]
        watched.watches = tuple(each for each in watched.watches if each != watch)


def trace_parent() -> str:
    """The `traceparent` of the running code, of the last observer that has one; else empty."""
    return next((found for each in _observers if (found := each.trace_parent())), "")


def moment[**P, R](name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare that a function, a coroutine function or a plain one, is a moment.

    Args:
        name: the part and what it does, such as `connector.call`. Functions that share it, share
            their parameters' names.
    """
    watched = _moments.setdefault(name, _Moment(name))

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        is_awaited = inspect.iscoroutinefunction(function)
        if is_awaited:

            @functools.wraps(function)
            def started(*args: P.args, **kwargs: P.kwargs) -> R:
                if not watched.watches:
                    return function(*args, **kwargs)
                return cast("R", _awaited(watched, function, args, kwargs))

            inspect.markcoroutinefunction(started)
            return started

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            if not watched.watches:
                return function(*args, **kwargs)
            ends = _begin(watched, _facts(function, args, kwargs))
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                _end(watched, ends, None, error)
                raise
            _end(watched, ends, result, None)
            return result

        return called

    return declare


async def _awaited(
    watched: _Moment, function: Callable[..., Any], args: Sequence[Any], kwargs: Facts
) -> object:
    ends = _begin(watched, _facts(function, args, kwargs))
    try:
        # Called here: a task that is cancelled before it starts leaves no coroutine behind.
        result = await function(*args, **kwargs)
    except BaseException as error:
        _end(watched, ends, None, error)
        raise
    _end(watched, ends, result, None)
    return result


def _facts(function: Callable[..., Any], args: Sequence[Any], kwargs: Facts) -> Facts:
    """The arguments by name."""
    names, defaults = _parameters(function)
    return {**defaults, **dict(zip(names, args, strict=False)), **kwargs}


@functools.cache  # not when the function is declared: that would slow the start
def _parameters(function: Callable[..., Any]) -> tuple[Sequence[str], Facts]:
    """The parameters' names, and their defaults."""
    found = inspect.signature(function).parameters
    defaults = {name: each.default for name, each in found.items()}
    return tuple(found), {
        name: value for name, value in defaults.items() if value is not inspect.Parameter.empty
    }


def _begin(watched: _Moment, facts: Facts) -> list[Ended]:
    ends: list[Ended] = []
    for watch in watched.watches:
        try:
            ended = watch(facts)
        except Exception as error:  # noqa: BLE001  # an observer's fault must not reach the turn
            _note(watched, error)
        else:
            if ended is not None:
                ends.append(ended)
    return ends


def _end(watched: _Moment, ends: list[Ended], result: Any, error: BaseException | None) -> None:
    for ended in reversed(ends):
        try:
            ended(result, error)
        except Exception as fault:  # noqa: BLE001  # see _begin
            _note(watched, fault)


def _note(watched: _Moment, error: Exception) -> None:
    # Only its class: what it says may quote a user.
    log.warning("An observer of %s has failed: %s", watched.name, type(error).__name__)
