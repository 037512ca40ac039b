"""Triggers: the listeners of functions, by the kinds of triggers that this host has."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bot_workbench.emulator.functions.configuration import HostConfiguration
from bot_workbench.emulator.functions.workers.function import Function, InvokeFunction

LOG = logging.getLogger("bot_workbench.emulator.functions.triggers")

BINDINGS = ("http", "httpTrigger", "queueTrigger", "timerTrigger")
"""The kinds of bindings that this host supports."""

DURABLE = ("orchestrationTrigger", "activityTrigger", "entityTrigger")
"""The kinds of triggers whose functions need the Durable Task extension's messages."""


class Listening(Protocol):
    """Something that starts functions."""

    async def stop(self, grace_seconds: float | None) -> None:
        """Stop listening; running functions have `grace_seconds` to finish; None: any time."""


class Triggers(Listening, Protocol):
    """The functions with one kind of trigger."""

    def start(self) -> None:
        """Start listening, on the running event loop."""


def triggers_of(
    functions: Sequence[Function],
    configuration: HostConfiguration,
    environ: Mapping[str, str],
    invoke: InvokeFunction,
    stop_host: Callable[[], None] | None = None,
) -> Sequence[Triggers]:
    """The triggers of all kinds but HTTP.

    Each kind is imported only for apps that use it, because its imports would add to the measured
    start times.

    Args:
        functions: the app's.
        configuration: host.json's.
        environ: the app's settings.
        invoke: runs a function.
        stop_host: ends the host where Azure's ends because storage is unavailable; None: nothing
            ends it.
    """
    found: list[Triggers] = []
    functions = [function for function in functions if not _is_disabled(function, environ)]
    kinds = {function.trigger["type"] for function in functions}
    if "queueTrigger" in kinds:
        from bot_workbench.emulator.functions.queues.triggers import QueueTriggers

        found.append(QueueTriggers(functions, configuration.queues, environ, invoke, stop_host))
    if "timerTrigger" in kinds:
        from bot_workbench.emulator.functions.timers.triggers import TimerTriggers

        found.append(TimerTriggers(functions, environ, invoke))
    for function in functions:
        _warn_of_bindings(function)
    return found


def _is_disabled(function: Function, environ: Mapping[str, str]) -> bool:
    disabled = function.is_disabled(environ)
    if disabled:
        LOG.info("Function %s is disabled", function.name)
    return disabled


def _warn_of_bindings(function: Function) -> None:
    """Log the bindings that the function has in Azure but not here."""
    for binding in function.bindings:
        kind = binding["type"]
        if kind in BINDINGS:
            continue
        if binding is not function.trigger:
            LOG.warning(
                "Function %s: its binding %s has no effect here, because this host has no %s.",
                *(function.name, binding["name"], kind),
            )
        elif kind in DURABLE:
            LOG.warning(
                "Function %s never runs here, because this host has no %s: Durable Functions run in"
                " Azure, and with Core Tools.",
                *(function.name, kind),
            )
        else:
            LOG.warning(
                "Function %s is not triggered here, because this host has no %s."
                " POST /admin/functions/%s runs it.",
                *(function.name, kind, function.name),
            )
