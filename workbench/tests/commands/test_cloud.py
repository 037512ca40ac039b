"""`bot cloud`: the local cloud for an app that is started separately."""

import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from azure.storage.queue import QueueServiceClient

from bot_workbench.credential_kinds import KINDS
from bot_workbench.emulator.loopback import free_port
from tests.support.bots.bot_process import APP, BotProcess
from tests.support.program import Program
from tests.support.timing.condition import SECONDS
from tests.support.wire.http_post import Caller


@pytest.mark.parametrize("credential", list(KINDS))
def test_env_file(credential: str, tmp_path: Path, logs: Path) -> None:
    """With the settings from --env an app signs in; Ctrl-C ends the cloud cleanly."""
    env = tmp_path / "app.env"
    options = ["--credential", credential, "--env", str(env), "--chat-port", str(free_port())]
    with Program(
        [sys.executable, "-m", "bot_workbench", "cloud", *options],
        cwd=APP,
        stdout=subprocess.PIPE,
        text=True,
    ) as cloud:
        while "Ctrl-C" not in cloud.line():
            pass
        lines = (line.partition("=") for line in env.read_text().splitlines())
        settings = {name: "".join(shlex.split(value)) for name, _, value in lines}
        with BotProcess(settings, logs / f"env file {credential}.log") as process:
            caller = Caller(process.url)
            facts = caller.send("GET", "/api/identity", []).json()
            caller.close()
        cloud.send_signal(signal.SIGINT)
        assert cloud.wait(SECONDS) == 0
    assert facts["kind"] == settings["BotCredential"]
    assert facts["appId"] == settings["MicrosoftAppId"]


def test_storage(tmp_path: Path) -> None:
    """With --storage Azurite runs too, the --env file names it, and its data is in the folder."""
    env, folder = tmp_path / "app.env", tmp_path / "storage"
    options = ["--env", str(env), "--storage", str(folder), "--chat-port", str(free_port())]
    with Program(
        [sys.executable, "-m", "bot_workbench", "cloud", *options],
        cwd=APP,
        stdout=subprocess.PIPE,
        text=True,
    ) as cloud:
        printed = "".join(iter(cloud.line, "Ctrl-C stops it.\n"))
        [setting] = re.findall("AzureWebJobsStorage=(.*)", env.read_text())
        [storage] = shlex.split(setting)
        with QueueServiceClient.from_connection_string(storage) as queues:
            queues.create_queue("work")
        cloud.send_signal(signal.SIGINT)
        assert cloud.wait(SECONDS) == 0
    assert f"data in {folder}" in printed
    assert any(folder.iterdir())


def test_port_in_use() -> None:
    """A port in use is reported in one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "bot_workbench", "cloud", "--chat-port", port],
            cwd=APP,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Port {port} is in use")
    assert "choose another, such as CHAT_PORT=" in ended.stderr
    assert "Traceback" not in ended.stderr
