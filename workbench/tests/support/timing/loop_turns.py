"""Turns of the event loop, for code that waits for nothing but other tasks."""

import asyncio

TURNS = 20
"""More than any chain of awaits under test is long."""


async def settled() -> None:
    """Let every task run that can, until those that are left wait for the test."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def ended[Result](task: "asyncio.Task[Result]") -> Result:
    """What a task returns, or raises, that waits for nothing but other tasks.

    Raises:
        AssertionError: it waits for the test, or for time to pass.
    """
    await settled()
    assert task.done(), "the task has not ended"
    return await task
