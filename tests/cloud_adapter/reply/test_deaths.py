"""Reply in processes that die: the user gets the answer from the next one."""

import asyncio
import contextlib

import pytest
from aiohttp import web
from aiohttp.web import StreamResponse

from auth.errors import Unavailable
from tests.support.bots.streaming_worker import ANSWER, Death, Model, StreamingWorker
from tests.support.storage.broken_leases import break_leases
from tests.support.storage.storage_front import Pass, Passage, StorageFront
from tests.support.wire.scripted_service import ScriptedService
from tests.support.wire.streamed_chat import StreamedChat

pytestmark = pytest.mark.extended

WRITE = "PUT blob bot-state"

STEPS = ["mark", "first part", "id", "second part", "final", "end"]
"""What a turn writes and calls, in order."""

LOST = {("first part", True), ("id", False)}
"""Deaths after which nobody knows the id of a message that has begun."""


def die_at(
    step: str,
    service: ScriptedService,
    front: StorageFront,
    chat: StreamedChat,
    death: Death,
    *,
    is_done: bool,
) -> None:
    """Let the worker die at a step, once it is carried out, or before."""
    steps = iter(STEPS)

    def is_last() -> bool:
        return death.is_over.is_set() or next(steps, "") == step

    async def storage(passage: Passage, passed: Pass) -> StreamResponse:
        if passage.call.name != WRITE and not death.is_over.is_set():
            return await passed()
        is_first = not death.is_over.is_set()
        if not is_last():
            return await passed()
        if is_first and is_done:
            await passed()
        await death.stay()
        return passage.cut()

    async def connector(request: web.Request) -> StreamResponse:
        if death.is_over.is_set() or not is_last():
            return await chat.answer(request)  # or it is the next worker's call
        if is_done:
            await chat.answer(request)
        await death.stay()
        return web.Response(status=400)

    front.spoil("", storage)
    service.otherwise = connector


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("step", STEPS)
async def test_a_death_at_each_step(
    worker: StreamingWorker,
    other: StreamingWorker,
    front: StorageFront,
    storage: str,
    service: ScriptedService,
    model: Model,
    chat: StreamedChat,
    step: str,
    is_done: bool,
) -> None:
    """The rerun never streams: it replaces the message whose id is known, or sends a new one."""
    death = Death()
    message = await worker.enqueue()
    die_at(step, service, front, chat, death, is_done=is_done)
    turn = asyncio.create_task(worker.run(message))
    await death.is_over.wait()
    await break_leases(storage)
    place, begun = (STEPS.index(step), is_done), chat.shown
    chat.taken()
    await other.run(message)
    if place == (0, False):  # nothing has begun
        assert (chat.shown, chat.calls[0], chat.calls[-1]) == ([ANSWER], "part", "final")
    elif place < (2, True):
        assert (chat.shown, chat.taken()) == ([*begun, ANSWER], ["message"])
        assert begun == (["One…"] if (step, is_done) in LOST else [])
    elif place < (5, True):
        assert (chat.shown, chat.taken()) == ([ANSWER], ["replace"])
    else:
        assert (chat.shown, chat.taken(), model.asked) == ([ANSWER], [], 1)
    death.bury()
    front.heal()
    turn.cancel()
    with contextlib.suppress(asyncio.CancelledError, Unavailable):
        await turn
