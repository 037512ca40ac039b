"""The limit of what a request waits for before the bot's code."""

import asyncio

import pytest

from cloud_adapter.deadlines import START_SECONDS, StartLimit
from cloud_adapter.errors import StartTimedOut


def expired_limit() -> StartLimit:
    """The limit of a request whose time is over: it fires when the request waits."""
    return StartLimit(asyncio.get_running_loop().time() - START_SECONDS, "a service")


def current_task() -> "asyncio.Task[object]":
    """The task of the test."""
    task = asyncio.current_task()
    assert task is not None
    return task


async def test_a_request_that_need_not_wait() -> None:
    """It is not cut off, however late it is."""
    with expired_limit() as limit:
        pass
    await asyncio.sleep(0)
    assert not limit.expired
    assert not current_task().cancelling()


async def test_an_error_in_place_of_the_cancellation() -> None:
    """It is raised as it is, and the task is not cancelled any more."""

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("its own") from None

    with pytest.raises(ValueError, match="its own"), expired_limit():
        await work()
    assert not current_task().cancelling()


async def test_another_cancellation_of_the_task() -> None:
    """It is not taken for the limit's: a process that ends cancels its tasks."""

    async def work() -> None:
        with expired_limit():
            try:
                await asyncio.Event().wait()
            finally:
                current_task().cancel()

    task = asyncio.create_task(work())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_next_wait() -> None:
    """After its error, the task goes on."""
    with pytest.raises(StartTimedOut, match=r"^a service took too long"), expired_limit():
        await asyncio.Event().wait()
    await asyncio.sleep(0)
