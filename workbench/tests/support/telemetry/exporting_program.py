"""A program that exports as its environment says, and does what each line of its input asks for.

It prints `ready`, and a line for each line that it has done. The lines: `span NAME [KIND FLAGS]`
(FLAGS: of a remote parent, 00 or 01), `spans COUNT`, `log LOGGER TEXT`, `turns COUNT`,
`hold TEXT` (logs it between two invocations, and runs the next one),
`connections` (prints the hosts that it has contacted),
`stall SECONDS` (prints the milliseconds of the event loop's worst stall while it records spans).
`threads` (prints the names of the exporters' threads). With the option --provider, it sets a tracer
provider of its own first, with --all-providers those of metrics and log lines, too.
"""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cloud_adapter.telemetry.export_settings import ExportSettings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def _span(name: str, kind: str = "INTERNAL", flags: str = "") -> str:
    from opentelemetry import trace

    tracer = trace.get_tracer("test")
    context = None
    if flags:
        parent = trace.SpanContext(
            int(TRACE, 16), 0xB7AD6B7169203331, True, trace.TraceFlags(int(flags, 16))
        )
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    with (
        tracer.start_as_current_span(name, context, kind=trace.SpanKind[kind]) as span,
        tracer.start_as_current_span(f"{name} child"),
    ):
        return f"sampled {span.get_span_context().trace_flags.sampled}"


def _spans(count: str) -> str:
    for _ in range(int(count)):
        _span("many")
    return "done"


def _log(logger: str, *words: str) -> str:
    from opentelemetry import trace

    with trace.get_tracer("test").start_as_current_span("logs"):
        logging.getLogger(logger).warning("%s", " ".join(words))
    return "done"


def _hold(*words: str) -> str:
    from opentelemetry import trace

    from cloud_adapter.invocation_log import InvocationLog

    async def invocation() -> None:
        with trace.get_tracer("test").start_as_current_span("invocation"), held.invocation():
            pass

    held = InvocationLog()
    held.attach(["held"])
    _log("held", *words)
    asyncio.run(invocation())
    return "done"


def _turns(count: str) -> str:
    from cloud_adapter.telemetry.metrics import bot_metrics

    for _ in range(int(count)):
        labels = {"activity.type": "message", "activity.channel_id": "msteams"}
        bot_metrics().ended("agents.app.run", 0.25, labels, "")
    return "done"


def _provider() -> str:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

    provider = TracerProvider(shutdown_on_exit=False)
    exporter = ConsoleSpanExporter(formatter=lambda span: f"own {span.name}\n")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return "done"


def _stall(seconds: str) -> str:
    """Milliseconds of the event loop's worst stall while spans are recorded."""

    async def worst() -> float:
        found, end = 0.0, time.monotonic() + float(seconds)
        while (before := time.monotonic()) < end:
            _spans("5")
            await asyncio.sleep(0)
            found = max(found, time.monotonic() - before)
        return found

    return f"{1000 * asyncio.run(worst()):.0f}"


def _all_providers() -> None:
    """Set the two other providers too, as Microsoft's distribution does."""
    from opentelemetry import _logs, metrics
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.metrics import MeterProvider

    metrics.set_meter_provider(MeterProvider(shutdown_on_exit=False))
    _logs.set_logger_provider(LoggerProvider(shutdown_on_exit=False))


def _threads() -> str:
    """The names of the exporters' threads."""
    names = [thread.name for thread in threading.enumerate()]
    return " ".join(name for name in names if name.startswith("Otel")) or "none"


def _connections() -> str:
    """The hosts that the process has looked up or connected to so far."""
    return " ".join(sorted(CONTACTED))


CONTACTED: set[str] = set()


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        CONTACTED.add(str(arguments[0]))
    elif event == "socket.connect":
        CONTACTED.add(str(arguments[1][0]))


STEPS: dict[str, Callable[..., str]] = {
    "connections": _connections,
    "threads": _threads,
    "span": _span,
    "spans": _spans,
    "log": _log,
    "hold": _hold,
    "turns": _turns,
    "stall": _stall,
}


def main() -> None:
    """Start the export as the app does, then follow the input."""
    sys.addaudithook(_note)
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    if "--provider" in sys.argv:
        _provider()
    if "--all-providers" in sys.argv:
        _provider()
        _all_providers()
    settings = ExportSettings.of(os.environ)
    if settings is not None:
        from cloud_adapter.telemetry.metrics import bot_metrics
        from cloud_adapter.telemetry.providers import start_export

        start_export(settings, os.environ, bot_metrics(), "1.2.3")
    print("ready", flush=True)
    for line in sys.stdin:
        name, *arguments = line.split()
        print(STEPS[name](*arguments), flush=True)


if __name__ == "__main__":
    main()
