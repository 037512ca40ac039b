"""`make run AUTH=Off`: the archived Bot Framework Emulator talks to the bot, without a token."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.emulator.loopback import free_port
from tests.support.bots.app_folder import TEST_BOT
from tests.support.bots.make_target import MakeTarget
from tests.support.clients.classic_emulator import ClassicEmulator
from tests.support.project import ROOT
from tests.support.timing.condition import comes_true, until

MENDING_BOT = """
from botbuilder.core import ActivityHandler, MessageFactory


class MendingBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        if turn_context.activity.attachments:
            (attachment,) = turn_context.activity.attachments
            await turn_context.send_activity(f"{attachment.name} at {attachment.content_url}")
            return
        sent = await turn_context.send_activity("first")
        gone = await turn_context.send_activity("not for long")
        message = MessageFactory.text("second")
        message.id = sent.id
        await turn_context.update_activity(message)
        await turn_context.delete_activity(gone.id)


def create_bot(services):
    return MendingBot()
"""


TURNS_LINE = re.compile(r"[\d:]+  (?:queued )?message +12 characters ")


def run_of(bot: Path, logs: Path, **variables: str) -> MakeTarget:
    """The command, for a bot."""
    run = {"AUTH": "Off", "PORT": str(free_port()), "BOT": str(bot), **variables}
    return MakeTarget("run", r"Bot: +(http://\S+)", logs / f"emulator {bot.name}.log", run)


@pytest.fixture(scope="module", params=["Inline", "Queued"])
def run(request: pytest.FixtureRequest, logs: Path) -> Iterator[MakeTarget]:
    """The tests' bot, with turns of both kinds."""
    with run_of(TEST_BOT, logs, TURNS=request.param) as run:
        yield run


@pytest.fixture
async def emulator(run: MakeTarget) -> AsyncIterator[ClassicEmulator]:
    """An Emulator in front of it, in a new conversation."""
    async with ClassicEmulator(run.found) as emulator:
        yield emulator


def test_it_says_what_to_open(run: MakeTarget) -> None:
    """The URL, what to leave empty, and that nobody is authenticated."""
    until(lambda: any("Ctrl-C stops" in line for line in run.output))
    text = "".join(run.output)
    assert "(WITHOUT AUTHENTICATION)" in text
    assert "In the Bot Framework Emulator, choose Open Bot and enter this URL." in text
    assert "Leave the app ID and\nthe password empty." in text


async def test_a_turns_line(run: MakeTarget, emulator: ClassicEmulator) -> None:
    """The terminal has a line for each turn, as with the local cloud."""
    await emulator.say("a line of it")
    await comes_true(lambda: any(TURNS_LINE.match(line) for line in run.output))


async def test_a_live_chat(emulator: ClassicEmulator) -> None:
    """The bot greets once, though it is added with the user; it echoes, and keeps state."""
    await emulator.open()
    await comes_true(lambda: emulator.texts == ["Welcome!"])
    for text in ("good morning", "count", "count"):
        await emulator.say(text)
    replies = ["Welcome!", "You said: good morning", "Count: 1", "Count: 2"]
    await comes_true(lambda: emulator.texts == replies)
    assert {status // 100 for status in emulator.statuses} == {2}


async def test_a_card(emulator: ClassicEmulator) -> None:
    """A card is shown, and what it submits arrives."""
    await emulator.open()
    await emulator.say("card")
    await comes_true(lambda: any(each.get("attachments") for each in emulator.activities.values()))
    submitted: dict[str, Any] = {"color": "blue"}
    await emulator.post(
        {"type": "message", "value": submitted, "channelData": {"postback": True}, "text": None}
    )
    await comes_true(lambda: "You submitted: {'color': 'blue'}" in emulator.texts)


@pytest.mark.parametrize(
    "activity",
    [
        {"type": "typing"},
        {"type": "ping"},
        {"type": "deleteUserData"},
        {"type": "contactRelationUpdate", "action": "add"},
        {"type": "contactRelationUpdate", "action": "remove"},
        {"type": "conversationUpdate", "membersAdded": [{"id": "u2", "name": "user-2"}]},
        {"type": "conversationUpdate", "membersRemoved": [{"id": "u2"}]},
        {"type": "event", "name": "SetTestOptions", "value": {"randomSeed": 1, "randomValue": 2}},
        {"type": "event", "name": "tokens/response", "value": {"connectionName": "c"}},
        {"type": "message", "text": "/INSPECT open"},
        {"type": "message", "text": None, "attachments": []},
    ],
    ids=json.dumps,
)
async def test_the_menu(emulator: ClassicEmulator, activity: dict[str, Any]) -> None:
    """Everything that the Emulator's menus send is accepted."""
    await emulator.post(activity)
    assert emulator.statuses[0] in (200, 202)


async def test_updates_deletions_and_files(logs: Path, tmp_path: Path) -> None:
    """The bot updates and deletes what it has sent, and knows where a file of the user is."""
    bot = tmp_path / "bot"
    bot.mkdir()
    (bot / "__init__.py").write_text(MENDING_BOT, "utf-8")
    (bot / "requirements.txt").touch()
    with run_of(bot, logs) as run:
        async with ClassicEmulator(run.found) as emulator:
            await emulator.say("hello")
            await comes_true(lambda: emulator.texts == ["second"])
            url = f"http://localhost:{emulator.server.port}/v3/attachments/1/views/original"
            file = {"name": "a.txt", "contentType": "text/plain", "contentUrl": url}
            await emulator.post({"type": "message", "attachments": [file]})
            await comes_true(lambda: emulator.texts == ["second", f"a.txt at {url}"])


def test_a_pair_is_refused(logs: Path) -> None:
    """A bot and its skill need tokens for each other."""
    pair = ROOT / "examples" / "skill_pair"
    with pytest.raises(AssertionError, match="AUTH=Off runs one bot"), run_of(pair, logs):
        pass


@pytest.mark.skipif(shutil.which("node") is None, reason="Azurite needs node")
def test_state_is_in_azurite(run: MakeTarget) -> None:
    """Azurite is behind the bot."""
    until(lambda: any(line.startswith("Storage:") for line in run.output))
    assert any(line.startswith("Storage:") and "wiped" in line for line in run.output)
