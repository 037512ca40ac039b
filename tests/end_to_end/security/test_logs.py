"""The log of a whole test run has no token, no key and nothing that users said, and loses no line.

It is the last test to run (see conftest.py and the target `test`): every bot process of the run has
logged by then, whichever worker of pytest-xdist started it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth.credential_kinds import CERTIFICATE
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.wire.http_post import Caller

SECRETS = {
    "a token": re.compile(r"eyJ[A-Za-z0-9_-]{8,}"),
    "a bearer header": re.compile(r"Bearer [A-Za-z0-9]"),
    "a private key": re.compile(r"PRIVATE KEY|RSAPrivateNumbers"),
    "base64 of that length": re.compile(r"[A-Za-z0-9+/_-]{200,}"),
    "what a user said": re.compile(r"good morning|still there|You said: (?!\{)|(?i:secret lemur)"),
}

pytestmark = pytest.mark.last

SAID = "my secret lemur"

OWN_LOGGERS = {"function_app", "composition", "auth", "bot_logic", "cloud_adapter", "http_client"}


@pytest.fixture
def chatty(tmp_path: Path, logs: Path) -> Iterator[tuple[CloudThread, User]]:
    """A bot with a certificate that logs all that it can, and a user."""
    options = ("--log-level", "DEBUG")
    with CloudThread(Cloud(tmp_path, CERTIFICATE)) as thread:
        settings = thread.cloud.settings() | {"MicrosoftAppPassword": SAID}
        with BotProcess(settings, logs / "chatty.log", options=options) as process:
            user = User(thread.cloud, Caller(process.url))
            yield thread, user
            user.caller.close()


def test_debug_log(chatty: tuple[CloudThread, User], logs: Path) -> None:
    """Even at DEBUG, and when turns fail in every way, none of it is in the log."""
    thread, user = chatty
    assert user.says(SAID) == 200
    user.sends({"type": "message", "text": SAID, "value": {"color": SAID}})
    user.sends({"type": "invoke", "name": "adaptiveCard/action", "value": {"action": SAID}})
    assert user.sends({"type": "message", "timestamp": SAID}).status == 400
    assert user.sends({"type": "message", "historyDisclosed": SAID}).status == 400
    user.sends({"type": "conversationUpdate", "membersAdded": SAID, "text": SAID})
    thread.cloud.connector.server.faults.set(status=500)
    user.says(SAID)
    thread.cloud.connector.server.faults.clear()
    user.token += "x"
    user.says(SAID)
    log = (logs / "chatty.log").read_text()
    assert "DEBUG" in log, "the log says too little to prove anything"
    assert "MicrosoftAppPassword is set but never read" in log
    assert found(log) == []


def test_whole_run(run_logs: Path) -> None:
    """No bot process of this run has logged a secret."""
    # By path: files of several workers have the same name.
    leaks = {path: found(path.read_text()) for path in run_logs.rglob("*.log")}
    assert leaks, "no bot has logged"
    assert {path: leak for path, leak in leaks.items() if leak} == {}


def test_no_line_would_be_lost_in_azure(run_logs: Path) -> None:
    """Every line of this run's bots belongs to a running invocation: Azure drops others."""
    files = list(run_logs.rglob("*.lost"))
    assert files, "no bot has run"
    lost = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert [line for line in lost if line["logger"].partition(".")[0] in OWN_LOGGERS] == []
    faults = [line for line in lost if line["logger"] == "asyncio" and line["level"] != "DEBUG"]
    assert faults == []


def found(log: str) -> list[tuple[str, str]]:
    """The kinds of secrets in a log, each with the line."""
    return [
        (kind, line)
        for kind, pattern in SECRETS.items()
        for line in log.splitlines()
        if pattern.search(line)
    ]
