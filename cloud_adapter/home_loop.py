"""The bot's event loop, on which calls from all other event loops run.

Connections, locks and turns belong to this one loop. The bot's code may have others: in a thread,
`asyncio.run(context.send_activity(...))` makes one, and so do callbacks of AI libraries and
schedulers.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextvars import Context, copy_context
from typing import Any

from cloud_adapter.errors import CallWithdrawn

BEGIN_SECONDS = 5.0
"""The time for which a call waits until the bot's event loop begins it."""

_home: asyncio.AbstractEventLoop | None = None


def bind(loop: asyncio.AbstractEventLoop | None) -> None:
    """Set the bot's event loop of this process; None: each call runs on its caller's."""
    global _home  # a process has one app, and its callers do not know which
    _home = loop


def on_home_loop[**Arguments, Result](
    function: Callable[Arguments, Coroutine[Any, Any, Result]],
) -> Callable[Arguments, Coroutine[Any, Any, Result]]:
    """Decorate a coroutine function: awaited on another event loop, it runs on the bot's.

    A call with a TurnContext among its arguments runs as a part of that turn: it finds the turn's
    lock and trace, and what it leaves in contextvars is the turn's. Any other call runs in a copy
    of its caller's contextvars. If the caller is cancelled, so is the call. If no event loop of a
    bot runs, the call runs where it is awaited.

    The decorated function also raises CallWithdrawn, and RuntimeError if the bot's event loop ends
    before the call does.
    """

    @functools.wraps(function)
    async def called(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        # Not when the coroutine is made: asyncio.run(...) often gets one from the bot's own loop.
        home = _home
        if home is None or home is asyncio.get_running_loop() or not home.is_running():
            return await function(*args, **kwargs)
        context = _context_of_turn((*args, *kwargs.values())) or copy_context()
        return await _run_on(home, functools.partial(function, *args, **kwargs), context)

    return called


def _context_of_turn(arguments: Iterable[object]) -> Context | None:
    """The contextvars of the turn whose TurnContext is among the arguments of a call."""
    contexts = (getattr(each, "task_context", None) for each in arguments)
    return next((each for each in contexts if isinstance(each, Context)), None)


async def _run_on[Result](
    home: asyncio.AbstractEventLoop,
    call: Callable[[], Coroutine[Any, Any, Result]],
    context: Context,
) -> Result:
    outcome: Future[Result] = Future()  # both threads agree on its state: begun, or withdrawn
    tasks: list[asyncio.Task[None]] = []

    async def run(before: Context) -> None:
        try:
            result = await call()
        except BaseException as error:  # noqa: BLE001  # the caller's: an exit would end the loop
            keep(before)
            outcome.set_exception(error)
        else:
            keep(before)
            outcome.set_result(result)

    def keep(before: Context) -> None:
        # What the call has set for good is the turn's: the lock that it has taken, for one.
        for variable, value in copy_context().items():
            if before.get(variable) is not value:
                context.run(variable.set, value)

    def begin() -> None:
        if outcome.set_running_or_notify_cancel():
            # In a copy: of calls at the same time, each has a current span of its own.
            task = home.create_task(run(context.copy()), context=context.copy())
            task.add_done_callback(end)
            tasks.append(task)

    def end(task: asyncio.Task[None]) -> None:
        if task.cancelled():  # before its first step
            outcome.set_exception(asyncio.CancelledError())

    def cancel() -> None:
        for task in tasks:  # none, if it was withdrawn
            task.cancel()

    home.call_soon_threadsafe(begin)
    answer = asyncio.wrap_future(outcome)
    try:
        while not (await asyncio.wait((answer,), timeout=BEGIN_SECONDS))[0]:
            if outcome.cancel():
                raise CallWithdrawn(BEGIN_SECONDS)
            if not home.is_running():
                raise RuntimeError("Event loop is closed")
        return answer.result()
    except asyncio.CancelledError:
        outcome.cancel()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            home.call_soon_threadsafe(cancel)
        answer.cancel()  # nobody reads it
        raise
