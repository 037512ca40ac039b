"""Deliveries: activities on their way to the bot, and what became of them."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from bot_workbench.emulator.channel.channel import BotAnswer, Channel
from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.inspector.bot_status import UNKNOWN, BotStatus
from bot_workbench.emulator.teams.directory.backlog import Place
from bot_workbench.emulator.teams.directory.conversation import TeamsConversation

HOLD_SECONDS = 60.0
"""The time for which a message waits for a bot that cannot be reached."""

INVOKE_HOLD_SECONDS = 15.0
"""The time for which an invoke waits for a bot that is starting: a user waits for its answer."""

MIN_WAIT_SECONDS = 1.0
"""The shortest wait of an activity once those in front of it are delivered."""

SHOWN_AFTER_SECONDS = 0.2
"""Pages do not show a shorter wait."""

RETRY_SECONDS = 0.25
"""Between two attempts to reach the bot."""


REDELIVERY_SECONDS = 15.0
"""Between two deliveries of the same message; Teams' (MicrosoftDocs/msteams-docs issue 6084)."""


class Deliveries:
    """Delivers activities in the background, and publishes what becomes of each.

    As Teams does, it sends a conversation's activities without waiting for the bot's answer to the
    one before. It retries only what the bot did not get: a bot that answers too late, or with an
    error, gets no activity twice. Only where a conversation `redelivers`, each message that the bot
    got is delivered again, whatever its answer; Teams does so when there is none in time. Unlike
    Teams, it holds activities while the bot cannot be reached; they are delivered one after the
    other when it can, behind those under way.

    Args:
        channel: delivers.
        status: knows whether the bot answers.

    Attributes:
        hold_seconds: how long messages are held.
        invoke_hold_seconds: how long invokes are held while the bot is starting.
        min_wait_seconds: how long a message waits at least once those in front are delivered.
        redelivery_seconds: between two deliveries of the same message.
    """

    def __init__(self, channel: Channel, status: BotStatus) -> None:
        self.hold_seconds = HOLD_SECONDS
        self.invoke_hold_seconds = INVOKE_HOLD_SECONDS
        self.min_wait_seconds = MIN_WAIT_SECONDS
        self.redelivery_seconds = REDELIVERY_SECONDS
        self._channel = channel
        self._status = status
        self._reached = False
        self._tasks: set[asyncio.Task[None]] = set()

    def start(
        self, chat: TeamsConversation, activity: Activity, *, hold: float | None = None
    ) -> str:
        """Deliver an activity in the background.

        Args:
            chat: whose pages are informed.
            activity: as the bot gets it.
            hold: seconds to hold it while the bot cannot be reached; None: the usual time.

        Returns:
            The turn's trace id; empty if nobody watches.
        """
        turn = self._channel.new_turn()
        limit = self.hold_seconds if hold is None else hold
        self._run(self._deliver(chat, activity, turn, limit))
        return turn

    async def ask(self, activity: Activity) -> BotAnswer:
        """Deliver an invoke, once the bot has started, and return its answer."""
        try:
            async with asyncio.timeout(self.invoke_hold_seconds):
                await self._status.started()
        except TimeoutError:
            pass  # if the bot still cannot be reached, the answer says so
        return await self._channel.deliver(activity)

    async def close(self) -> None:
        """Cancel the deliveries in progress."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(
        self, chat: TeamsConversation, activity: Activity, turn: str, limit: float
    ) -> None:
        started = asyncio.get_running_loop().time()
        report = DeliveryReport(chat, activity["id"], turn)
        is_direct = self._reached and self._may_answer() and chat.backlog.is_empty
        report.publish("pending")
        with chat.backlog.place() as place:
            answer = await self._post(activity, turn) if is_direct else None
            if answer is None or not answer.sent:
                answer = await self._deliver_later(place, activity, report, limit)
        _note_answer(chat, activity, report, answer)
        if answer.sent and chat.redelivers and activity["type"] == "message":
            await self._deliver_again(chat, activity, started + self.redelivery_seconds)

    async def _deliver_again(self, chat: TeamsConversation, activity: Activity, at: float) -> None:
        # A bot that has not answered until then is not waited for any longer: see Channel.timeout.
        await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
        report = DeliveryReport(chat, activity["id"], self._channel.new_turn())
        answer = await self._channel.deliver(activity, report.turn)
        _note_answer(chat, activity, report, answer)

    async def _post(self, activity: Activity, turn: str) -> BotAnswer:
        answer = await self._channel.deliver(activity, turn)
        self._reached = answer.sent
        return answer

    async def _deliver_later(
        self, place: Place, activity: Activity, report: "DeliveryReport", limit: float
    ) -> BotAnswer:
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        waiting = loop.call_later(SHOWN_AFTER_SECONDS, report.publish_held)
        try:
            await self._become_first(place, end)
            while True:
                # Those in front may have used up the time, though the bot can be reached now.
                async with asyncio.timeout_at(max(end, loop.time() + self.min_wait_seconds)):
                    await self._until_it_answers()
                waiting.cancel()
                report.publish_released()
                answer = await self._post(activity, report.turn)
                if answer.sent or loop.time() > end:
                    return answer
                report.publish_held()
                await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError:
            return self._channel.unreachable()
        finally:
            waiting.cancel()

    async def _become_first(self, place: Place, end: float) -> None:
        """Wait for the deliveries in front.

        Raises:
            TimeoutError: it is later than `end`, and those in front cannot reach the bot either.
        """
        while True:
            try:
                async with asyncio.timeout_at(end):
                    await place.become_first()
            except TimeoutError:
                if not (self._reached and self._may_answer()):
                    raise
                end = asyncio.get_running_loop().time() + self.hold_seconds
            else:
                return

    def _may_answer(self) -> bool:
        return self._status.answers or self._status.state == UNKNOWN

    async def _until_it_answers(self) -> None:
        """Return when the host reports it; without reports, when the bot's port is open."""
        while self._status.state == UNKNOWN:
            if await self._is_listening():
                return
            await asyncio.sleep(RETRY_SECONDS)
        await self._status.ready()

    async def _is_listening(self) -> bool:
        address = urlsplit(self._channel.bot_endpoint)
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            _, writer = await asyncio.open_connection(address.hostname, port)
        except OSError:
            return False
        writer.close()
        return True


class DeliveryReport:
    """The progress of one delivery, for the pages of its conversation."""

    def __init__(self, chat: TeamsConversation, activity_id: str, turn: str) -> None:
        self.turn = turn
        self._chat = chat
        self._is_held = False
        self._known = {"type": "delivery", "activityId": activity_id, "turn": turn}

    def publish(self, state: str, status: int | None = None, text: str = "") -> None:
        """Publish a state: pending, held, delivered or failed."""
        event = {**self._known, "state": state, "status": status, "text": text}
        self._chat.publish_delivery(event)

    def publish_held(self) -> None:
        """Publish that it waits, once."""
        if not self._is_held:
            self._is_held = True
            self.publish("held", text="The bot cannot be reached yet.")

    def publish_released(self) -> None:
        """Publish that it waits no longer: the bot's turn may take long."""
        if self._is_held:
            self._is_held = False
            self.publish("pending")

    def publish_answer(self, answer: BotAnswer) -> None:
        """Publish the bot's answer, or why there is none."""
        self.publish("delivered" if answer.ok else "failed", answer.status, answer.failure)


def _note_answer(
    chat: TeamsConversation, activity: Activity, report: DeliveryReport, answer: BotAnswer
) -> None:
    """Keep an activity that the bot has not accepted, for the user's retry; tell the pages."""
    chat.failed.pop(activity["id"], None)
    if not answer.ok:
        chat.failed[activity["id"]] = activity
    report.publish_answer(answer)
