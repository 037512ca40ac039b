"""Fixtures of the tests of reload: the app in front of the local cloud, and a user of its bot."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.user import User
from tests.support.reload.reloading_app import ReloadingApp
from tests.support.reload.versions import INIT, bot_of
from tests.support.timing.condition import comes_true
from tests.support.wire.http_post import Caller


@dataclass
class Talk:
    """A running app, and a conversation with its bot.

    Attributes:
        app: the app, whose code is the bot's folder.
        user: talks to it, one message after the other.
        held: is there once a turn waits.
        go: lets held turns go on.
    """

    app: ReloadingApp
    user: User
    held: Path
    go: Path

    async def says(self, text: str) -> int:
        """Send a message; returns the status."""
        return await asyncio.to_thread(self.user.says, text)

    def sending(self, text: str) -> "asyncio.Task[int]":
        """Send a message without waiting for its status, over a connection of its own."""

        def send() -> int:
            with closing(Caller(self.app.url)) as caller:
                activity = self.user.addressed({"type": "message", "text": text})
                return caller.deliver(activity, f"Bearer {self.user.token}").status

        return asyncio.create_task(asyncio.to_thread(send))

    async def saved(self, version: str) -> None:
        """Save the bot's code, and wait until it answers."""
        ready = len(self.app.statuses("ready"))
        self.app.save("bot.py", bot_of(version))
        await self.app.reported("ready", ready + 1)

    async def reply(self, text: str) -> str:
        """What the bot says to a message."""
        before = len(self.user.texts())
        assert await self.says(text) == 200, self.app.output
        await comes_true(lambda: len(self.user.texts()) > before)
        return self.user.texts()[before]


StartTalk = Callable[..., AbstractAsyncContextManager[Talk]]


@pytest.fixture
def start_talk(tmp_path: Path, cloud: Cloud, storage: str, logs: Path) -> StartTalk:
    """Starts the app with state in Azurite; the bot's files are given by path."""

    @asynccontextmanager
    async def start(
        files: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        options: tuple[str, ...] = (),
    ) -> AsyncIterator[Talk]:
        bot = {"__init__.py": INIT, "bot.py": bot_of("V1"), **(files or {})}
        folder = app_with(tmp_path / "app", {f"bot_logic/{name}": bot[name] for name in bot})
        held, go = tmp_path / "held", tmp_path / "go"
        environ = cloud.settings() | {"AzureWebJobsStorage": storage, **(settings or {})}
        environ |= {"Held": str(held), "Go": str(go)}
        log = logs / f"{tmp_path.name}.log"
        async with ReloadingApp(folder, log, environ, options, folder / "bot_logic") as app:
            await app.reported("ready", 1)
            with closing(Caller(app.url)) as caller:
                yield Talk(app, User(cloud, caller), held, go)

    return start
