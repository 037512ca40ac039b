"""InvocationLog: holds log records from between invocations, and logs them in the next invocation.

The Functions host drops log lines that belong to no running invocation: those of the warm-up, of a
thread, of a callback, or of a background refresh that outlives its turn.
"""

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass

MAX_HELD_RECORDS = 200
"""The number of records that are held for the next invocation; if there are more, the oldest are
dropped."""

INVOCATION_ID_ATTRIBUTE = "__azure_function_invocation_id__"
"""The attribute in which Azure's worker stores a task's invocation id. Tasks that are created in a
callback have none. (azure-functions-python-worker, proxy_worker.dispatcher, ContextEnabledTask)"""

CONSOLE_FILTER = "CustomerLogFilter"
"""The class of the filter that Azure's worker gives to its handler for standard output.
(azure-functions-python-worker, proxy_worker.logging)"""

WORKER_LIBRARY = "azure_functions_runtime"
"""The module of Azure's worker whose `invocation_id_cv` has the id in the thread of a function that
is not a coroutine."""


@dataclass
class Invocation:
    """One run of a function.

    Attributes:
        task: the task that runs it; None once the invocation has ended.
    """

    task: "asyncio.Task[object] | None"


_invocation: ContextVar[Invocation | None] = ContextVar("invocation", default=None)


class InvocationLog(logging.Handler):
    """A handler that passes records to the root logger only while an invocation runs.

    The records of a running invocation are passed on immediately, after the held records. All other
    records are held until an invocation starts, logs or ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[tuple[Context, logging.LogRecord]] = deque()
        self._dropped = 0

    def attach(self, names: Iterable[str]) -> None:
        """Put this handler between the root logger and the loggers with these names.

        The root logger's own records, such as those of `logging.info(...)`, are held too. The
        handler that Azure's worker has left on the root logger is removed: it prints each record to
        standard output once more, and the host logs all its lines but the first, without an
        invocation.
        """
        root = logging.getLogger()
        root.addFilter(self.passes)
        for handler in filter(_is_workers_console, tuple(root.handlers)):
            root.removeHandler(handler)
        for name in names:
            logger = logging.getLogger(name)
            logger.addHandler(self)
            logger.propagate = False

    @contextmanager
    def invocation(self) -> Iterator[None]:
        """The context in which each function of the app must do its work.

        The functions in the bot's routes.py do not use it. All records of their tasks are passed on
        at once; those of a task that outlives its invocation are lost.
        """
        invocation = Invocation(asyncio.current_task())
        _invocation.set(invocation)
        self.flush()
        try:
            yield
        finally:
            self.flush()
            invocation.task = None

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on, or hold it for the next invocation."""
        if self.passes(record):
            logging.getLogger().callHandlers(record)

    def passes(self, record: logging.LogRecord) -> bool:
        """Whether to log the record now; if not, it is held."""
        if _in_invocation():
            self.flush()
            return True
        self._held.append((copy_context(), record))
        if len(self._held) > MAX_HELD_RECORDS:
            self._held.popleft()
            self._dropped += 1
        return False

    def flush(self) -> None:
        """Pass on the held records, each in the context in which it was logged: its trace.

        Their own times are added to them, because the host logs the current time.
        """
        if not self._held:
            return
        here = copy_context()
        self.acquire()
        try:
            if self._dropped:
                logging.getLogger().callHandlers(_dropped(self._dropped))
                self._dropped = 0
            while self._held:
                context, record = self._held.popleft()
                logged_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
                record.msg = f"{record.msg} (logged at {logged_at})"
                context.run(_log_within, here, record)
        finally:
            self.release()


def _is_workers_console(handler: logging.Handler) -> bool:
    return (
        isinstance(handler, logging.StreamHandler)
        and handler.stream is sys.stdout
        and any(type(each).__name__ == CONSOLE_FILTER for each in handler.filters)
    )


def _in_invocation() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a thread without an event loop
        task = None
    invocation = _invocation.get()
    if invocation is None:
        return _in_function_of_the_bot(task)
    if invocation.task is None or task is None:  # a callback has no task
        return False
    return _invocation_id(task) == _invocation_id(invocation.task)


def _in_function_of_the_bot(task: "asyncio.Task[object] | None") -> bool:
    if task is not None:
        return _invocation_id(task) is not None
    variable = _worker_variable()
    return variable is not None and variable.get() is not None


def _worker_variable() -> "ContextVar[str | None] | None":
    return getattr(sys.modules.get(WORKER_LIBRARY), "invocation_id_cv", None)


def running_invocation(task: "asyncio.Task[object]") -> str | None:
    """The id of the running invocation that a task belongs to; None: it belongs to none."""
    invocation = task.get_context().get(_invocation)
    if invocation is not None and invocation.task is None:
        return None
    found = _invocation_id(task)
    return found if isinstance(found, str) else None


def join_invocation(invocation_id: str) -> None:
    """Make the lines that this thread logs from now on those of a running invocation.

    The thread may run in a copy of a task's context.
    """
    _invocation.set(None)  # in a copy, it would hold the lines back: only its task may log
    if (variable := _worker_variable()) is not None:
        variable.set(invocation_id)


def _log_within(invocation: Context, record: logging.LogRecord) -> None:
    # The record's own context has an invocation that has ended, or none: its line would be dropped.
    _invocation.set(invocation.get(_invocation))
    if (variable := _worker_variable()) is not None:
        variable.set(invocation.get(variable))
    logging.getLogger().callHandlers(record)


def _invocation_id(task: "asyncio.Task[object]") -> object:
    # With another worker, or in a test, no task has an invocation id.
    return getattr(task, INVOCATION_ID_ATTRIBUTE, None)


def _dropped(count: int) -> logging.LogRecord:
    text = "%d older log lines were dropped: too many came between two invocations"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (count,), None)
