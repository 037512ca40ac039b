"""InvocationTask: which invocation a log line belongs to, by the rules of the cloud's worker.

Source: azure-functions-python-worker, workers/proxy_worker/dispatcher.py (ContextEnabledTask,
get_current_invocation_id). What a callback logs gets there the id of the invocation that started
last, whether or not that one still runs: here it belongs to none, so that nothing relies on luck.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from azure_functions_runtime import invocation_id_cv

MARK = "__azure_function_invocation_id__"
"""The attribute that the cloud's worker gives its tasks."""

_running: set[str] = set()


class InvocationTask(asyncio.Task[Any]):
    """A task that belongs to the invocation, if any, of the task that created it."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        *,
        loop: asyncio.AbstractEventLoop,
        **options: Any,  # whatever this version's event loop gives the tasks that it makes
    ) -> None:
        super().__init__(coroutine, loop=loop, **options)
        setattr(self, MARK, getattr(asyncio.current_task(loop), MARK, None))


def mark_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """From now on, let every task that this loop makes know its invocation."""
    loop.set_task_factory(
        lambda loop, coroutine, **options: InvocationTask(coroutine, loop=loop, **options)
    )


@contextmanager
def running(invocation_id: str) -> Iterator[None]:
    """Let the current task, and what it creates, belong to an invocation that runs meanwhile."""
    task = asyncio.current_task()
    if isinstance(task, InvocationTask):  # a task of before `mark_tasks` cannot be marked
        setattr(task, MARK, invocation_id)
    _running.add(invocation_id)
    try:
        yield
    finally:
        _running.discard(invocation_id)


def in_running_invocation() -> bool:
    """Whether what runs now belongs to an invocation that has not ended yet."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a thread without an event loop
        task = None
    found = getattr(task, MARK, None) or invocation_id_cv.get()
    return found in _running
