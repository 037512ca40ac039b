"""QueueTriggers: the listeners of an app's queue-triggered functions."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping

from bot_workbench.emulator.functions import host_rules
from bot_workbench.emulator.functions.errors import FunctionError
from bot_workbench.emulator.functions.queues.listener import QueueListener
from bot_workbench.emulator.functions.queues.queue import StorageQueue
from bot_workbench.emulator.functions.queues.settings import QueueSettings
from bot_workbench.emulator.functions.storage.connection import StorageConnection
from bot_workbench.emulator.functions.storage.service import StorageService
from bot_workbench.emulator.functions.workers.function import Function, InvokeFunction
from bot_workbench.emulator.functions.workers.protocol import TypedData

LOG = logging.getLogger("bot_workbench.emulator.functions.queues.triggers")

POISON_SUFFIX = "-poison"
NAME = re.compile(r"[^\W_]+(-[^\W_]+)*")
MIN_NAME_LENGTH, MAX_NAME_LENGTH = 3, 63


class QueueTriggers:
    """Has a listener for each function with a queueTrigger that is not in error.

    A function is in error if its queue's name or its storage is not known or not valid: that is
    logged, as in Azure, and the others run.

    Args:
        functions: the app's; those with other triggers are ignored.
        settings: host.json's section.
        environ: the app's settings.
        invoke: runs a function.
        stop_host: ends the host, see QueueListener; None: nothing ends it.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        settings: QueueSettings,
        environ: Mapping[str, str],
        invoke: InvokeFunction,
        stop_host: Callable[[], None] | None = None,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._invoke = invoke
        self._stop_host = stop_host
        self._accounts: dict[str, StorageService] = {}
        self._listeners: list[QueueListener] = []
        for function in functions:
            if function.trigger["type"] == "queueTrigger":
                self._add_listener(function)

    def start(self) -> None:
        """Start listening, on the running event loop."""
        for listener in self._listeners:
            listener.start()

    async def stop(self, grace_seconds: float | None) -> None:
        """Stop listening; messages that run have `grace_seconds` to finish; None: any time."""
        await asyncio.gather(*(listener.stop(grace_seconds) for listener in self._listeners))
        for account in self._accounts.values():
            account.close()

    def _add_listener(self, function: Function) -> None:
        try:
            name = _valid(function.resolved("queueName", self._environ))
            account = self._account(function.trigger.get("connection") or "")
        except FunctionError as error:
            LOG.error("The '%s' function is in error: %s", function.name, error)  # noqa: TRY400 # it is all
            return

        async def run(data: TypedData, metadata: Mapping[str, TypedData]) -> None:
            await self._invoke(function, data, metadata)

        listener = QueueListener(
            StorageQueue(account, name),
            _poison(account, name),
            self._settings,
            run,
            host_rules.RULES.message_visibility,
            is_binary=str(function.trigger.get("dataType")).lower() == "binary",
            stop_host=self._stop_host,
            refused_seconds=host_rules.RULES.refused_storage,
        )
        self._listeners.append(listener)

    def _account(self, name: str) -> StorageService:
        if name not in self._accounts:
            connection = StorageConnection.of("queue", name, self._environ)
            self._accounts[name] = StorageService(connection, self._environ)
        return self._accounts[name]


def _valid(name: str) -> str:
    """The queue's name, in lower case as Azure's host makes it.

    Source: QueueClientExtensions of Microsoft.Azure.WebJobs.Extensions.Storage.Queues.

    Raises:
        FunctionError: no queue may have this name.
    """
    name = name.lower()
    if not (MIN_NAME_LENGTH <= len(name) <= MAX_NAME_LENGTH and NAME.fullmatch(name)):
        raise FunctionError(
            f"{name!r} is not a queue name: {MIN_NAME_LENGTH} to {MAX_NAME_LENGTH} lowercase"
            " letters and digits, with single hyphens between them."
        )
    return name


def _poison(account: StorageService, name: str) -> StorageQueue | None:
    """The queue's poison queue; None if it is one itself, or if the name is too long."""
    poison = name + POISON_SUFFIX
    if name.endswith(POISON_SUFFIX) or len(poison) > MAX_NAME_LENGTH:
        return None
    return StorageQueue(account, poison)
