"""The plug-in, in a run of its own: what authors see when a test fails."""

import subprocess
import sys

import pytest

from tests.support.project import ROOT

PACKAGE = """
from bots import Bot


def create_bot(services):
    return Bot()
"""

BOT = """
from botbuilder.core import ActivityHandler


class Bot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        if turn_context.activity.text == "fail":
            raise LookupError("the bot is wrong")
        await turn_context.send_activity(HELLO)


HELLO = "hello"
"""

REFUSED = """
import asyncio


async def create_bot(services):
    await asyncio.open_connection("127.0.0.1", 1)
"""

TESTS = """
import asyncio

import pytest

import bots


async def test_beside_a_bot(chat):
    bots.HELLO = "good morning"
    assert (await chat.say("hi")).texts == ["good morning"]


async def test_bot_fails(chat):
    await chat.say("fail")


@pytest.mark.chat(turns="Queued")
async def test_wrong_mode(chat):
    pass


@pytest.mark.chat(chanel="msteams")
async def test_wrong_option(chat):
    pass


@pytest.mark.chat(kind="team")
async def test_wrong_kind(chat):
    pass


@pytest.mark.chat(bot="nowhere")
async def test_no_bot(chat):
    pass


@pytest.mark.chat(bot="REFUSED")
async def test_bot_cannot_start(chat):
    pass


@pytest.mark.chat(settings={"MicrosoftAppId": "no GUID"})
async def test_wrong_setting(chat):
    pass


@pytest.mark.chat(channel="msteams", user="Alan", settings={"Color": "red"})
class TestMarks:
    @pytest.mark.chat(user="Grace")
    async def test_merged(self, chat):
        assert (chat.channel, chat.account["name"]) == ("msteams", "Grace")
        assert chat.bot.parts.services.settings["Color"] == "red"


async def test_environment(chat):
    settings = chat.bot.parts.services.settings
    assert settings["MicrosoftAppId"] == chat.bot.cloud.registration.app_id
    assert "CertificatePath" not in settings


async def test_loop(chat):
    assert type(asyncio.get_running_loop()).__module__ == "uvloop"
"""

FAILURES = {
    "test_bot_fails": 'LookupError("the bot is wrong")',
    "test_wrong_mode": 'turns="Queued" needs storage="azurite"',
    "test_wrong_option": "@pytest.mark.chat has no option chanel; it has bot, user, channel, ",
    "test_wrong_kind": "kind='team' is none of personal, groupChat, channel",
    "test_no_bot": "nowhere/__init__.py has no create_bot(services)",
    "test_bot_cannot_start": "__init__.py:6: ConnectionRefusedError",
    "test_wrong_setting": "MicrosoftAppId: ",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of a run of pytest, with settings of a developer's shell."""
    folder = tmp_path_factory.mktemp("bot")
    (folder / "__init__.py").write_text(PACKAGE)
    (folder / "bots.py").write_text(BOT)
    refused = tmp_path_factory.mktemp("refused")
    (refused / "__init__.py").write_text(REFUSED)
    (folder / "test_bot.py").write_text(TESTS.replace("REFUSED", str(refused)))
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "bot_testing.plugin"]
    command += ["-c", str(ROOT / "pyproject.toml"), str(folder)]
    environ = {"MicrosoftAppId": "0", "CertificatePath": "/x", "PATH": "", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return run.stdout + run.stderr


def test_what_passes(report: str) -> None:
    """The others pass."""
    passed = {line.split("::")[-1] for line in report.splitlines() if line.startswith("PASSED")}
    assert passed == {"test_beside_a_bot", "test_merged", "test_environment", "test_loop"}, report


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails(report: str, name: str) -> None:
    """The report names the cause; for an error of the bot, it shows the bot's code."""
    lines = report.splitlines()
    assert [line for line in lines if line.startswith(("FAILED", "ERROR")) and name in line]
    _, _, details = report.partition(f" {name} ___")
    assert FAILURES[name] in details.partition("\n____")[0], report
