"""The bot's code may exit, be cancelled or run for ever: then its turn fails, and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from cloud_adapter.errors import BotCancelled, BotExited, BotTimedOut


@contextlib.contextmanager
def exits_are_failures() -> Iterator[None]:
    """The block calls the bot's code: a `sys.exit` there fails the block, and nothing else.

    A SystemExit that leaves a task ends the event loop, even if another task catches it. And if a
    CancelledError leaves a function that nobody cancels, the worker never answers its host.

    Raises:
        BotExited: the bot's code, or a thread that it waits for, called `sys.exit`.
        BotCancelled: the bot's code has cancelled a task, and waited for it.
    """
    try:
        yield
    except SystemExit as error:
        raise BotExited(error.code) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BotCancelled from error


@contextlib.asynccontextmanager
async def limited_bot_code(seconds: float | None) -> AsyncIterator[None]:
    """As `exits_are_failures`; the block is also cancelled if it takes too long.

    A bot that catches the cancellation, and goes on, is left to it.

    Args:
        seconds: that the block may take; None: any time.

    Raises:
        BotExited, BotCancelled: see `exits_are_failures`.
        BotTimedOut: the block has been cancelled.
    """
    try:
        with exits_are_failures():
            async with asyncio.timeout(seconds) as limit:
                yield
    except TimeoutError as error:
        # The bot's own TimeoutError remains what it is.
        if limit.expired() and isinstance(error.__cause__, asyncio.CancelledError):
            raise BotTimedOut(seconds) from error
        raise
