"""InvocationTask: which invocation a log line belongs to, by the rules of Azure's worker.

Source: azure-functions-python-worker, workers/proxy_worker/dispatcher.py (ContextEnabledTask,
get_current_invocation_id). There, a line that a callback logs gets the id of the invocation that
started last, even if it has ended. Here it belongs to no invocation: code must not rely on that.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from azure_functions_runtime import invocation_id_cv

MARK = "__azure_function_invocation_id__"
"""The attribute with a task's invocation id, as Azure's worker names it."""

_running: set[str] = set()


class InvocationTask(asyncio.Task[Any]):
    """A task that belongs to the invocation, if any, of the task that created it."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        *,
        loop: asyncio.AbstractEventLoop,
        **options: Any,  # which ones the event loop passes depends on its version
    ) -> None:
        super().__init__(coroutine, loop=loop, **options)
        setattr(self, MARK, getattr(asyncio.current_task(loop), MARK, None))


def mark_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Make every task that this loop creates from now on an InvocationTask."""
    loop.set_task_factory(
        lambda loop, coroutine, **options: InvocationTask(coroutine, loop=loop, **options)
    )


@contextmanager
def running(invocation_id: str) -> Iterator[None]:
    """The block is an invocation: the current task and those that it creates belong to it."""
    task = asyncio.current_task()
    if isinstance(task, InvocationTask):  # a task made before `mark_tasks` cannot be marked
        setattr(task, MARK, invocation_id)
    _running.add(invocation_id)
    try:
        yield
    finally:
        _running.discard(invocation_id)


def in_running_invocation() -> bool:
    """Whether the code that is running belongs to an invocation that has not ended."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a thread without an event loop
        task = None
    found = getattr(task, MARK, None) or invocation_id_cv.get()
    return found in _running
