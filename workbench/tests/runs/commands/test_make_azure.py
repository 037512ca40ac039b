"""`make azure` as a user meets it: an old bot that answers, and commands that find it."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from bot_workbench.emulator.loopback import free_port
from tests.support.bots.make_target import MakeTarget
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import until

READY = r"(Ctrl-C) stops everything"
DIRECT_LINE = "/v3/directline"


def exported(file: Path) -> dict[str, str]:
    """The variables that the file's lines set."""
    lines = (shlex.split(line)[1].partition("=") for line in file.read_text().splitlines())
    return {name: text for name, _, text in lines}


def said(chat: str, text: str) -> list[str]:
    """The answer of the bot to a user on its chat page."""
    started = requests.post(f"{chat}{DIRECT_LINE}/tokens/generate", json={}, timeout=60).json()
    headers = {"Authorization": f"Bearer {started['token']}"}
    base = f"{chat}{DIRECT_LINE}/conversations"
    requests.post(base, headers=headers, timeout=60)
    activities = f"{base}/{started['conversationId']}/activities"
    message: dict[str, Any] = {"type": "message", "text": text, "from": {"id": "user"}}
    requests.post(activities, json=message, headers=headers, timeout=60)
    texts: list[str] = []

    def answered() -> bool:
        shown = requests.get(activities, headers=headers, timeout=60).json()["activities"]
        texts[:] = [str(each.get("text")) for each in shown]
        return any(text in each and each != text for each in texts)

    until(answered)
    return texts


def processes_with(text: str) -> list[str]:
    """Command lines of processes that have a text."""
    listed = subprocess.run(
        ["/bin/ps", "-wweo", "args"], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if text in line]


def run_python(
    *words: str, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a module of the project to its end."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.timeout(600)
def test_make_azure(tmp_path: Path, logs: Path) -> None:
    """The old bot answers on its page; `bot migrate` finds it with the file's variables."""
    file = tmp_path / "azure.env"
    variables = {"CHAT_PORT": str(free_port()), "ENV": str(file)}
    with MakeTarget("azure", READY, logs / "make azure.log", variables) as run:
        output = "".join(run.output)
        chat = re.findall(r"Chat with contoso-bot: (http\S+)/", output)[0]
        assert "https://contoso-bot-web.azurewebsites.net" in requests.get(chat, timeout=60).text
        assert "Old bot: good morning" in said(chat, "good morning")
        environ = exported(file)
        folder = str(Path(environ["SSL_CERT_FILE"]).parent)
        assert len(processes_with(f"{folder}/names.json")) == 2
        status = shlex.split("migrate status --bot contoso-bot --app contoso-functions")
        ended = run_python("bot_workbench", *status, environ=environ)
        assert ended.returncode == 1, ended  # a secret is still there
        assert "MicrosoftAppPassword" in ended.stdout
        assert "migrate federated --bot contoso-bot --app contoso-functions" in ended.stdout
    for url in (chat, environ["HTTPS_PROXY"]):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) != 0
    assert processes_with(f"{folder}/names.json") == []
    assert f"  . {file}\n" in output
    assert "stop contoso-bot-web before delete-secret" in output
    assert not file.exists()


def test_a_port_in_use(tmp_path: Path) -> None:
    """With the chat page's port in use, the command says so and ends."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        env = str(tmp_path / "azure.env")
        ended = run_python("bot_workbench", "azure", "--chat-port", port, "--env", env)
    assert ended.returncode == 1
    assert f"Port {port} is in use" in ended.stderr
    assert "CHAT_PORT=" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_does_not_exist() -> None:
    """A number above the last port is refused with a sentence."""
    ended = run_python("bot_workbench", "azure", "--chat-port", "65536")
    assert ended.returncode == 2
    assert "less than or equal to 65535" in ended.stderr


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """What is wrong with ENV is not taken for a port in use."""
    wrong = tmp_path / "file"
    wrong.touch()
    ended = run_python("bot_workbench", "azure", "--env", str(wrong / "azure.env"))
    assert ended.returncode == 1
    assert str(wrong) in ended.stderr
    assert "port" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_during_the_start(tmp_path: Path) -> None:
    """Ctrl-C while the apps start ends the command without a trace, and leaves no process."""
    command = [sys.executable, "-m", "bot_workbench", "azure", "--env", str(tmp_path / "env")]
    with Program(
        [*command, "--chat-port", str(free_port())],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        until(lambda: bool(processes_with(f"--log {tmp_path}")))
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=60)
    assert (program.returncode, errors) == (0, "")
    assert processes_with(f"--log {tmp_path}") == []
    assert list(tmp_path.iterdir()) == []
