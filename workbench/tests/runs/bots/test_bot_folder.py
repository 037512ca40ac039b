"""BotFolder in a running host: how a bot finds its modules and files, and what if it cannot."""

import json
import re

import pytest

from tests.runs.bots.conftest import StartBot

ECHO = """
from botbuilder.core import ActivityHandler


class EchoBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        await turn_context.send_activity(f"You said: {turn_context.activity.text}")


def create_bot(services):
    return EchoBot()
"""

FINDS = """
import json
import os
from pathlib import Path

import aiohttp
import requests

import bot_logic.cards
import dialogs.main_dialog as main_dialog
from bot_logic.dialogs.main_dialog import MainDialog
from botbuilder.core import ActivityHandler
from dialogs import first_words
from . import cards
from .config import DefaultConfig


class FindingBot(ActivityHandler):
    def __init__(self, services):
        self.services = services

    async def on_message_activity(self, turn_context):
        found = {
            "same": cards is bot_logic.cards,
            "class": MainDialog.__name__,
            "words": first_words(),
            "beside": json.loads((Path(__file__).parent / "resources" / "menu.json").read_text()),
            "cwd": json.loads(
                open(os.path.join(os.getcwd(), "resources", "menu.json")).read()
            ),
            "setting": self.services.settings["OwnSetting"],
            "environ": DefaultConfig.OWN_SETTING,
            "packages": [aiohttp.ClientSession.__name__, requests.Session.__name__],
            "hue": cards.hue(),
        }
        await turn_context.send_activity(json.dumps(found))


def create_bot(services):
    return FindingBot(services)
"""

CONFIG = """
import os


class DefaultConfig:
    OWN_SETTING = os.environ["OwnSetting"]
"""


def test_imports_and_files(start_bot: StartBot) -> None:
    """Absolute, relative and sample-style imports work; files are found in both usual ways.

    The bot may import aiohttp, which is deferred while the SDK is imported, and may have files with
    names that are others' too.
    """
    files = {
        "__init__.py": FINDS,
        "cards.py": "import colorsys\n\ndef hue():\n    return colorsys.rgb_to_hsv(1, 0, 0)[0]\n",
        "dialogs/__init__.py": "from .greeting import first_words\n",
        "dialogs/greeting.py": "import auth\nfrom bot_logic.auth import WORD\n\n"
        "def first_words():\n    return WORD\n",
        "dialogs/main_dialog.py": "class MainDialog:\n    pass\n",
        "config.py": CONFIG,
        "resources/menu.json": '["soup"]',
        "auth.py": "WORD = 'hello'\n",
        "composition.py": "raise AssertionError('the app has imported it')\n",
        "colorsys.py": "raise AssertionError('somebody has imported it')\n",
    }
    with start_bot(files) as bot:
        assert bot.user.says("hello") == 200
        [found] = bot.user.texts()
    assert json.loads(found) == {
        "same": True,
        "class": "MainDialog",
        "words": "hello",
        "beside": ["soup"],
        "cwd": ["soup"],
        "setting": "a value",
        "environ": "a value",
        "packages": ["ClientSession", "Session"],
        "hue": 0.0,
    }


FAULTS = {
    "no create_bot": ("def bot(services):\n    pass\n", "needs a function create_bot(services)"),
    "nothing returned": (
        "def create_bot(services):\n    pass\n",
        "create_bot(services) returned None: it must return the bot",
    ),
    "a package is missing": ("import a_package_that_nobody_has\n", "No module named 'a_package"),
    "a syntax error": ("def create_bot(services)\n", "expected ':'"),
    "create_bot fails": (
        "def create_bot(services):\n    return services.settings['Missing']\n",
        "KeyError: 'Missing'",
    ),
    "a name that another has": (
        "from auth import WORD\n",
        "The names of these modules of the bot are taken by other modules: auth. Import them as"
        " bot_logic.NAME.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bot_that_cannot_be_made(fault: str, start_bot: StartBot) -> None:
    """Callers get 503, and the log says why, with one traceback."""
    content, why = FAULTS[fault]
    with start_bot({"__init__.py": content, "auth.py": "WORD = 1\n"}) as bot:
        assert bot.user.says("hello") == 503
        assert bot.user.says("hello") == 503
        said = bot.log
        assert why in said
        assert said.count("Traceback") == 1
        assert said.count("Answered 503: the app cannot be put together; caused by ") == 2
        assert bot.process.lost == []


EXITS = {
    "at import": "import sys\nsys.exit('wrong settings')\n",
    "in create_bot": "def create_bot(services):\n    raise SystemExit\n",
}


@pytest.mark.parametrize("place", EXITS)
def test_a_bot_that_exits_at_its_start(place: str, start_bot: StartBot) -> None:
    """It is a bot that cannot be made: the process goes on, and the log says why."""
    with start_bot({"__init__.py": EXITS[place]}) as bot:
        assert bot.user.says("hello") == 503
        assert bot.user.says("hello") == 503
        assert "SystemExit" in bot.log
        assert "BotExited: the bot's code called sys.exit(" in bot.log
        assert bot.log.count("Answered 503: the app cannot be put together; caused by Bot") == 2
        assert bot.process.returncode is None
        assert bot.process.lost == []


FAILS_AT_FIRST = """
from pathlib import Path

{at_import}


def create_bot(services):
    {in_create_bot}
    return EchoBot()
"""
CHECK = 'assert Path("ready").exists(), "not yet"'


@pytest.mark.parametrize("place", ["at_import", "in_create_bot"])
def test_the_next_attempt(place: str, start_bot: StartBot) -> None:
    """Each request tries again, because the failure may be temporary."""
    checks = {"at_import": "", "in_create_bot": "", place: CHECK}
    with start_bot({"__init__.py": ECHO + FAILS_AT_FIRST.format(**checks)}) as bot:
        assert bot.user.says("hello") == 503
        assert "AssertionError: not yet" in bot.log
        (bot.folder / "ready").touch()
        assert bot.user.says("hello") == 200
        assert bot.user.texts() == ["You said: hello"]


OPENS = """
import asyncio

from botbuilder.core import ActivityHandler


class OpenedBot(ActivityHandler):
    def __init__(self, loop):
        self.loop = loop

    async def on_message_activity(self, turn_context):
        same = self.loop is asyncio.get_running_loop()
        await turn_context.send_activity("on the turns' loop" if same else "on another")


async def opened():
    await asyncio.sleep(0)
    return OpenedBot(asyncio.get_running_loop())


"""
LOOPS = {
    "a coroutine function": (
        "async def create_bot(services):\n    return await opened()\n",
        ["on the turns' loop"],
    ),
    "asyncio.run": (
        "def create_bot(services):\n    return asyncio.run(opened())\n",
        ["on another"],
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_event_loops_in_create_bot(name: str, start_bot: StartBot) -> None:
    """A coroutine function runs on the event loop of turns; `asyncio.run` has a loop of its own."""
    source, texts = LOOPS[name]
    with start_bot({"__init__.py": OPENS + source}) as bot:
        assert bot.user.says("hello") == 200
        assert bot.user.texts() == texts
        assert bot.process.lost == []


def test_no_event_loop_in_create_bot(start_bot: StartBot) -> None:
    """The thread of a plain function has none, in no attempt."""
    needs = ECHO.replace("return", "import asyncio\n    asyncio.get_running_loop()\n    return")
    with start_bot({"__init__.py": needs}) as bot:
        assert bot.user.says("hello") == 503
        assert bot.user.says("hello") == 503
        assert "RuntimeError: no running event loop" in bot.log


ROUTES = {
    "import": "import a_package_that_nobody_has\n",
    "no create_routes": "def routes(ready):\n    pass\n",
    "an exit": "import sys\nsys.exit()\n",
    "an error": "def create_routes(ready):\n    raise LookupError('no routes')\n",
}


@pytest.mark.parametrize("fault", ROUTES)
def test_routes_that_cannot_be_made(fault: str, start_bot: StartBot) -> None:
    """The bot answers messages all the same, and the log has the traceback once."""
    with start_bot({"__init__.py": ECHO, "routes.py": ROUTES[fault]}) as bot:
        assert bot.user.says("hello") == 200
        assert bot.user.says("hello") == 200
        assert (
            len(re.findall(r"routes\.py cannot be loaded, so its functions are missing", bot.log))
            == 1
        )
        assert bot.log.count("Traceback") == 1
        assert bot.process.lost == []
