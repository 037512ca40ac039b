"""The kit calls a bot's `create_bot` as the host does: in a thread, and what it leaves to await on
the event loop of the turns."""

import traceback
from pathlib import Path

import pytest

from bot_testing import Chat

BOT = """
import asyncio
import threading

from botbuilder.core import ActivityHandler


class Bot(ActivityHandler):
    def __init__(self):
        self.loop = asyncio.get_running_loop()

    async def on_message_activity(self, turn_context):
        same = self.loop is asyncio.get_running_loop()
        await turn_context.send_activity(f"{same} {THREAD is threading.current_thread()}")


async def created(services):
    await asyncio.sleep(0)
    return Bot()


"""
AWAITED = """
def create_bot(services):
    global THREAD
    THREAD = threading.current_thread()
    return created(services)
"""
RUN = """
def create_bot(services):
    global THREAD
    THREAD = threading.current_thread()
    return asyncio.run(created(services))
"""
REFUSED = """
import asyncio


async def create_bot(services):
    await asyncio.open_connection("127.0.0.1", 1)
"""


@pytest.fixture
def bot_folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The test's own bot."""
    (tmp_path / "__init__.py").write_text(BOT + request.param)
    return tmp_path


@pytest.mark.parametrize(
    ("bot_folder", "text"), [(AWAITED, "True False"), (RUN, "False False")], indirect=["bot_folder"]
)
async def test_where_the_bot_is_created(chat: Chat, text: str) -> None:
    """A restart does the same."""
    assert (await chat.say("hi")).texts == [text]
    await chat.restart()
    assert (await chat.say("hi")).texts == [text]


@pytest.mark.parametrize("bot_folder", [AWAITED], indirect=True)
async def test_the_place_of_a_failure(chat: Chat, bot_folder: Path) -> None:
    """The bot's own error ends in the bot's line; a note has the lines of the library."""
    file = bot_folder / "__init__.py"
    file.write_text(REFUSED)
    with pytest.raises(ConnectionRefusedError) as refused:
        await chat.restart()
    last = traceback.extract_tb(refused.value.__traceback__)[-1]
    assert (last.filename, last.lineno) == (str(file), 6)
    [note] = refused.value.__notes__
    assert "in create_connection" in note
