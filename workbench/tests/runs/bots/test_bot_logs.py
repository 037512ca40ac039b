"""What a bot logs is not lost, whatever its modules are called and wherever they log."""

from tests.runs.bots.conftest import StartBot
from tests.support.timing.condition import until

BOT = """
import logging

from botbuilder.core import ActivityHandler
from bots.dialog_bot import later

logging.getLogger(__name__).warning("while it is imported")


class LoggingBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        logging.getLogger(__name__).warning("in a turn")
        later()
        await turn_context.send_activity("done")


def create_bot(services):
    logging.warning("in create_bot")
    return LoggingBot()
"""

DIALOG_BOT = """
import asyncio
import logging
from pathlib import Path

log = logging.getLogger(__name__)
tasks = []


def later():
    tasks.append(asyncio.create_task(work()))


async def work():
    while not Path("the turn has ended").exists():
        await asyncio.sleep(0.01)
    log.warning("when the turn has ended")
    Path("logged").touch()
"""

FILES = {"__init__.py": BOT, "bots/__init__.py": "", "bots/dialog_bot.py": DIALOG_BOT}

ROUTES = """
import logging

import azure.functions as func

log = logging.getLogger(__name__)


def create_routes(ready):
    routes = func.Blueprint()

    @routes.route("quiet")
    async def quiet(req: func.HttpRequest) -> func.HttpResponse:
        await ready()
        return func.HttpResponse("ok")

    @routes.route("coroutine")
    async def coroutine(req: func.HttpRequest) -> func.HttpResponse:
        log.warning("in a coroutine function")
        await ready()
        return func.HttpResponse("ok")

    @routes.route("plain")
    def plain(req: func.HttpRequest) -> func.HttpResponse:
        log.warning("in a plain function")
        return func.HttpResponse("ok")

    return routes
"""


def test_lines_of_a_turn_and_of_its_tasks(start_bot: StartBot) -> None:
    """Lines between invocations wait for the next one, those of sample-style modules too."""
    with start_bot(FILES) as bot:
        assert bot.user.says("hello") == 200
        assert bot.log.count("while it is imported (logged at ") == 1
        assert bot.log.count("root: in create_bot (logged at ") == 1
        assert bot.log.count("in a turn\n") == 1
        (bot.folder / "the turn has ended").touch()
        until((bot.folder / "logged").exists)
        assert "when the turn has ended" not in bot.log
        assert bot.user.says("hello") == 200
        assert bot.log.count("bots.dialog_bot: when the turn has ended (logged at ") == 1
        assert bot.process.lost == []


FAILS = """
from botbuilder.core import ActivityHandler


class FailingBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        raise LookupError("no such table: orders")
"""


def test_a_traceback(start_bot: StartBot) -> None:
    """The frames of the bot come first, sample-style modules too."""
    package = "from bots import FailingBot\n\ndef create_bot(services):\n    return FailingBot()\n"
    files = {
        "__init__.py": package,
        "bots/__init__.py": "from .failing_bot import FailingBot\n",
        "bots/failing_bot.py": FAILS,
    }
    with start_bot(files) as bot:
        assert bot.user.says("hello") == 200
        own = bot.log.partition("Traceback (most recent call last):\n")[2].partition(
            "Other frames:\n"
        )[0]
        assert own.count("  File ") == 1
        assert "bots/failing_bot.py" in own
        assert "LookupError: no such table: orders" in bot.log


def test_lines_of_its_own_functions(start_bot: StartBot) -> None:
    """They are logged immediately, with the warm-up's lines, even if no message ever arrives."""
    with start_bot({**FILES, "routes.py": ROUTES}) as bot:
        call = bot.user.caller.send
        assert call("GET", "/api/quiet", []).status == 200
        assert bot.log.count("while it is imported (logged at ") == 1
        for path in ("plain", "coroutine"):
            assert call("GET", f"/api/{path}", []).status == 200
            assert bot.log.count(f"bot_logic.routes: in a {path} function\n") == 1
        assert bot.process.lost == []
