"""BotModules: several bots, one after the other, in one process."""

import importlib
import os
import sys
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from bot_testing import Chat
from bot_testing.app.bot_modules import BotModules
from cloud_adapter.bot.folder import BotFolder

SAMPLE_STYLE = {
    "__init__.py": """
from bots import SampleBot


def create_bot(services):
    return SampleBot()
""",
    "bots/__init__.py": "from .sample_bot import SampleBot\n",
    "bots/sample_bot.py": """
import os

from botbuilder.core import ActivityHandler
from texts import GREETING


class SampleBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        with open(os.path.join(os.getcwd(), "resources/name.txt")) as file:
            await turn_context.send_activity(GREETING + file.read())
""",
    "texts.py": "GREETING = '%s'\n",
    "resources/name.txt": "Ada",
}
"""A bot with top-level imports of its own modules, and a file that it finds in the working
directory."""


@pytest.fixture
def bot_folder(bot_folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A written bot, if the test has a greeting for it."""
    if not hasattr(request, "param"):
        return bot_folder
    for name, text in SAMPLE_STYLE.items():
        file = tmp_path / "bot" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("%s", request.param))
    return tmp_path / "bot"


@pytest.mark.parametrize("bot_folder", ["Hello ", "Good morning "], indirect=True)
async def test_bots_in_the_style_of_samples(
    chat: Chat, request: pytest.FixtureRequest, bot_folder: Path
) -> None:
    """Modules of the same names are each bot's own."""
    greeting = request.node.callspec.params["bot_folder"]
    assert (await chat.say("hi")).texts == [f"{greeting}Ada"]
    assert Path(sys.modules["texts"].__file__ or "") == bot_folder / "texts.py"


def test_nothing_is_left_of_them() -> None:
    """After a test, the process is as it was."""
    assert "texts" not in sys.modules
    assert "bots" not in sys.modules
    assert not [entry for entry in sys.path if Path(entry, "texts.py").exists()]
    assert (Path.cwd() / "function_app.py").exists()
    assert "MicrosoftAppId" not in os.environ


def test_what_another_bot_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Routes of another bot, whose package is gone or replaced, are not taken for this bot's."""
    for name in ("before", "tested"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "routes.py").write_text(f"def create_routes(ready): return ['{name}']\n")
    for name in ("bot_logic", "bot_logic.routes"):
        monkeypatch.setitem(sys.modules, name, sys)
        del sys.modules[name]
    with BotModules().of(tmp_path / "before"):
        BotFolder(tmp_path / "before").create_routes(AsyncMock())
        left = sys.modules["bot_logic.routes"]
    sys.modules["bot_logic.routes"] = left
    with BotModules().of(tmp_path / "tested"):
        assert BotFolder(tmp_path / "tested").create_routes(AsyncMock()) == ["tested"]
    assert sys.modules["bot_logic.routes"] is left


def test_the_bot_before_comes_back(tmp_path: Path) -> None:
    """Tests without a chat find the bot that they had imported."""
    modules, folders = BotModules(), [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "words.py").touch()
    with modules.of(folders[0]):
        first = BotFolder(folders[0]).load()
        words = importlib.import_module("words")
        with modules.of(folders[1]):
            assert BotFolder(folders[1]).load() is not first
            assert importlib.import_module("words") is not words
        assert sys.modules["bot_logic"] is first
        assert sys.modules["words"] is words
    assert "words" not in sys.modules


imported: set[object] = set()


@pytest.mark.chat(bot="workbench/tests/bot_testing/bots/busy")
@pytest.mark.parametrize("_", [1, 2])
async def test_a_bot_is_imported_once(chat: Chat, _: int) -> None:
    """Tests of the same bot see the same classes."""
    imported.add(sys.modules["bot_logic.bot"])
    assert len(imported) == 1
    await chat.say("count")


@pytest.mark.parametrize("bot_folder", ["Hello "], indirect=True)
async def test_another_bot(chat: Chat) -> None:
    """Another bot is tested in between."""
    await chat.say("hi")


@pytest.mark.chat(bot="workbench/tests/bot_testing/bots/busy")
async def test_a_restart(chat: Chat) -> None:
    """A new process has modules of its own."""
    for _ in range(2):
        await chat.restart()
        assert sys.modules["bot_logic.bot"] not in imported


@pytest.mark.chat(bot="workbench/tests/bot_testing/bots/busy")
async def test_a_bot_is_still_imported_once(chat: Chat) -> None:
    """Another bot and a restart in between change nothing."""
    await test_a_bot_is_imported_once(chat, 3)
