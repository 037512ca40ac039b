"""Processes that die or stand still at any of their requests, and others that do what is left."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest
from aiohttp.web import StreamResponse

from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from cloud_adapter.queued.inbox import FAILED, MIN_TRUNCATED_BYTES
from cloud_adapter.queued.wake_up import SLOW_APPEND_SECONDS, WakeUp
from cloud_adapter.state.stored_state import LoadedState
from cloud_adapter.storage.account import StorageAccount
from tests.support.bots.queued_turns import (
    CONVERSATION,
    QueuedTurnsBot,
    content,
    id_of,
    name_of,
)
from tests.support.storage.broken_leases import break_leases
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import Pass, Passage, StorageFront
from tests.support.timing.moved_clock import MovedClock

OWN = "tests/cloud_adapter/queued/test_dying_processes.py"


def steps(*bounds: int) -> list[Any]:
    """The numbers of requests: `make test` takes every fifth."""
    extended = pytest.mark.extended(covered_by=[OWN])
    return [
        each if each % 5 == 0 else pytest.param(each, marks=extended) for each in range(*bounds)
    ]


class Death:
    """A fault that ends a process: none of its requests is answered any more.

    Args:
        is_done: the request at which the process ends is carried out.

    Attributes:
        is_over: the process has ended.
    """

    def __init__(self, *, is_done: bool) -> None:
        self.is_over = asyncio.Event()
        self._is_done = is_done

    async def __call__(self, passage: Passage, passed: Pass) -> StreamResponse:
        """The fault."""
        is_first = not self.is_over.is_set()
        self.is_over.set()
        if self._is_done and is_first:
            await passed()
        return passage.cut()


class Story:
    """What a process does until it dies.

    The turn of `a` takes over `d`; `b` is large, so that the inbox is truncated; `c` raises.

    Args:
        process: the process.
        messages: its wake-up messages.
        failures: how often the turn of `c` raises.

    Attributes:
        accepted: ids of the activities that were answered 202.
        pending: wake-up messages that were received, and not handled.
    """

    def __init__(self, process: QueuedTurnsBot, messages: QueueMessages, failures: int) -> None:
        self.accepted: list[str] = []
        self.pending: list[str] = []
        self._process = process
        self._messages = messages
        process.script.update({"a": [self._accept_more], "c": [LookupError()] * failures})

    async def run(self) -> None:
        """Accept activities, and process them."""
        for each in "abc":
            await self._accept(each)
        while True:
            self.pending = await self._messages.taken()
            if not self.pending:
                return
            while self.pending:
                await self._process.wake_up(self.pending[0])
                self.pending.pop(0)

    async def _accept_more(self) -> None:
        await self._accept("d")

    async def _accept(self, activity_id: str) -> None:
        text = "x" * MIN_TRUNCATED_BYTES if activity_id == "b" else "hello"
        await self._process.accept(content(activity_id, text=text))
        self.accepted.append(activity_id)


async def until_death(story: Story, death: Death, storage: str) -> None:
    """Run a story until the process dies, or to its end."""
    telling = asyncio.create_task(story.run())
    ended = asyncio.create_task(death.is_over.wait())
    await asyncio.wait({telling, ended}, return_when=asyncio.FIRST_COMPLETED)
    for each in (telling, ended):
        each.cancel()
        with contextlib.suppress(asyncio.CancelledError, StorageUnavailable):
            await each
    await break_leases(storage)


async def take_over(other: QueuedTurnsBot, story: Story, messages: QueueMessages) -> None:
    """Let another process do what is left: the host delivers again what was not handled."""
    for dequeue_count, message in zip([2, *[1] * 9], story.pending, strict=False):
        await other.wake_up(message, dequeue_count)
    await other.settle(messages)


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("skip", steps(45))
async def test_a_death_at_each_step(
    far: QueuedTurnsBot,
    other: QueuedTurnsBot,
    front: StorageFront,
    messages: QueueMessages,
    poison: QueueMessages,
    storage: str,
    skip: int,
    is_done: bool,
) -> None:
    """Whichever request is a process's last one, nothing is lost, done twice or out of order."""
    death = Death(is_done=is_done)
    front.spoil("", death, skip=skip)
    story = Story(far, messages, failures=2)
    await until_death(story, death, storage)
    await take_over(other, story, messages)
    state = LoadedState(await other.states.read(CONVERSATION))
    processed = [each for each in "abcd" if id_of(each) in state.turn_ids]
    assert set(story.accepted) <= set(processed)
    assert await other.count() == len(state.turn_ids) == len(processed)
    in_order = [each for each in map(id_of, "abd") if each in state.turn_ids]
    assert [each for each in state.turn_ids if each != id_of("c")] == in_order
    assert await poison.count() == 0
    assert death.is_over.is_set() or skip > 38  # the story has about 40 requests


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("skip", steps(28, 70))
async def test_a_death_before_a_dead_letter(
    far: QueuedTurnsBot,
    other: QueuedTurnsBot,
    front: StorageFront,
    messages: QueueMessages,
    poison: QueueMessages,
    storage: str,
    skip: int,
    is_done: bool,
) -> None:
    """The same, while the attempts of a turn that always raises are counted."""
    death = Death(is_done=is_done)
    front.spoil("", death, skip=skip)
    story = Story(far, messages, failures=9)
    other.script["c"] = [LookupError()] * 9
    await until_death(story, death, storage)
    await take_over(other, story, messages)
    assert await other.count() == 3
    assert set(await poison.taken()) == {WakeUp(name_of("c")).text}
    set_aside = await other.set_aside_state("c")
    assert set_aside
    assert set_aside[0] == FAILED
    runs = Counter(far.runs + other.runs)["c"]
    assert MAX_ATTEMPTS - 1 <= runs <= MAX_ATTEMPTS + 1
    assert 1 <= len(far.lasts + other.lasts + far.killed + other.killed) <= 2
    assert death.is_over.is_set() or skip > 60


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("skip", steps(45))
async def test_a_pause_at_each_step(
    far_account: StorageAccount,
    other: QueuedTurnsBot,
    front: StorageFront,
    messages: QueueMessages,
    poison: QueueMessages,
    storage: str,
    clock: MovedClock,
    skip: int,
    is_done: bool,
) -> None:
    """A process stands still at any request, loses its lease, and goes on when another is done.

    Nothing is lost or done twice, and only the inbox remains.
    """
    far = QueuedTurnsBot(far_account, slow_append_seconds=SLOW_APPEND_SECONDS)
    story = Story(far, messages, failures=2)
    other.script["c"] = [LookupError()]

    async def pause(_: Passage, passed: Pass) -> StreamResponse:
        done = await passed() if is_done else None
        await break_leases(storage)
        await take_over(other, story, messages)
        # Between put and append, the pause makes a slow append.
        clock.move(SLOW_APPEND_SECONDS)
        return done or await passed()

    front.spoil("", pause, times=1, skip=skip)
    await story.run()
    await break_leases(storage)
    await other.settle(messages)
    state = LoadedState(await other.states.read(CONVERSATION))
    processed = {each for each in "abcd" if id_of(each) in state.turn_ids}
    assert set(story.accepted) <= processed
    assert await other.count() == len(state.turn_ids) == len(processed)
    assert [entry.name async for entry in other.blobs.list()] == [f"inbox/{CONVERSATION}"]
    assert await poison.count() == 0
