"""QueueTriggers: the listeners of an app's queue-triggered functions."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from azure.storage.queue.aio import QueueClient

from emulator.functions.errors import ConnectionMissingError, HostError
from emulator.functions.queues.listener import QueueListener
from emulator.functions.queues.settings import QueueSettings
from emulator.functions.queues.storage_connection import StorageConnection
from emulator.functions.workers.function import Function
from emulator.functions.workers.protocol import TypedData

LOG = logging.getLogger("emulator.functions.queues.triggers")

POISON_SUFFIX = "-poison"
MAX_NAME_LENGTH = 63
SETTING = re.compile(r"%([^%]+)%")

InvokeFunction = Callable[[Function, str, Mapping[str, TypedData]], Awaitable[None]]
"""Runs a function on a message's text and its metadata; raises InvocationError."""


class QueueTriggers:
    """Has a listener for each function with a queueTrigger whose storage is known.

    Args:
        functions: the app's; those with other triggers are ignored.
        settings: host.json's section.
        environ: the app's settings.
        invoke: runs a function.

    Raises:
        HostError: a setting that names a function's queue or storage is missing or invalid.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        settings: QueueSettings,
        environ: Mapping[str, str],
        invoke: InvokeFunction,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._invoke = invoke
        self._connections: dict[str, StorageConnection] = {}
        self._listeners: list[QueueListener] = []
        for function in functions:
            if function.trigger["type"] == "queueTrigger":
                self._add_listener(function)

    def start(self) -> None:
        """Start listening, on the running event loop."""
        for listener in self._listeners:
            listener.start()

    async def stop(self, grace_seconds: float) -> None:
        """Stop listening; messages that run have `grace_seconds` to finish."""
        await asyncio.gather(*(listener.stop(grace_seconds) for listener in self._listeners))
        for connection in self._connections.values():
            await connection.close()

    def _add_listener(self, function: Function) -> None:
        try:
            connection = self._connection(function.trigger.get("connection") or "")
        except ConnectionMissingError as error:
            LOG.warning("Function %s gets no messages: %s", function.name, error)
            return
        name = self._queue_name(function)
        invoke = partial(self._invoke, function)
        poison = _poison(connection, name)
        self._listeners.append(
            QueueListener(connection.queue(name), poison, self._settings, invoke)
        )

    def _connection(self, name: str) -> StorageConnection:
        if name not in self._connections:
            self._connections[name] = StorageConnection.of(name, self._environ)
        return self._connections[name]

    def _queue_name(self, function: Function) -> str:
        """In lower case, with each `%SETTING%` replaced by its value, as Azure's host does."""

        def value(found: re.Match[str]) -> str:
            if found[1] not in self._environ:
                raise HostError(
                    f"Function {function.name}: its queue is named by the setting {found[1]},"
                    " which is missing."
                )
            return self._environ[found[1]]

        return SETTING.sub(value, function.trigger["queueName"]).lower()


def _poison(connection: StorageConnection, name: str) -> QueueClient | None:
    """The queue's poison queue; None if it is one itself, or if the name is too long."""
    poison = name + POISON_SUFFIX
    if name.endswith(POISON_SUFFIX) or len(poison) > MAX_NAME_LENGTH:
        return None
    return connection.queue(poison)
