"""RunningBot: the whole app in the test's process, in front of the local cloud."""

import asyncio
import json
import os
import time
import traceback
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from botbuilder.schema import Activity, ResourceResponse

from auth.errors import CompositionFailed
from auth.settings import Settings
from bot_testing.app.app_functions import AppFunctions, invoked
from bot_testing.app.bot_modules import BotModules
from bot_testing.app.death import Death
from bot_testing.app.queues import BotQueues
from bot_testing.app.turn_watch import TurnWatch
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.project import APP
from cloud_adapter.adapter import Logic
from cloud_adapter.bot.agents_sdk import prepare_environment
from cloud_adapter.bot.folder import BotFolder
from cloud_adapter.deadlines import HOST_TIMEOUT_SETTING, UNLIMITED
from cloud_adapter.proactive.notifications import QUEUE as NOTIFICATIONS
from cloud_adapter.queued.queued_turns import QUEUE as TURNS
from cloud_adapter.turn_context import TurnContext
from composition import Composition, Parts
from http_client.observer import attach, detach
from http_client.pool import Response

ENDPOINT = "https://localhost/api/messages"

SILENCE_SECONDS = 0.1
"""After so many (real) seconds in which a task waits for the same thing, a silent language model is
what it waits for: the model's server has noticed by then whether the bot still reads from it."""


class RunningBot:
    """The app as the Functions host runs it: composition, middleware, bot, and its functions.

    Args:
        cloud: the local cloud, which runs in a thread of its own.
        folder: the bot's.
        settings: the app settings that differ from the cloud's own.
        functions: the app's.
        modules: the bot's.
        monkeypatch: sets the environment and the hooks, and undoes both when the test ends.

    Attributes:
        folder: the bot's.
        parts: the app's, once it has been started.
        errors: what turns have raised so far, each with the id of the turn's activity.
        turns: the tasks of the turns that are under way.
        death: ends the app's calls to the connector in the middle of a turn; None: it lives on.
    """

    def __init__(
        self,
        cloud: Cloud,
        folder: Path,
        settings: Mapping[str, str],
        functions: AppFunctions,
        modules: BotModules,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.cloud = cloud
        self.functions = functions
        self.errors: list[tuple[str, Exception]] = []
        self.folder = folder
        self._modules = modules
        self._monkeypatch = monkeypatch
        self.turns: set[asyncio.Task[Any]] = set()
        self._sent: dict[str, set[str]] = defaultdict(set)
        self._watch = TurnWatch()
        self.death: Death | None = None
        self._calls = self._posts = 0
        # Since when (time.monotonic) a task has been seen to wait for the same thing.
        self._waiting: dict[tuple[asyncio.Task[Any], asyncio.Future[Any]], float] = {}
        self._set_environment({**cloud.settings(), **settings})

    def _set_environment(self, settings: Mapping[str, str]) -> None:
        """Give the process these settings, and none from the developer's shell."""
        example = json.loads((APP / "local.settings.json.example").read_text("utf-8"))
        for name in example["Values"]:
            self._monkeypatch.delenv(name, raising=False)
        for name, text in settings.items():
            self._monkeypatch.setenv(name, text)
        # No host ends a turn, however far a test moves the time.
        self._monkeypatch.setenv(HOST_TIMEOUT_SETTING, UNLIMITED)
        # A queued turn that raises is tried again immediately: no test waits for it.
        self._monkeypatch.setattr("cloud_adapter.queued.drain.RETRY_PAUSE_SECONDS", 0.0)

    async def start(self) -> None:
        """Start the app as the host does, but without the warm-up.

        The warm-up would send requests, and change the garbage collector's settings.

        Raises:
            Exception: whatever the bot's `create_bot` raises.
        """
        prepare_environment(os.environ)
        environ, folder = dict(os.environ), BotFolder(self.folder)
        app = Composition(lambda: Settings.from_environ(environ), environ, folder.create_bot)
        failure: BaseException | None = None
        try:
            self.parts: Parts = await app.ready()
        except CompositionFailed as failed:
            failure = failed.__cause__
        if failure is not None:  # not in the handler, which would become a part of its traceback
            self._end_in_bot(failure)
            raise failure
        attach(self._watch)
        self._watch_turns()
        self._watch_replies()
        self._watch_calls()
        self.functions.use(app, folder, self._monkeypatch)
        triggers = {TURNS: self.functions.turns, NOTIFICATIONS: self.functions.notifications}
        self._queues = BotQueues(self.parts.account, triggers)

    def _end_in_bot(self, failure: BaseException) -> None:
        """End a traceback with the bot's own line, which pytest shows; a note has what follows."""
        own, entry = None, failure.__traceback__
        while entry is not None:
            if Path(entry.tb_frame.f_code.co_filename).is_relative_to(self.folder):
                own = entry
            entry = entry.tb_next
        if own is not None and own.tb_next is not None:
            failure.add_note("".join(("It was raised in:\n", *traceback.format_tb(own.tb_next))))
            own.tb_next = None

    def _watch_turns(self) -> None:
        """Note which turns run, and what they raise before an error handler deals with it."""
        # The SDK's middleware set: every turn runs through it, even one that the bot starts.
        middleware = self.parts.adapter._middleware
        receive = middleware.receive_activity_with_status

        async def watched(context: TurnContext, logic: Logic | None) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101  # it runs
            self.turns.add(task)
            try:
                await receive(context, logic)
            except Exception as error:
                self.errors.append((context.activity.id, error))
                raise
            finally:
                self.turns.discard(task)

        self._monkeypatch.setattr(middleware, "receive_activity_with_status", watched)

    def _watch_replies(self) -> None:
        """Note in which turn a reply is sent: not every channel has `replyToId`."""
        send = self.parts.adapter.send_activities

        async def watched(
            context: TurnContext, activities: list[Activity]
        ) -> list[ResourceResponse]:
            sent: list[ResourceResponse] = await send(context, activities)
            self._sent[context.activity.id].update(each.id for each in sent if each)
            return sent

        self._monkeypatch.setattr(self.parts.adapter, "send_activities", watched)

    def _watch_calls(self) -> None:
        """Count the HTTP requests that are under way, until the app dies."""
        request = self.parts.pool.request

        async def watched(method: str, url: str, *arguments: Any, **options: Any) -> Response:
            death = self.death if url.startswith(self.cloud.connector.server.url) else None
            self._calls += 1
            try:
                if death is not None:
                    await death.meet()
                response = await request(method, url, *arguments, **options)
                if death is not None:
                    await death.meet()
                return response
            finally:
                self._calls -= 1

        self._monkeypatch.setattr(self.parts.pool, "request", watched)

    def is_working(
        self, resting: set["asyncio.Task[Any]"], hurried: set["asyncio.Task[Any]"]
    ) -> bool:
        """Whether the bot does anything but sleep: a turn, or a request whose turn has not started.

        A turn that waits until another one of its conversation has ended does nothing, either.

        Args:
            resting: the tasks that sleep.
            hurried: those that wait for something, with a time limit.
        """
        resting = resting | self._watch.locking
        resting |= self._left_waiting((self.turns | hurried) - resting)
        has_new = self._posts - self._queues.waiting > len(self.turns & resting)
        is_busy = self._calls or self._watch.is_sending(resting)
        return bool(is_busy or has_new or (self.turns | hurried) - resting)

    def _left_waiting(self, tasks: set["asyncio.Task[Any]"]) -> set["asyncio.Task[Any]"]:
        """Those of some tasks that wait for a language model which sends nothing more."""
        now, before = time.monotonic(), self._waiting
        awaited = [(each, getattr(each, "_fut_waiter", None)) for each in tasks]
        self._waiting = {
            (task, future): before.get((task, future), now)
            for task, future in awaited
            if future is not None and not future.done()
        }
        long = {pair for pair, since in self._waiting.items() if now - since > SILENCE_SECONDS}
        found = {task for task, _ in long}
        silent = [future for _, future in long if future not in found]
        return found if len(silent) <= self.cloud.model.server.faults.held else set()

    def is_answered(self) -> bool:
        """Whether the language model is answering the bot, which uses an HTTP client of its own."""
        model = self.cloud.model.server
        return model.under_way > model.faults.held

    def sent_in(self, activity_id: str) -> set[str]:
        """The ids of what the bot has sent in the turn of an activity."""
        return self._sent[activity_id] | self._watch.streamed[activity_id]

    async def restart(self) -> None:
        """End the app, and start it again, as in a new process: the bot is imported again.

        State in memory is kept, as in a storage account. References and transcripts in memory are
        not.

        Raises:
            Exception: whatever the bot's `create_bot` raises.
        """
        await self.close()
        self.death = None
        memory = self.parts.locks.__dict__ if self.parts.account is None else {}
        self._modules.restart(self.folder)
        await self.start()
        self.parts.locks.__dict__.update(memory)

    async def close(self) -> None:
        """Close the app's connections."""
        detach(self._watch)
        await self.parts.close()

    async def post(self, activity: Mapping[str, Any]) -> func.HttpResponse:
        """POST an activity to the messaging endpoint, with the channel's token.

        If turns are queued, this returns after its turn, and those that it has stored.
        """
        token = self.cloud.channel.token(str(activity["serviceUrl"]))
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        body = json.dumps(activity).encode()
        request = func.HttpRequest(method="POST", url=ENDPOINT, headers=headers, body=body)
        self._posts += 1
        try:
            response: func.HttpResponse = await invoked(self.functions.messages, request)
            if self.parts.adapter.queues:
                await self._queues.drain(TURNS)
        finally:
            self._posts -= 1
        return response

    async def drain_queues(self) -> None:
        """Run everything in the queues: turns and notifications."""
        for queue in (TURNS, NOTIFICATIONS):
            await self._queues.drain(queue)
