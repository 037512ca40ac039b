"""Reply in turns that run again: nothing is said twice, and no bubble stays for ever."""

import asyncio
import contextlib
import functools

import pytest
from botbuilder.core import TurnContext

from auth.errors import Unavailable
from cloud_adapter.errors import ConversationBusy
from cloud_adapter.reply import Reply
from tests.support.bots.remembering_bot import changed, stored
from tests.support.bots.streaming_worker import ANSWER, Model, StreamingWorker
from tests.support.storage.storage_front import StorageFront, answered
from tests.support.wire.streamed_chat import ID, KEY, STREAMED, StreamedChat, refusal

pytestmark = pytest.mark.extended

WRITE = "PUT blob bot-state"
GROUP = {"conversation": {"id": ID, "conversationType": "groupChat", "isGroup": True}}


class Held:
    """What a turn waits for until the test lets it go on.

    Attributes:
        arrived: the turn waits.
        goes_on: lets it go on.
    """

    def __init__(self) -> None:
        self.arrived, self.goes_on = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        """Wait."""
        self.arrived.set()
        await self.goes_on.wait()


async def test_a_delivery_while_the_answer_streams(
    inline: StreamingWorker, model: Model, chat: StreamedChat
) -> None:
    """It waits, and gets 503; no second stream is opened, and no model asked."""
    held = Held()
    model.steps[1] = held
    first = asyncio.create_task(inline.deliver())
    await held.arrived.wait()
    second = asyncio.create_task(inline.deliver())
    await chat.passes(second.done)
    with pytest.raises(ConversationBusy):
        await second
    held.goes_on.set()
    assert (await first).status == 200
    assert (chat.shown, chat.taken(), model.asked) == ([ANSWER], STREAMED, 1)


@pytest.mark.parametrize("mode", ["Inline"], indirect=True)
async def test_a_delivery_to_another_process(
    worker: StreamingWorker,
    other: StreamingWorker,
    model: Model,
    chat: StreamedChat,
) -> None:
    """It is the same while the answer streams in this one."""
    held = Held()
    model.steps[1] = held
    first = asyncio.create_task(worker.deliver())
    await held.arrived.wait()
    second = asyncio.create_task(other.deliver())
    await chat.passes(second.done)
    with pytest.raises(Unavailable):
        await second
    held.goes_on.set()
    assert (await first).status == 200
    assert (chat.shown, chat.taken(), model.asked) == ([ANSWER], STREAMED, 1)


async def test_a_delivery_after_the_answer(
    inline: StreamingWorker, model: Model, chat: StreamedChat
) -> None:
    """It is answered 200, and that is all."""
    for _ in range(2):
        assert (await inline.deliver()).status == 200
    assert (chat.shown, chat.taken(), model.asked) == ([ANSWER], STREAMED, 1)


@pytest.mark.parametrize("mode", ["Queued"], indirect=True)
async def test_a_message_that_is_queued_twice(
    worker: StreamingWorker, model: Model, chat: StreamedChat
) -> None:
    """It has one turn."""
    for _ in range(2):
        await worker.run_once()
    assert (chat.shown, chat.taken(), model.asked) == ([ANSWER], STREAMED, 1)


@pytest.mark.parametrize("has_state", [True], indirect=True)
async def test_a_conflict_at_the_end(
    inline: StreamingWorker, model: Model, chat: StreamedChat
) -> None:
    """The turn runs again, and its answer takes the place of the first."""
    model.steps[2] = functools.partial(changed, inline.app, KEY, "count", 10)
    assert (await inline.deliver()).status == 200
    assert (chat.shown, chat.taken(), model.asked) == ([ANSWER], [*STREAMED, "replace"], 2)
    assert (await stored(inline.app, KEY))["count"] == 11


@pytest.mark.parametrize("mode", ["Queued"], indirect=True)
@pytest.mark.parametrize("has_state", [True], indirect=True)
async def test_a_conflict_at_the_end_of_a_queued_turn(
    worker: StreamingWorker, model: Model, chat: StreamedChat
) -> None:
    """It is the same."""
    model.steps[2] = functools.partial(changed, worker.app, KEY, "count", 10)
    await worker.run(await worker.run_once())
    assert (chat.shown, chat.taken(), model.asked) == ([ANSWER], [*STREAMED, "replace"], 2)


async def failing_later(_: TurnContext) -> None:
    """The turn cannot end, and runs again."""
    raise Unavailable("later")


async def run_twice(worker: StreamingWorker) -> str:
    """A turn that cannot end, and its rerun."""
    worker.afterwards = failing_later
    message = await worker.enqueue()
    if message:
        await worker.run(message)
    else:
        with pytest.raises(Unavailable):
            await worker.deliver()
    worker.afterwards = None
    await worker.run(message)
    return message


async def test_a_message_that_cannot_be_replaced(
    worker: StreamingWorker, chat: StreamedChat
) -> None:
    """One new message has the answer, and the next rerun replaces that one."""
    chat.answers["replace"] = refusal("the message is not there")
    worker.afterwards = failing_later
    message = await worker.enqueue()
    for _ in range(2):
        if message:
            await worker.run(message)
        else:
            with pytest.raises(Unavailable):
                await worker.deliver()
    assert (chat.shown, chat.taken()) == ([ANSWER] * 2, [*STREAMED, "replace", "message"])
    chat.answers.clear()
    worker.afterwards = None
    await worker.run(message)
    assert (chat.shown, chat.taken()) == ([ANSWER] * 2, ["replace"])


async def test_a_message_that_the_user_has_stopped(
    worker: StreamingWorker, chat: StreamedChat
) -> None:
    """It stays as it is, and nothing follows."""
    chat.answers["replace"] = refusal("Content stream was cancelled by user.")
    await run_twice(worker)
    assert (chat.shown, chat.taken()) == ([ANSWER], [*STREAMED, "replace"])


async def test_two_replies_in_a_turn(worker: StreamingWorker, chat: StreamedChat) -> None:
    """Each one's message is replaced by its own."""

    async def more_and_fail(turn: TurnContext) -> None:
        await more(turn)
        raise Unavailable("later")

    async def more(turn: TurnContext) -> None:
        async with Reply(turn, empty="That is all."):
            pass

    worker.afterwards = more_and_fail
    message = await worker.enqueue()
    with contextlib.suppress(Unavailable):
        await worker.run(message)
    assert (chat.shown, chat.taken()) == ([ANSWER, "That is all."], [*STREAMED, "message"])
    worker.afterwards = more
    await worker.run(message)
    assert (chat.shown, chat.taken()) == ([ANSWER, "That is all."], ["replace"] * 2)


@pytest.mark.parametrize("mode", ["Inline"], indirect=True)
async def test_a_group_chat(worker: StreamingWorker, chat: StreamedChat, model: Model) -> None:
    """The plain message's id is stored as well, so that a rerun replaces it."""
    model.asked = 1
    worker.afterwards = failing_later
    with pytest.raises(Unavailable):
        await worker.deliver(**GROUP)
    worker.afterwards = None
    await worker.deliver(**GROUP)
    assert (chat.shown, chat.taken()) == ([ANSWER], ["message", "replace"])


@pytest.mark.parametrize("step", ["mark", "id"])
async def test_storage_that_fails(
    worker: StreamingWorker,
    chat: StreamedChat,
    model: Model,
    front: StorageFront,
    step: str,
) -> None:
    """The turn is unavailable, and its rerun sends the whole answer."""
    message = await worker.enqueue()
    front.spoil(WRITE, answered(403), skip=0 if step == "mark" else 1)
    if message:
        await worker.run(message)
    else:
        with pytest.raises(Unavailable):
            await worker.deliver()
    begun = chat.shown
    assert chat.taken() == ([] if step == "mark" else ["part", "final"])
    front.heal()
    await worker.run(message)
    assert chat.shown == [*begun, ANSWER]
    assert model.asked == 2
