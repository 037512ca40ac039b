"""BusyBot: a command for each thing that a test of the kit needs."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import Activity

from cloud_adapter.bot.services import BotServices

log = logging.getLogger(__name__)


@dataclass
class Profile:
    """What the bot knows of a user."""

    name: str


class BusyBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Runs a command: a message's first word; the rest is its argument.

    Attributes:
        runs: how many turns this process has run.
        released: the last `later` fails once it is set.
    """

    runs = 0
    released: asyncio.Event

    def __init__(self, services: BotServices) -> None:
        super().__init__()
        self._services = services
        self._profile = services.user_state.create_property("profile")
        self._count = services.conversation_state.create_property("count")
        self._commands = {
            "count": self._on_count,
            "profile": self._on_profile,
            "sleep": self._on_sleep,
            "time": self._on_time,
            "fail": self._on_fail,
            "notify": self._on_notify,
            "later": self._on_later,
            "hang": self._on_hang,
            "runs": self._on_runs,
        }

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Run a command."""
        BusyBot.runs += 1
        command, _, argument = (turn_context.activity.text or "").partition(" ")
        await self._commands[command](turn_context, argument)

    async def _on_count(self, turn: TurnContext, _: str) -> None:
        count = await self._count.get(turn, lambda: 0) + 1
        await self._count.set(turn, count)
        await turn.send_activity(f"Count: {count}")

    async def _on_profile(self, turn: TurnContext, name: str) -> None:
        await self._profile.set(turn, Profile(name))

    async def _on_sleep(self, turn: TurnContext, seconds: str) -> None:
        for text in ("first", "second"):
            await asyncio.sleep(float(seconds))
            await turn.send_activity(text)

    async def _on_time(self, turn: TurnContext, _: str) -> None:
        await turn.send_activity(f"{time.time()}")

    async def _on_fail(self, turn: TurnContext, text: str) -> None:
        await turn.send_activity(Activity(type="message", text="Now I fail."))
        raise ZeroDivisionError(text)

    async def _on_notify(self, _: TurnContext, text: str) -> None:
        await self._services.notify("all", text)

    async def _on_later(self, turn: TurnContext, text: str) -> None:
        BusyBot.released = released = asyncio.Event()

        async def fail(_: TurnContext) -> None:
            log.warning("The busy bot is about to fail")
            await released.wait()
            raise ZeroDivisionError(text)

        reference = TurnContext.get_conversation_reference(turn.activity)
        adapter, app_id = self._services.adapter, self._services.app_id

        async def run() -> None:
            with contextlib.suppress(ZeroDivisionError):
                await adapter.continue_conversation(reference, fail, app_id)

        self._later = asyncio.create_task(run())

    async def _on_hang(self, _: TurnContext, __: str) -> None:
        await asyncio.Event().wait()

    async def _on_runs(self, turn: TurnContext, _: str) -> None:
        await turn.send_activity(f"Runs: {BusyBot.runs}")
