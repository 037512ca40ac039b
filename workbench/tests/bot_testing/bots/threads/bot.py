"""ThreadsBot: does its work in threads, each with an event loop of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botbuilder.core import ActivityHandler, TurnContext

from cloud_adapter.bot.services import BotServices

type Work = Callable[[BotServices, TurnContext], Coroutine[Any, Any, None]]


class ThreadsBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """A message is `WAY WORK`: how a thread is started, and what runs in it.

    Attributes:
        works: what a test adds, by name.
    """

    def __init__(self, services: BotServices) -> None:
        super().__init__()
        self._services = services
        self._count = services.conversation_state.create_property("count")
        self.works: dict[str, Work] = {
            "say": self._say,
            "count": self._count_up,
            "commit": self._commit,
            "proceed": self._proceed,
        }
        self._ways: dict[str, Callable[[Work, TurnContext], Coroutine[Any, Any, object]]] = {
            "here": self._here,
            "to_thread": self._to_thread,
            "callback": self._callback,
            "executor": self._executor,
            "thread": self._thread,
            "join": self._join,
            "result": self._result,
        }

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Do the work."""
        way, _, work = turn_context.activity.text.partition(" ")
        await self._ways[way](self.works[work], turn_context)
        await turn_context.send_activity("done")

    def _run(self, work: Work, turn: TurnContext) -> None:
        asyncio.run(work(self._services, turn))

    async def _here(self, work: Work, turn: TurnContext) -> None:
        await work(self._services, turn)

    async def _to_thread(self, work: Work, turn: TurnContext) -> None:
        await asyncio.to_thread(self._run, work, turn)

    async def _callback(self, work: Work, turn: TurnContext) -> None:
        # The coroutine is made on the bot's loop, and awaited on another one.
        await asyncio.to_thread(asyncio.run, work(self._services, turn))

    async def _executor(self, work: Work, turn: TurnContext) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self._run, work, turn)

    async def _thread(self, work: Work, turn: TurnContext) -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def run() -> None:
            try:
                self._run(work, turn)
            finally:
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=run).start()
        await done.wait()

    async def _join(self, work: Work, turn: TurnContext) -> None:
        thread = threading.Thread(target=self._run, args=(work, turn))
        thread.start()
        thread.join()

    async def _result(self, work: Work, turn: TurnContext) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self._run, work, turn).result()

    async def _say(self, _: BotServices, turn: TurnContext) -> None:
        await turn.send_activity("said")

    async def _count_up(self, services: BotServices, turn: TurnContext) -> None:
        count = await self._count.get(turn, lambda: 0) + 1
        await self._count.set(turn, count)
        await services.conversation_state.save_changes(turn)
        await turn.send_activity(f"count {count}")

    async def _commit(self, services: BotServices, turn: TurnContext) -> None:
        await self._count_up(services, turn)
        await services.conversation_state.save_changes(turn, force=True)

    async def _proceed(self, services: BotServices, turn: TurnContext) -> None:
        async def count_up(inner: TurnContext) -> None:
            await self._count_up(services, inner)

        reference = TurnContext.get_conversation_reference(turn.activity)
        await services.adapter.continue_conversation(reference, count_up, services.app_id)
