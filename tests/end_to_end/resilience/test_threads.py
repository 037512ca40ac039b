"""A bot that does its work in threads, on event loops of their own, in the worker's own library."""

from contextlib import closing
from pathlib import Path

import pytest

from auth.settings import INLINE, QUEUED
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.project import ROOT
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

BOT = ROOT / "workbench" / "tests" / "bot_testing" / "bots" / "threads"

TURNS = {
    "to_thread say": ["said", "done"],
    "callback say": ["said", "done"],
    "thread count": ["count 1", "done"],
    "executor commit": ["count 2", "done"],
    "to_thread proceed": ["count 3", "done"],
    "here count": ["count 4", "done"],
}
"""What the bot sends in reply to messages."""


def await_texts(user: User, expected: list[str]) -> None:
    """Wait for as many texts, and check that they are these."""
    until(lambda: len(user.texts()) >= len(expected))
    assert user.texts() == expected


@pytest.mark.parametrize("turns", [INLINE, QUEUED])
def test_calls_from_threads(
    cloud: Cloud, tmp_path: Path, logs: Path, storage: str, turns: str, host_loop: str
) -> None:
    """Each turn ends, and sends its replies once, in one conversation and in the next."""
    settings = {**cloud.settings(), "AzureWebJobsStorage": storage, "BotTurns": turns}
    log = logs / f"threads {turns} {host_loop}.log"
    app = app_with(tmp_path / "app", {}, BOT)
    with BotProcess(settings, log, app, loop=host_loop) as bot, closing(Caller(bot.url)) as caller:
        user, expected = User(cloud, caller), list[str]()
        for text, replies in TURNS.items():
            assert user.says(text) in (200, 202)
            expected += replies
            await_texts(user, expected)
        other = User(cloud, caller)
        assert other.says("to_thread proceed") in (200, 202)
        await_texts(other, ["count 1", "done"])
    assert "failed" not in log.read_text()


def test_a_turn_that_blocks_its_thread(
    cloud: Cloud, tmp_path: Path, logs: Path, host_loop: str
) -> None:
    """The thread's call fails, and so does the turn if it asks for the result: nothing hangs."""
    log = logs / f"blocked thread {host_loop}.log"
    app = app_with(tmp_path / "app", {}, BOT)
    with (
        BotProcess(cloud.settings(), log, app, loop=host_loop) as bot,
        closing(Caller(bot.url)) as caller,
    ):
        user = User(cloud, caller)
        assert user.says("join say") == 200
        assert user.texts() == ["done"]
        assert user.says("result say") == 200
        assert user.texts() == ["done", APOLOGY]
        assert user.says("to_thread say") == 200
        assert user.texts() == ["done", APOLOGY, "said", "done"]
    lines = log.read_text()
    assert "CallWithdrawn: the bot's event loop did not begin this call within 5 s" in lines
    assert "`await asyncio.to_thread(...)`" in lines


WAITING = {
    "bot_logic/__init__.py": """
import asyncio
import threading

from botbuilder.core import ActivityHandler

asked = threading.Event()


async def create_bot(services):
    while not asked.is_set():
        await asyncio.sleep(0.01)
    return ActivityHandler()
""",
    "bot_logic/routes.py": """
import asyncio

import azure.functions as func

from bot_logic import asked


def create_routes(ready):
    routes = func.Blueprint()

    @routes.route("app-id", auth_level=func.AuthLevel.ANONYMOUS)
    def app_id(req: func.HttpRequest) -> func.HttpResponse:
        asked.set()
        return func.HttpResponse(asyncio.run(ready()).app_id)

    return routes
""",
}
"""A bot that is created once its function has asked for the services, in a thread."""


def test_a_thread_that_waits_for_the_app(
    cloud: Cloud, tmp_path: Path, logs: Path, host_loop: str
) -> None:
    """The function gets the bot's services as soon as the app has started."""
    log = logs / f"waiting thread {host_loop}.log"
    app = app_with(tmp_path / "app", WAITING)
    with (
        BotProcess(cloud.settings(), log, app, loop=host_loop) as bot,
        closing(Caller(bot.url)) as caller,
    ):
        reply = caller.send("GET", "/api/app-id", [])
    assert (reply.status, reply.body.decode()) == (200, cloud.registration.app_id)
