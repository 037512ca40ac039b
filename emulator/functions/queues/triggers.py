"""QueueTriggers: the listeners of an app's queue-triggered functions."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from azure.storage.queue.aio import QueueClient

from emulator.functions.queues.listener import QueueListener
from emulator.functions.queues.settings import QueueSettings
from emulator.functions.queues.storage_connection import ConnectionMissingError, StorageConnection
from emulator.functions.route import HostError
from emulator.functions.workers.worker import Function, TypedData

LOG = logging.getLogger("emulator.functions.queues.triggers")

POISON = "-poison"
LONGEST_NAME = 63
SETTING = re.compile(r"%([^%]+)%")

InvokeFunction = Callable[[Function, str, Mapping[str, TypedData]], Awaitable[None]]
"""Runs a function on a message's text and its metadata; raises InvocationError."""


class QueueTriggers:
    """A listener for each function with a queueTrigger whose storage is known.

    Args:
        functions: the app's; those with other triggers are passed over.
        settings: host.json's.
        environ: the app's settings.
        invoke: runs a function.

    Raises:
        HostError: a function's queue or storage cannot be made out.
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
                self._listen(function)

    def start(self) -> None:
        """Begin, on the running event loop."""
        for listener in self._listeners:
            listener.start()

    async def stop(self, patience: float) -> None:
        """Take no more messages; what runs has so many seconds to end."""
        await asyncio.gather(*(listener.stop(patience) for listener in self._listeners))
        for connection in self._connections.values():
            await connection.close()

    def _listen(self, function: Function) -> None:
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
        """In lower case, and with `%SETTING%` filled in, as the host does."""

        def value(found: re.Match[str]) -> str:
            if found[1] not in self._environ:
                raise HostError(
                    f"Function {function.name}: its queue is named by the setting {found[1]},"
                    " which is missing."
                )
            return self._environ[found[1]]

        return SETTING.sub(value, function.trigger["queueName"]).lower()


def _poison(connection: StorageConnection, name: str) -> QueueClient | None:
    """A poison queue has none of its own."""
    poison = name + POISON
    if name.endswith(POISON) or len(poison) > LONGEST_NAME:
        return None
    return connection.queue(poison)
