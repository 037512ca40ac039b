"""A bot that calls `sys.exit` where nobody can catch it: in a task, or in a route."""

from contextlib import closing
from pathlib import Path

import pytest

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.worker_process import EXIT_CODE
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

BOT = {
    "bot_logic/__init__.py": """
import asyncio
import sys

from botbuilder.core import ActivityHandler


async def leave():
    sys.exit()


class LeavingBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        if turn_context.activity.text == "leave":
            await asyncio.gather(leave(), return_exceptions=True)
        await turn_context.send_activity("here")


def create_bot(services):
    return LeavingBot()
""",
    "bot_logic/routes.py": """
import sys

import azure.functions as func


def create_routes(ready):
    routes = func.Blueprint()

    @routes.route("leave", auth_level=func.AuthLevel.ANONYMOUS)
    async def leave(req: func.HttpRequest) -> func.HttpResponse:
        sys.exit()

    return routes
""",
}


PLACES = {"task": 'bot_logic/__init__.py", line 9', "route": 'bot_logic/routes.py", line 12'}


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("place", PLACES)
def test_an_exit(cloud: Cloud, tmp_path: Path, logs: Path, loop: str, place: str) -> None:
    """The worker process ends with a code with which the host replaces it, and says why."""
    app, log = app_with(tmp_path / "app", BOT), logs / f"exits {place} {loop}.log"
    bot = BotProcess(cloud.settings(), log, app, ("--workers", "1"), loop=loop)
    with bot, closing(Caller(bot.url)) as caller:
        user = User(cloud, caller)
        if place == "task":
            assert user.says("leave") == 500
        else:
            assert caller.send("GET", "/api/leave", []).status == 500
        until(lambda: f"Worker 1 ended (exit code {EXIT_CODE})" in log.read_text())
        assert user.says("hello") == 200
        assert user.texts() == ["here"]
    assert "the bot's code called sys.exit() in a task that it created" in log.read_text()
    assert f"{PLACES[place]}, in leave" in log.read_text()
