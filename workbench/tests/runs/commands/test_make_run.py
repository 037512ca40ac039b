"""`make run` as a user meets it: a browser opens the chat page and talks to a bot."""

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

import pytest
from azure.storage.queue import QueueServiceClient
from playwright.sync_api import expect

from bot_workbench.credential_kinds import KINDS
from bot_workbench.emulator.loopback import free_port
from bot_workbench.emulator.storage.azurite import DEVELOPMENT_PORTS
from tests.runs.commands.test_bot_folders import write
from tests.support.bots.app_folder import TEST_BOT
from tests.support.bots.make_target import MakeTarget
from tests.support.project import ROOT
from tests.support.wire import chromium
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)

CHAT = r"Chat: +(http://\S+)"
STORAGE = r"Storage: +(.+)"
COMMANDS = r"Commands: +\S*bot --help  \(each with (.+)\)$"


@pytest.mark.parametrize("credential", list(KINDS))
def test_make_run(credential: str, logs: Path, tmp_path: Path) -> None:
    """The chat page shows greeting and echo, and the buttons of a card reach the bot."""
    port, chat_port = free_port(), free_port()
    ports = {"PORT": str(port), "CHAT_PORT": str(chat_port)}
    chosen = variables(tmp_path, CREDENTIAL=credential, **ports)
    log = logs / f"make run {credential}.log"
    complaints: list[str] = []
    with MakeTarget("run", CHAT, log, chosen) as run, chromium.launched() as browser:
        page = chromium.open_chat(browser, run.found, complaints)
        transcript = chromium.transcript(page)
        expect(transcript).to_contain_text("Welcome!")
        chromium.say(page, "good morning")
        expect(transcript).to_contain_text("You said: good morning")
        chromium.say(page, "card")
        chromium.press(page, "Submit")
        expect(transcript).to_contain_text(re.compile("You submitted: .*blue"))
        chromium.press(page, "Execute")
        expect(transcript).to_contain_text(re.compile("You executed: .*blue"))
        assert not complaints
    for closed in (port, chat_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", closed)) != 0, "Ctrl-C left something running"


REPORTING = {
    "__init__.py": """from botbuilder.core import ActivityHandler


def create_bot(services):
    return ActivityHandler()
""",
    "routes.py": """import json
import os

import azure.functions as func


def create_routes(ready):
    routes = func.Blueprint()

    @routes.route("environ", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def environ(req: func.HttpRequest) -> str:
        return json.dumps(dict(os.environ))

    return routes
""",
}
"""A bot that tells its environment."""


@pytest.fixture
def reporting(tmp_path: Path) -> dict[str, str]:
    """Makefile variables that choose a bot which tells its environment."""
    return variables(tmp_path, BOT=str(write(tmp_path / "reporting", REPORTING)))


def environ_of(chosen: dict[str, str]) -> dict[str, str]:
    """The environment of the app that runs with these Makefile variables."""
    with closing(Caller(f"http://localhost:{chosen['PORT']}")) as caller:
        environ: dict[str, str] = caller.send("GET", "/api/environ", []).json()
    return environ


def variables(folder: Path, **others: str) -> dict[str, str]:
    """Makefile variables: the bot of the base's tests, ports that are free, a data folder."""
    ports = {"PORT": str(free_port()), "CHAT_PORT": str(free_port())}
    return {"BOT": str(TEST_BOT), "STORAGE": str(folder / "storage"), **ports, **others}


@pytest.mark.parametrize("turns", ["Inline", "Queued"])
def test_turns_and_storage(
    turns: str, reporting: dict[str, str], monkeypatch: pytest.MonkeyPatch, logs: Path
) -> None:
    """make sets the app's turns and storage, over anything that a developer has set."""
    monkeypatch.setenv("AzureWebJobsStorage__accountName", "production")
    monkeypatch.setenv("AzureWebJobsStorage", "AccountName=production")
    monkeypatch.setenv("BotTurns", "Otherwise")
    log = logs / f"turns {turns}.log"
    with MakeTarget("run", STORAGE, log, {**reporting, "TURNS": turns}):
        settings = environ_of(reporting)
        storage = settings["AzureWebJobsStorage"]
        with QueueServiceClient.from_connection_string(storage) as queues:
            queues.create_queue("kept")
    assert settings["BotTurns"] == turns
    assert "production" not in settings.values()
    with (
        MakeTarget("run", STORAGE, log, reporting),
        QueueServiceClient.from_connection_string(
            environ_of(reporting)["AzureWebJobsStorage"]
        ) as queues,
    ):
        assert [each.name for each in queues.list_queues()] == ["kept"]


@pytest.mark.parametrize("own", ["", "https://contoso.openai.azure.com"])
def test_a_language_model(
    own: str, reporting: dict[str, str], monkeypatch: pytest.MonkeyPatch, logs: Path
) -> None:
    """The app has the local cloud's model, or the one that a developer has named."""
    monkeypatch.setenv("AzureOpenAIEndpoint", own)
    monkeypatch.setenv("AzureOpenAIDeployment", "gpt")
    with MakeTarget("run", CHAT, logs / f"model {bool(own)}.log", reporting):
        settings = environ_of(reporting)
    endpoint, deployment = settings["AzureOpenAIEndpoint"], settings["AzureOpenAIDeployment"]
    if own:
        assert (endpoint, deployment) == (own, "gpt")
        assert Path(settings["SSL_CERT_FILE"]).name == "authorities.pem"
    else:
        assert re.fullmatch(r"http://localhost:\d+", endpoint)
        assert deployment == "assistant-model"


def test_storage_of_another_run_is_left_alone(tmp_path: Path, logs: Path) -> None:
    """A second run on the same folder starts all the same, with its state in memory."""
    ours = variables(tmp_path)
    theirs = variables(tmp_path)
    with (
        MakeTarget("run", STORAGE, logs / "first storage.log", ours),
        MakeTarget("run", STORAGE, logs / "second storage.log", theirs) as second,
    ):
        assert "wiped on every start. Another Azurite keeps its data in" in second.found


@pytest.fixture
def taken_ports() -> Iterator[None]:
    """Another program has the ports where commands look for Azurite."""
    with contextlib.ExitStack() as stack:
        for port in astuple(DEVELOPMENT_PORTS):
            with contextlib.suppress(OSError):  # it has one
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@pytest.mark.usefixtures("taken_ports")
def test_commands_find_a_storage_on_other_ports(tmp_path: Path, logs: Path) -> None:
    """What a person copies from the terminal is short, leads there, and is gone after Ctrl-C."""
    chosen = variables(tmp_path)
    file = ROOT / ".cache" / f"storage-{chosen['PORT']}"
    with MakeTarget("run", COMMANDS, logs / "other ports.log", chosen) as run:
        assert len(run.found) < 70
        command = f"{shlex.quote(sys.executable)} -m bot_workbench dead-letters list {run.found}"
        done = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        settings = dict(part.split("=", 1) for part in file.read_text().split(";"))
        (port,) = re.findall(r"blobs at port (\d+)", "".join(run.output))
        assert settings["BlobEndpoint"] == f"http://127.0.0.1:{port}/devstoreaccount1"
        assert file.stat().st_mode & 0o077 == 0
        assert settings["AccountKey"] not in "".join(run.output)
    assert not file.exists()


@pytest.fixture
def no_azurite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose node does not work: Azurite ends at once."""
    node = tmp_path / "no node" / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\nexit 1\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(node.parent), os.environ["PATH"])))


@pytest.mark.usefixtures("no_azurite")
def test_no_azurite(reporting: dict[str, str], logs: Path) -> None:
    """Without Azurite the bot runs without a storage, and one line names the cure."""
    with MakeTarget("run", STORAGE, logs / "no azurite.log", reporting) as run:
        assert run.found.startswith("none: state is in memory, and lost with each save.")
        assert "make setup" in run.found
        assert environ_of(reporting)["AzureWebJobsStorage"] == ""


@pytest.mark.usefixtures("no_azurite")
def test_queued_without_azurite(tmp_path: Path, logs: Path) -> None:
    """Queued turns without a storage are refused in one line."""
    target = MakeTarget("run", CHAT, logs / "queued.log", variables(tmp_path, TURNS="Queued"))
    with (
        pytest.raises(AssertionError, match=r"TURNS=Queued needs storage\. .*make setup"),
        target,
    ):
        pass
    assert "Traceback" not in "".join(target.output)


def test_port_in_use(tmp_path: Path, logs: Path) -> None:
    """A port that somebody has is named, with the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wanted = variables(tmp_path, CHAT_PORT=str(port))
        target = MakeTarget("run", CHAT, logs / "in use.log", wanted)
        with pytest.raises(AssertionError, match=f"Port {port} is in use"), target:
            pass
