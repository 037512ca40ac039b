"""What a turn with a Reply stores of the message that it has begun."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp.web import StreamResponse
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from auth.errors import Unavailable
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.codec import read_model
from cloud_adapter.reply import Reply
from cloud_adapter.state.stored_state import POSITION_KEY, STREAMS_KEY, TURN_IDS_KEY
from cloud_adapter.state.turn import turn_id
from tests.support.bots.remembering_bot import changed
from tests.support.bots.streaming_worker import ANSWER, Model, StreamingWorker
from tests.support.storage.storage_front import Pass, Passage, StorageFront
from tests.support.wire.streamed_chat import KEY, STREAMED, StreamedChat

pytestmark = pytest.mark.extended

WRITE = "PUT blob bot-state"


class Writes:
    """The contents of the state's blob, one after the other.

    Args:
        front: through which they are written.
    """

    def __init__(self, front: StorageFront) -> None:
        self.contents: list[dict[str, Any]] = []
        front.spoil(WRITE, self._note)

    async def _note(self, passage: Passage, passed: Pass) -> StreamResponse:
        answer = await passed()
        if answer.status == 201:
            _, item = json.loads(await passage.text())
            item.pop(POSITION_KEY, None)
            self.contents.append(item)
        return answer


@pytest.fixture
def writes(worker: StreamingWorker, front: StorageFront) -> Writes:
    """Those of the worker."""
    assert worker
    return Writes(front)


def id_of(chat: StreamedChat, **more: Any) -> str:
    """The id of the message's turn."""
    return turn_id(read_model(Activity, chat.message(more)))


def stored(own: str, has_state: bool, *, message_id: str = "m1") -> list[dict[str, Any]]:
    """What is written in a turn, in order."""
    begun = {"greeted": True, STREAMS_KEY: {f"{own}.0": ""}}
    known = {"greeted": True, STREAMS_KEY: {f"{own}.0": message_id}}
    count = {"count": 1} if has_state else {}
    return [begun, known, {"greeted": True, **count, TURN_IDS_KEY: [own]}]


async def test_what_a_turn_writes(
    worker: StreamingWorker, chat: StreamedChat, writes: Writes
) -> None:
    """That a message begins, and its id, without the bot's changes; in the end neither is left."""
    message = await worker.enqueue()
    writes.contents.clear()
    await worker.run(message)
    assert writes.contents == stored(id_of(chat), worker.has_state)


async def test_what_another_process_writes_meanwhile(
    worker: StreamingWorker,
    other: StreamingWorker,
    model: Model,
    chat: StreamedChat,
    writes: Writes,
) -> None:
    """It stays in all that follows, and so does what the turn has stored before."""

    async def write(name: str) -> None:
        writing = asyncio.create_task(changed(other.app, KEY, name, True))
        await chat.passes(writing.done)
        await writing

    async def before() -> None:
        await write("early")

    async def later() -> None:
        await write("late")

    model.steps = {0: before, 2: later}
    message = await worker.enqueue()
    writes.contents.clear()
    await worker.run(message)
    begun, known, end = stored(id_of(chat), worker.has_state)
    early, late = {"early": True}, {"early": True, "late": True}
    assert writes.contents == [begun | early, known | early, end | late]
    assert chat.taken() == STREAMED


@pytest.mark.parametrize("pieces", [0, 2])
async def test_forced_saving(
    worker: StreamingWorker, model: Model, chat: StreamedChat, writes: Writes, pieces: int
) -> None:
    """The turn never runs again, so from then on nothing is stored of its messages."""
    contexts = []
    state = worker.app.parts.services.conversation_state

    def reply(turn: TurnContext) -> Reply:
        contexts.append(turn)
        return Reply(turn)

    async def save() -> None:
        await state.save_changes(contexts[0], force=True)

    async def fail(_: TurnContext) -> None:
        raise Unavailable("later")

    worker.reply, model.steps[pieces], worker.afterwards = reply, save, fail
    message = await worker.enqueue()
    writes.contents.clear()
    await worker.run(message)
    await worker.run(message)
    expected = stored(id_of(chat), worker.has_state)
    assert writes.contents == (expected if pieces else expected[2:])
    assert (chat.shown, model.asked) == ([ANSWER, APOLOGY], 1)


@pytest.mark.parametrize("mode", ["Inline"], indirect=True)
async def test_an_activity_without_an_id(
    worker: StreamingWorker, model: Model, chat: StreamedChat, writes: Writes
) -> None:
    """Nothing is stored of its answer, which is sent anew if the activity comes again."""
    for count in (1, 2):
        model.asked = 0
        assert (await worker.deliver(id=None)).status == 200
        item = {"greeted": True, "count": count}
        assert writes.contents == ([item] if worker.has_state else [])
        writes.contents.clear()
    assert (chat.shown, chat.taken()) == ([ANSWER] * 2, STREAMED * 2)


@pytest.mark.parametrize("mode", ["Inline"], indirect=True)
async def test_an_invoke(worker: StreamingWorker, chat: StreamedChat, writes: Writes) -> None:
    """It is the same: an invoke needs an answer each time."""
    assert (await worker.deliver(type="invoke", name="task/fetch", value={})).status == 501
    item = {"greeted": True, "count": 1}
    assert writes.contents == ([item] if worker.has_state else [])
    assert (chat.shown, chat.taken()) == ([ANSWER], STREAMED)
