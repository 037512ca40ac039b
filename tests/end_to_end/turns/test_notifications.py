"""Notifications of a running bot: one command brings a message into the chat page."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import APP, BotProcess
from tests.support.timing.condition import comes_true


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A local cloud of this test's own."""
    with CloudThread(Cloud(tmp_path)) as thread:
        yield thread.cloud


async def open_chat(cloud: Cloud) -> str:
    """Open the chat page's conversation; returns its id when the bot has welcomed the user."""
    url = f"{cloud.pages.url}/v3/directline"
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/tokens/generate", json={}) as answer:
            token = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        async with session.post(f"{url}/conversations", headers=token) as answer:
            conversation: str = (await answer.json())["conversationId"]
    await comes_true(lambda: bool(cloud.conversations.find(conversation).activities))
    return conversation


async def notify(storage: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command, as a user does."""
    command = [sys.executable, "-m", "bot_workbench", "notify", *words]
    return await asyncio.to_thread(
        subprocess.run,
        [*command, "--connection-string", storage],
        cwd=APP,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_message_comes_into_the_chat(cloud: Cloud, storage: str, logs: Path) -> None:
    """The command ends when everybody has the message, and names each of them."""
    settings = {**cloud.settings(), "AzureWebJobsStorage": storage}
    bot = BotProcess(settings, logs / "notified.log")
    async with bot:
        cloud.channel.bot_endpoint = bot.messages
        conversation = await open_chat(cloud)
        sent = await notify(storage, "--to", "all", "--text", "The canteen is open.")
        unknown = await notify(storage, "--to", "29:nobody", "--text", "Hello?")
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.startswith("It goes to 1 conversation (webchat: 1).\n")
    assert f"sent      webchat/{conversation}\nDone: 1 sent (webchat: 1)\n" in sent.stdout
    activities = cloud.conversations.find(conversation).activities
    assert [each.get("text") for each in activities].count("The canteen is open.") == 1
    assert unknown.returncode == 1
    assert re.search(r"^unknown   29:nobody  no conversation", unknown.stdout, re.M)
    log = (logs / "notified.log").read_text()
    assert "is done: 1 sent" in log
    assert "canteen" not in log
