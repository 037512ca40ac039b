"""`make run BOT=FOLDER`: the project with another bot, or with a bot and its skill."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.emulator.loopback import free_port
from tests.support.bots.make_target import MakeTarget
from tests.support.skills.skill_pair import PARENT, SKILL
from tests.support.timing.condition import until
from tests.support.wire.http_post import JSON, Caller

CHAT = r"Chat: +(http://\S+)"

BOT = """
import os

from botbuilder.core import ActivityHandler
from botbuilder.dialogs import DialogSet

from words import WORDS


class FolderBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        if turn_context.activity.text == "fail":
            raise ValueError
        with open("resources/text.txt") as file:
            text = file.read()
        await turn_context.send_activity(f"{WORDS} {text} {__file__} {os.getcwd()}")


def create_bot(services):
    return FolderBot()
"""
ROUTES = """
import azure.functions as func


def create_routes(ready):
    routes = func.Blueprint()

    @routes.timer_trigger("timer", "0 0 0 1 1 *")
    async def yearly(timer: func.TimerRequest) -> None:
        await ready()

    return routes
"""


def write(folder: Path, contents: dict[str, str]) -> Path:
    """Write files, and return the folder; a bot among them needs no packages unless it says so."""
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        if Path(name).name == "__init__.py":
            (folder / name).with_name("requirements.txt").touch()
    return folder


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """A bot that needs dialogs, reads a file and has a timer."""
    contents = {"__init__.py": BOT, "routes.py": ROUTES, "words.py": "WORDS = 'words'"}
    contents |= {"requirements.txt": "botbuilder-dialogs==4.17.1\n"}
    return write(tmp_path / "a bot", {**contents, "resources/text.txt": "text"})


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Makefile variables with ports that are free."""
    ports = {name: str(free_port()) for name in ("PORT", "SKILL_PORT", "CHAT_PORT")}
    return {**ports, "STORAGE": str(tmp_path / "storage")}


class ChatPageUser:
    """A user of the chat page, without a browser.

    Args:
        url: the page's.
    """

    def __init__(self, url: str) -> None:
        self._caller = Caller(url)
        self._token = ""
        self._token = self._call("POST", "/tokens/generate", {"user": {"id": "user-1"}})["token"]
        started = self._call("POST", "/conversations", {})
        self._token = started["token"]
        self._path = f"/conversations/{started['conversationId']}/activities"

    def close(self) -> None:
        """Close the connection."""
        self._caller.close()

    def say(self, text: str) -> None:
        """Send a message."""
        self._call("POST", self._path, {"type": "message", "from": {"id": "user-1"}, "text": text})

    def replies(self) -> list[str]:
        """The texts that the bot has sent."""
        shown = self._call("GET", f"{self._path}?watermark=", {})["activities"]
        return [each["text"] for each in shown if each["from"]["id"] != "user-1" and "text" in each]

    def _call(self, method: str, path: str, content: dict[str, Any]) -> Any:
        headers = [*JSON]
        if self._token:
            headers.append(("Authorization", f"Bearer {self._token}"))
        body = json.dumps(content).encode() if method == "POST" else b""
        reply = self._caller.send(method, f"/v3/directline{path}", headers, body)
        assert reply.status < 300, reply.body
        return reply.json()


def test_another_bot(bot: Path, variables: dict[str, str], logs: Path) -> None:
    """The bot in the folder runs from its own files, with its triggers and the project's tools.

    The line of a turn that failed names them.
    """
    log = logs / "another bot.log"
    with (
        MakeTarget("run", CHAT, log, {**variables, "BOT": str(bot)}) as run,
        closing(ChatPageUser(run.found)) as user,
    ):
        user.say("hello")
        until(lambda: user.replies() == [f"words text {bot}/__init__.py {bot}"])
        user.say("fail")
        line = 1 + BOT.splitlines().index("            raise ValueError")
        until(lambda: f"a bot/__init__.py:{line} ValueError" in "".join(run.output))
        with closing(Caller(f"http://localhost:{variables['PORT']}")) as caller:
            assert caller.send("POST", "/admin/functions/yearly", JSON, b"{}").status == 202
        until(lambda: "yearly ran" in "".join(run.output))


def test_bot_and_its_skill(tmp_path: Path, variables: dict[str, str], logs: Path) -> None:
    """A folder with `host` and `skill` runs both, each with a storage and an app id of its own."""
    # The skill counts from 0, in a state of the same name.
    counts = 'await self._services.user_state.create_property("count").set(turn_context, 10)'
    first = 'await turn_context.send_activity("Say skill")'
    parent = PARENT.replace(first, f"{counts}\n            {first}")
    pair = write(tmp_path / "pair", {"host/__init__.py": parent, "skill/__init__.py": SKILL})
    log = logs / "skill pair.log"
    with (
        MakeTarget("run", CHAT, log, {**variables, "BOT": str(pair)}) as run,
        closing(ChatPageUser(run.found)) as user,
    ):
        replies: list[str] = []
        for text, reply in (
            ("hello", "Say skill"),
            ("skill", "Echo 1: skill"),
            ("end", "Back: completedSuccessfully {'n': 2}"),
        ):
            user.say(text)
            replies.append(reply)
            until(lambda: user.replies() == replies)


CHOICES = r"Choose one of bot_logic, examples/.*, or your own\."


@pytest.mark.parametrize("name", ["missing", "empty", "pair"])
def test_folder_without_a_bot(
    name: str, tmp_path: Path, variables: dict[str, str], logs: Path
) -> None:
    """A wrong folder is named in one line, with the bots that there are."""
    write(tmp_path, {"pair/host/__init__.py": BOT, "pair/skill/__init__.py": "", "empty/x": ""})
    wrong = str(tmp_path / name)
    target = MakeTarget("run", CHAT, logs / "no bot.log", {**variables, "BOT": wrong})
    with pytest.raises(AssertionError, match=rf"BOT={wrong} has no bot: .*{CHOICES}"), target:
        pass
    assert "Traceback" not in "".join(target.output)
