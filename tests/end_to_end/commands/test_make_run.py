"""`make run` as a user meets it: a browser opens the chat page and talks to the bot."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.storage.queue import QueueServiceClient
from playwright.sync_api import Browser, Page, expect, sync_playwright

from emulator.cloud import APP_TYPES
from tests.support.bots.make_target import MakeTarget, free_port
from tests.support.project import ROOT
from tests.support.wire import chromium

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)

ARTIFACTS = ROOT / "artifacts"
CHAT = r"Chat: +(http://\S+)"
STORAGE = r"Storage: +(.+)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.PROGRAM, args=chromium.ARGUMENTS
        )
        yield browser
        browser.close()


def say(page: Page, text: str) -> None:
    """Type a message and send it."""
    box = page.get_by_role("textbox", name="Message input box")
    box.fill(text)
    box.press("Enter")


def sign_in_and_out(page: Page, credential: str) -> None:
    """Press the sign-in card, agree on the page that opens, and sign out again."""
    transcript = page.get_by_role("feed")
    say(page, "login")
    with page.expect_popup() as opening:
        page.locator(".ac-pushButton", has_text="Sign in").click()
    popup = opening.value
    popup.get_by_role("button", name="Sign in").click()
    expect(popup.get_by_text("The chat has your code.")).to_be_visible()
    popup.close()
    # The bubbles only: beside each one there is a copy for screen readers.
    signed_in = page.locator(".webchat__bubble", has_text="You are signed in with bot-sign-in.")
    expect(signed_in).to_be_in_viewport(ratio=1)
    page.screenshot(path=ARTIFACTS / f"login_{credential}.png")
    say(page, "logout")
    expect(transcript).to_contain_text("You are signed out of bot-sign-in.")
    page.get_by_label("Single sign-on").check()
    say(page, "login")
    expect(signed_in).to_have_count(2)
    expect(page.locator(".ac-pushButton", has_text="Sign in")).to_have_count(1)


@pytest.mark.parametrize("credential", list(APP_TYPES))
def test_make_run(credential: str, browser: Browser, logs: Path, tmp_path: Path) -> None:
    """The chat page shows greeting, echo, what the card's buttons do, and a user's sign-in."""
    port, chat_port = free_port(), free_port()
    ports = {"PORT": str(port), "CHAT_PORT": str(chat_port)}
    chosen = variables(tmp_path, CREDENTIAL=credential, **ports)
    log = logs / f"make run {credential}.log"
    with MakeTarget("run", CHAT, log, chosen) as run:
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        complaints: list[str] = []
        page.on(
            "console", lambda said: complaints.append(said.text) if said.type == "error" else None
        )
        page.goto(run.found)
        transcript = page.get_by_role("feed")
        expect(transcript).to_contain_text("I echo what you say")
        say(page, "good morning")
        expect(transcript).to_contain_text("You said: good morning")
        say(page, "card")
        page.locator("select.ac-input").select_option("green")
        page.locator(".ac-pushButton", has_text="Send as a message").click()
        expect(transcript).to_contain_text("You submitted: green")
        page.locator("select.ac-input").select_option("orange")
        page.locator(".ac-pushButton", has_text="Update this card").click()
        expect(transcript).to_contain_text("You picked orange.")
        say(page, "whoami")
        expect(transcript).to_contain_text("webchat")
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"make_run_{credential}.png")
        sign_in_and_out(page, credential)
        page.close()
        assert not complaints
    for closed in (port, chat_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", closed)) != 0, "Ctrl-C left something running"


@dataclass
class CoreTools:
    """A `func` that writes down how it was called, then runs the project's own host.

    Attributes:
        called: the file with its arguments and folder.
        environ: the file with its environment, as NAME=VALUE lines.
    """

    called: Path
    environ: Path

    def settings(self) -> dict[str, str]:
        """The environment that the app was given."""
        lines = (line.partition("=") for line in self.environ.read_text().splitlines())
        return {name: value for name, _, value in lines}


@pytest.fixture
def core_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CoreTools:
    """Core Tools in front of everything else on the PATH.

    The app runs its turns inline, for every request.
    """
    tools = CoreTools(tmp_path / "called", tmp_path / "environ")
    func = tmp_path / "bin" / "func"
    func.parent.mkdir()
    func.write_text(
        "#!/bin/sh\n"
        f'echo "$@" in "$PWD" > {tools.called}\n'
        f"env > {tools.environ}\n"
        'BotTurns=Inline exec python -m emulator.functions --app "$PWD" --port "$3"\n'
    )
    func.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(func.parent), os.environ["PATH"])))
    return tools


def variables(folder: Path, **others: str) -> dict[str, str]:
    """Makefile variables with ports that are free, and a data folder of the test's own."""
    ports = {"PORT": str(free_port()), "CHAT_PORT": str(free_port())}
    return {**ports, "STORAGE": str(folder / "storage"), **others}


def test_core_tools(core_tools: CoreTools, tmp_path: Path, logs: Path) -> None:
    """Where `func` is installed it starts the app, in its folder and with the project's Python."""
    port = str(free_port())
    with MakeTarget("run", CHAT, logs / "core tools.log", variables(tmp_path, PORT=port)):
        pass
    assert core_tools.called.read_text() == f"start --port {port} in {ROOT}\n"


@pytest.mark.parametrize("turns", ["Inline", "Queued"])
def test_turns_and_storage(
    turns: str,
    core_tools: CoreTools,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    logs: Path,
) -> None:
    """make sets the app's turns and storage, over anything that a developer has set."""
    monkeypatch.setenv("AzureWebJobsStorage__accountName", "production")
    monkeypatch.setenv("AzureWebJobsStorage", "AccountName=production")
    monkeypatch.setenv("BotTurns", "Otherwise")
    log = logs / f"turns {turns}.log"
    with MakeTarget("run", STORAGE, log, variables(tmp_path, TURNS=turns)):
        settings = core_tools.settings()
        storage = settings["AzureWebJobsStorage"]
        with QueueServiceClient.from_connection_string(storage) as queues:
            queues.create_queue("kept")
    assert settings["BotTurns"] == turns
    assert "production" not in settings.values()
    with (
        MakeTarget("run", STORAGE, log, variables(tmp_path)),
        QueueServiceClient.from_connection_string(
            core_tools.settings()["AzureWebJobsStorage"]
        ) as queues,
    ):
        assert [each.name for each in queues.list_queues()] == ["kept"]


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
def no_azurite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose node does not work: Azurite ends at once."""
    node = tmp_path / "no node" / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\nexit 1\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(node.parent), os.environ["PATH"])))


@pytest.mark.usefixtures("no_azurite")
def test_no_azurite(core_tools: CoreTools, tmp_path: Path, logs: Path) -> None:
    """Without Azurite the bot runs without a storage, and one line names the cure."""
    with MakeTarget("run", STORAGE, logs / "no azurite.log", variables(tmp_path)) as run:
        assert run.found.startswith("none, state is in memory only.")
        assert "make azurite" in run.found
        assert core_tools.settings()["AzureWebJobsStorage"] == ""


@pytest.mark.usefixtures("no_azurite")
def test_queued_without_azurite(tmp_path: Path, logs: Path) -> None:
    """Queued turns without a storage are refused in one line."""
    target = MakeTarget("run", CHAT, logs / "queued.log", variables(tmp_path, TURNS="Queued"))
    with (
        pytest.raises(AssertionError, match=r"TURNS=Queued needs storage\. .*make azurite"),
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
