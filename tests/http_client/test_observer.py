"""The hook by which an observer watches moments."""

import asyncio
import contextlib
import gc
import importlib
import logging
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from http_client.observer import Ended, Facts, Watch, attach, detach, moment, trace_parent


class Spy:
    """Notes what it sees of one moment.

    Args:
        name: the moment's.
        parent: its trace parent.

    Attributes:
        seen: the facts of each start, and the outcome of each end.
    """

    def __init__(self, name: str, parent: str = "") -> None:
        self.seen: list[Any] = []
        self.watches: Mapping[str, Watch] = {name: self._watch}
        self._parent = parent

    def _watch(self, facts: Facts) -> Ended:
        self.seen.append(dict(facts))
        return lambda result, error: self.seen.append((result, error))

    def trace_parent(self) -> str:
        """Its own."""
        return self._parent


class Failing(Spy):
    """Fails whatever it sees."""

    def _watch(self, facts: Facts) -> Ended:
        raise LookupError(facts)


class FailingAtTheEnd(Spy):
    """Fails when the function has ended."""

    def _watch(self, _: Facts) -> Ended:
        def ended(result: Any, error: BaseException | None) -> None:
            raise LookupError(result, error)

        return ended


class Adder:
    """Has a moment of each kind."""

    @moment("test.plain")
    def add(self, first: int, second: int = 2) -> int:
        """The sum, of numbers that are not negative."""
        if first < 0:
            raise ValueError("sesame")
        return first + second

    @moment("test.awaited")
    async def add_later(self, first: int, *, second: int = 2) -> int:
        """The same, later."""
        await asyncio.sleep(0)
        return self.add(first, second)


async def added(kind: str, first: int) -> int:
    """The sum of a number and 2, by a function of either kind."""
    return Adder().add(first) if kind == "plain" else await Adder().add_later(first)


each_kind = pytest.mark.parametrize("kind", ["plain", "awaited"])


@pytest.fixture
def spy(kind: str) -> Iterator[Spy]:
    """An observer of the kind's moment."""
    spy = Spy(f"test.{kind}")
    attach(spy)
    yield spy
    detach(spy)


@each_kind
async def test_off(kind: str) -> None:
    """Nobody watches: the function is called, with its result or error."""
    assert await added(kind, 1) == 3
    with pytest.raises(ValueError, match="sesame"):
        await added(kind, -1)
    assert asyncio.iscoroutinefunction(Adder.add_later)


@each_kind
async def test_start_and_end(kind: str, spy: Spy) -> None:
    """An observer gets the arguments by name, those with defaults too, and then the result."""
    assert await added(kind, 1) == 3
    facts, outcome = spy.seen
    assert isinstance(facts.pop("self"), Adder)
    assert (facts, outcome) == ({"first": 1, "second": 2}, (3, None))


def test_an_argument_in_place_of_a_default() -> None:
    """An observer gets it, and not the default, whether it has a name or not."""
    spy = Spy("test.plain")
    attach(spy)
    try:
        assert Adder().add(1, 5) == Adder().add(1, second=5) == 6
    finally:
        detach(spy)
    assert [each["second"] for each in spy.seen[::2]] == [5, 5]


def test_an_exit() -> None:
    """An observer sees the end of a plain function that exits."""

    @moment("test.exit")
    def leave() -> None:
        raise SystemExit(3)

    spy = Spy("test.exit")
    attach(spy)
    try:
        with pytest.raises(SystemExit) as caught:
            leave()
    finally:
        detach(spy)
    assert spy.seen == [{}, (None, caught.value)]


@each_kind
async def test_an_error(kind: str, spy: Spy) -> None:
    """An observer gets the error, which the caller gets, too."""
    with pytest.raises(ValueError, match="sesame") as caught:
        await added(kind, -1)
    assert spy.seen[1:] == [(None, caught.value)]


@each_kind
@pytest.mark.parametrize("failing", [Failing, FailingAtTheEnd])
async def test_a_failing_observer(
    kind: str, failing: type[Spy], caplog: pytest.LogCaptureFixture
) -> None:
    """It changes nothing, also for the others; the log has the error's class and no text."""
    observers = (failing(f"test.{kind}"), other := Spy(f"test.{kind}"))
    for each in observers:
        attach(each)
    try:
        assert await added(kind, 1) == 3
        with pytest.raises(ValueError, match="sesame"):
            await added(kind, -1)
    finally:
        for each in observers:
            detach(each)
    assert len(other.seen) == 4
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert {record.getMessage() for record in caplog.records} == {
        f"An observer of test.{kind} has failed: LookupError"
    }
    assert [record.exc_info for record in caplog.records] == [None, None]


@each_kind
async def test_two_observers(kind: str) -> None:
    """They start in the order in which they were attached, and end in the reverse one."""
    order: list[str] = []

    class Ordered(Spy):
        """Notes its own trace parent at each start and end."""

        def _watch(self, _: Facts) -> Ended:
            order.append(self.trace_parent())
            return lambda _, __: order.append(self.trace_parent())

    observers = [Ordered(f"test.{kind}", name) for name in ("first", "second")]
    for each in observers:
        attach(each)
    try:
        await added(kind, 1)
    finally:
        for each in observers:
            detach(each)
    assert order == ["first", "second", "second", "first"]


async def test_the_end_of_a_call_under_way() -> None:
    """Whoever has seen its start sees its end, and nothing more once it is detached."""
    spy = Spy("test.awaited")
    attach(spy)
    task = asyncio.create_task(added("awaited", 1))
    await asyncio.sleep(0)
    assert len(spy.seen) == 1
    detach(spy)
    assert await task == 3
    await added("awaited", 1)
    assert spy.seen[1:] == [(3, None)]


@pytest.mark.filterwarnings("error")
async def test_a_task_that_never_starts() -> None:
    """It is cancelled without a warning that a coroutine was never awaited, and nobody sees it."""
    spy = Spy("test.awaited")
    attach(spy)
    try:
        task = asyncio.create_task(Adder().add_later(1))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        detach(spy)
    del task
    gc.collect()
    assert spy.seen == []


async def test_a_cancelled_call() -> None:
    """Its end is seen, in the context of its start, with the cancellation."""
    seen = ContextVar("seen", default="")
    at_the_end: list[Any] = []

    class Setting(Spy):
        """Sets a context variable while the function runs."""

        def _watch(self, _: Facts) -> Ended:
            token = seen.set("within")

            def ended(result: Any, error: BaseException | None) -> None:
                at_the_end.append((seen.get(), result, type(error)))
                seen.reset(token)

            return ended

    async def cancelled() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await Adder().add_later(1)
        return seen.get()

    spy = Setting("test.awaited")
    attach(spy)
    try:
        task = asyncio.create_task(cancelled())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == ""
    finally:
        detach(spy)
    assert at_the_end == [("within", None, asyncio.CancelledError)]


def test_the_last_trace_parent() -> None:
    """The observer that was attached last is asked first; one that has none is passed over."""
    first, last, none = Spy("test.plain", "1"), Spy("test.plain", "2"), Spy("test.plain")
    assert trace_parent() == ""
    for each, expected in ((first, "1"), (last, "2"), (none, "2")):
        attach(each)
        assert trace_parent() == expected
    for each, expected in ((last, "1"), (first, ""), (none, "")):
        detach(each)
        assert trace_parent() == expected


def test_a_module_that_is_imported_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An observer may be attached before the module that declares the moment is imported."""
    text = "from http_client.observer import moment\n\n@moment('test.later')\ndef f(x): return x\n"
    (tmp_path / "declared_later.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    spy = Spy("test.later")
    attach(spy)
    try:
        assert importlib.import_module("declared_later").f(5) == 5
    finally:
        detach(spy)
        del sys.modules["declared_later"]
    assert spy.seen == [{"x": 5}, (5, None)]
