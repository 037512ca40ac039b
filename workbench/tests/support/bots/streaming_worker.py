"""StreamingWorker: a process whose bot answers with a Reply, and the model that it asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from botbuilder.core import TurnContext

from cloud_adapter.adapter import TurnResponse
from cloud_adapter.reply import Reply
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.set_aside_turns import attempted
from tests.support.logic import woken
from tests.support.storage.queue_messages import QueueMessages
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.streamed_chat import StreamedChat

ANSWER = "One two three"

Step = Callable[[], Awaitable[object]]


class Model:
    """A language model, whose answer is ANSWER, in three pieces.

    The first run's answer grows when the user sees what there is. Later ones have all the time in
    the world for parts, which nobody should send.

    Args:
        chat: the user's.
        clock: the event loop's.

    Attributes:
        asked: how often it was asked.
        steps: what happens in the first answer after a piece, by the number of pieces.
    """

    def __init__(self, chat: StreamedChat, clock: MovedClock) -> None:
        self.asked = 0
        self.steps: dict[int, Step] = {}
        self._chat = chat
        self._clock = clock

    async def answer(self) -> AsyncIterator[str]:
        """An answer."""
        self.asked += 1
        is_first, text = self.asked == 1, ""
        for number, piece in enumerate(("", "One", " two", " three")):
            text += piece
            if piece:
                yield piece
            if is_first and number in (1, 2):
                await self._chat.shows(text)
            elif number == 1:
                self._clock.move(0.5)  # more than the wait for the first part
                await settled()
            if is_first and number in self.steps:
                await self.steps[number]()


class StreamingWorker:
    """A process, and the turns of the user's one message in it.

    Args:
        app: the process.
        chat: the user's.
        model: the bot's.
        wake_ups: the queue of wake-up messages; None: turns run inline.
        has_state: the bot counts its turns.

    Attributes:
        reply: makes the bot's Reply.
        update: what the bot says that it does, before it asks the model.
        afterwards: what the bot does in the end.
    """

    def __init__(
        self,
        app: ComposedApp,
        chat: StreamedChat,
        model: Model,
        wake_ups: QueueMessages | None,
        *,
        has_state: bool,
    ) -> None:
        self.app = app
        self.update = ""
        self.afterwards: Callable[[TurnContext], Awaitable[object]] | None = None
        self.reply: Callable[[TurnContext], Reply] = Reply
        self._chat = chat
        self._model = model
        self._wake_ups = wake_ups
        self._count = app.parts.services.conversation_state.create_property("count")
        self.has_state = has_state

    async def bot(self, turn: TurnContext) -> None:
        """The turn."""
        if self.has_state:
            await self._count.set(turn, await self._count.get(turn, lambda: 0) + 1)
        async with self.reply(turn) as reply:
            if self.update:
                reply.update(self.update)
            await reply.stream(self._model.answer())
        if self.afterwards is not None:
            await self.afterwards(turn)

    @property
    def is_queued(self) -> bool:
        """Whether its turns are queued."""
        return self._wake_ups is not None

    async def deliver(self, **more: Any) -> TurnResponse:
        """Hand the message to it as the channel does."""
        return await self.app.deliver(self._chat.message(more), self.bot)

    async def enqueue(self) -> str:
        """Let it store the message; returns the wake-up message, empty: turns run inline."""
        if self._wake_ups is None:
            return ""
        assert (await self.deliver()).status == 202
        return (await self._wake_ups.taken())[0]

    async def run(self, message: str) -> None:
        """Run the message's turn, for the first time or because it could not run before."""
        if message:
            await woken(self.app, message, self.bot)
        else:
            assert (await self.deliver()).status == 200

    async def run_once(self, earlier_attempts: int = 0) -> str:
        """Let it take the message, and run its turn; returns what `enqueue` does."""
        message = await self.enqueue()
        await self.run(await attempted(self.app, message, earlier_attempts) if message else "")
        return message


class Death:
    """Ends a worker at one of its calls: from then on, none is answered any more.

    Attributes:
        is_over: the worker has ended.
    """

    def __init__(self) -> None:
        self.is_over = asyncio.Event()
        self._is_buried = asyncio.Event()

    async def stay(self) -> None:
        """What a call waits for."""
        self.is_over.set()
        await self._is_buried.wait()

    def bury(self) -> None:
        """Let its calls break off."""
        self._is_buried.set()
