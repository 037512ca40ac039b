"""ExportedSpans: what the app's spans say, in the order in which they started."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext

from cloud_adapter.telemetry import spans
from cloud_adapter.telemetry.metrics import SCOPE

TELEMETRY_ON = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:9"}
"""A setting with which the composition creates the parts that make spans. Nothing is sent: only the
warm-up starts the export."""

TRACE_ID, HOST_SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HOST = f"00-{TRACE_ID}-{HOST_SPAN_ID}-00"
"""The trace context of an invocation, as the Functions host passes it."""

Tree = tuple[str, list[Any]]
"""A span's name, and the trees of its children."""


class ExportedSpans:
    """Takes the place of the exporter.

    Args:
        monkeypatch: puts it there.

    Attributes:
        tracer: makes the spans.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(ALWAYS_ON, Resource.create({"service.name": "bot"}))
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = provider.get_tracer(SCOPE)
        monkeypatch.setattr(spans, "tracer", self.tracer)

    def __iter__(self) -> Iterator[ReadableSpan]:
        found = self._exporter.get_finished_spans()
        return iter(sorted(found, key=lambda span: span.start_time or 0))

    def clear(self) -> None:
        """Forget all of them."""
        self._exporter.clear()

    @property
    def names(self) -> list[str]:
        """The names of all spans."""
        return [span.name for span in self]

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans with a name."""
        return [span for span in self if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only span with a name."""
        [span] = self.named(name)
        return span

    def attributes(self, name: str) -> dict[str, Any]:
        """The attributes of the only span with a name."""
        return dict(self.one(name).attributes or {})

    @property
    def trees(self) -> list[Tree]:
        """The trees of all spans that have no parent here."""
        ids = {id_of(span) for span in self}
        return [self._tree(span) for span in self if parent_id(span) not in ids]

    def _tree(self, span: ReadableSpan) -> Tree:
        children = [self._tree(each) for each in self if parent_id(each) == id_of(span)]
        return span.name, children

    @property
    def orphans(self) -> list[str]:
        """The names of spans whose parent was not exported, and is not the host's."""
        known = {id_of(span) for span in self} | {None, int(HOST_SPAN_ID, 16)}
        return [span.name for span in self if parent_id(span) not in known]

    @property
    def traces(self) -> set[str]:
        """The ids of all traces."""
        return {f"{context_of(span).trace_id:032x}" for span in self}

    @property
    def text(self) -> str:
        """All that would leave the process: attributes, events, links, names, the resource."""
        return "\n".join(
            json.dumps(json.loads(span.to_json()), ensure_ascii=False) for span in self
        )


def id_of(span: ReadableSpan) -> int:
    """A span's id."""
    return context_of(span).span_id


def context_of(span: ReadableSpan) -> SpanContext:
    """A span's context."""
    context = span.get_span_context()
    assert context
    return context


def parent_id(span: ReadableSpan) -> int | None:
    """The id of a span's parent; None: it has none."""
    return span.parent.span_id if span.parent else None
