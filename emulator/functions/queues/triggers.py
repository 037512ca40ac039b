"""QueueTriggers: the listeners of an app's queue-triggered functions."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from emulator.functions.errors import ConnectionMissingError
from emulator.functions.queues.listener import QueueListener
from emulator.functions.queues.queue import StorageQueue
from emulator.functions.queues.settings import QueueSettings
from emulator.functions.storage.connection import StorageConnection
from emulator.functions.storage.service import StorageService
from emulator.functions.workers.function import Function, InvokeFunction
from emulator.functions.workers.protocol import TypedData

LOG = logging.getLogger("emulator.functions.queues.triggers")

POISON_SUFFIX = "-poison"
MAX_NAME_LENGTH = 63


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
        self._accounts: dict[str, StorageService] = {}
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
        for account in self._accounts.values():
            account.close()

    def _add_listener(self, function: Function) -> None:
        try:
            account = self._account(function.trigger.get("connection") or "")
        except ConnectionMissingError as error:
            LOG.warning("Function %s gets no messages: %s", function.name, error)
            return
        name = function.resolved("queueName", self._environ).lower()  # as Azure's host does

        async def run(text: str, metadata: Mapping[str, TypedData]) -> None:
            await self._invoke(function, TypedData(string=text), metadata)

        queue, poison = StorageQueue(account, name), _poison(account, name)
        self._listeners.append(QueueListener(queue, poison, self._settings, run))

    def _account(self, name: str) -> StorageService:
        if name not in self._accounts:
            connection = StorageConnection.of("queue", name, self._environ)
            self._accounts[name] = StorageService(connection, self._environ)
        return self._accounts[name]


def _poison(account: StorageService, name: str) -> StorageQueue | None:
    """The queue's poison queue; None if it is one itself, or if the name is too long."""
    poison = name + POISON_SUFFIX
    if name.endswith(POISON_SUFFIX) or len(poison) > MAX_NAME_LENGTH:
        return None
    return StorageQueue(account, poison)
