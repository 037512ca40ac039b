"""Operation: a span and the metrics beside it."""

import asyncio
import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from cloud_adapter.telemetry import spans as module
from cloud_adapter.telemetry.metrics import SCOPE
from cloud_adapter.telemetry.spans import (
    Operation,
    current_trace_parent,
    error_name,
    past_operation,
)
from tests.support.telemetry.exported_spans import ExportedSpans, id_of, parent_id


class CountedMetrics:
    """Records what is counted."""

    def __init__(self) -> None:
        self.ended_spans: list[tuple[str, dict[str, Any], str]] = []
        self.seconds: list[float] = []

    def ended(self, name: str, seconds: float, attributes: dict[str, Any], error: str) -> None:
        """Count a span."""
        self.seconds.append(seconds)
        self.ended_spans.append((name, attributes, error))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> CountedMetrics:
    """In place of the process's metrics."""
    metrics = CountedMetrics()
    monkeypatch.setattr(module, "bot_metrics", lambda: metrics)
    return metrics


@contextlib.contextmanager
def running(operation: Operation) -> Iterator[Operation]:
    """Within it, the operation runs; it ends with it."""
    try:
        yield operation
    except BaseException as error:
        operation.ended(None, error)
        raise
    operation.ended(None, None)


def fail(operation: Operation, error: Exception) -> None:
    """Raise an error within an operation."""
    with running(operation):
        raise error


@pytest.mark.parametrize("is_sampled", [True, False])
def test_metrics_count_each_span(
    is_sampled: bool, counted: CountedMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spans that are not sampled are counted all the same, with the same attributes."""
    provider = TracerProvider(None if is_sampled else ALWAYS_OFF)
    monkeypatch.setattr(module, "tracer", provider.get_tracer(SCOPE))
    with pytest.raises(LookupError):
        fail(Operation("x", {"a": 1, "b": True}), LookupError("sesame"))
    error = {"error.type": "LookupError", "bot.error": "LookupError"}
    assert counted.ended_spans == [("x", {"a": 1, "b": True, **error}, "LookupError")]


def test_the_first_error_counts(exported: ExportedSpans) -> None:
    """What follows from an error does not replace it."""
    operation = Operation("x")
    operation.fail(LookupError())
    with pytest.raises(ValueError, match="second"):
        fail(operation, ValueError("second"))
    assert exported.attributes("x")["error.type"] == "LookupError"


@pytest.mark.parametrize(
    ("name", "exported_as"),
    [("Made", "Made"), ("said: sesame", "Exception"), ("a" * 81, "Exception")],
)
def test_names_of_errors(name: str, exported_as: str) -> None:
    """A class whose name is no identifier may have been made of what a user wrote."""
    assert error_name(type(name, (Exception,), {})()) == exported_as


async def test_the_current_operation(exported: ExportedSpans) -> None:
    """It is that of the running code, also in tasks that this code starts; then the outer one."""
    assert Operation.current() is None
    with running(Operation("outer")) as outer:
        with running(Operation("inner")) as inner:
            assert Operation.current() is inner

            async def found() -> Operation | None:
                return Operation.current()

            assert await asyncio.create_task(found()) is inner
        assert Operation.current() is outer
    assert Operation.current() is None
    assert exported.trees == [("outer", [("inner", [])])]


async def test_a_cancelled_one(exported: ExportedSpans) -> None:
    """Its span ends, and says so."""

    async def work() -> None:
        with running(Operation("x")):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert exported.attributes("x")["error.type"] == "CancelledError"


def test_a_past_one(exported: ExportedSpans, counted: CountedMetrics) -> None:
    """It has the given times, within the current span; a clock that is behind makes it empty."""
    with running(Operation("outer")):
        past_operation("x", 1_000_000_000, 3_000_000_000)
        past_operation("y", 3_000_000_000, 1_000_000_000)
    first, second = exported.one("x"), exported.one("y")
    assert (first.start_time, first.end_time) == (1_000_000_000, 3_000_000_000)
    assert (second.start_time, second.end_time) == (1_000_000_000, 1_000_000_000)
    outer = exported.one("outer")
    assert parent_id(first) == parent_id(second) == id_of(outer)
    assert counted.seconds[:2] == [2.0, 0.0]


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_trace_that_is_not_taken(is_taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first span is its only one, which what is stored in it refers to."""
    started: list[str] = []
    tracer = TracerProvider(None if is_taken else ALWAYS_OFF).get_tracer(SCOPE)

    def start_span(name: str, *rest: Any) -> trace.Span:
        started.append(name)
        return tracer.start_span(name, *rest)

    monkeypatch.setattr(module, "tracer", SimpleNamespace(start_span=start_span))
    with running(Operation("outer")):
        outer = current_trace_parent()
        with running(Operation("inner")):
            assert (current_trace_parent() == outer) is not is_taken
            assert current_trace_parent().startswith(outer[:36])
    assert started == (["outer", "inner"] if is_taken else ["outer"])
