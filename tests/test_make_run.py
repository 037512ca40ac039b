"""`make run` as a user meets it: a browser opens the chat page and talks to the bot."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from emulator.cloud import APP_TYPES
from tests.support import chromium
from tests.support.make_target import ROOT, MakeTarget, free_port

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)

ARTIFACTS = ROOT / "artifacts"


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
def test_make_run(credential: str, browser: Browser, logs: Path) -> None:
    """The chat page shows greeting, echo, what the card's buttons do, and a user's sign-in."""
    port, chat_port = free_port(), free_port()
    variables = {"CREDENTIAL": credential, "PORT": str(port), "CHAT_PORT": str(chat_port)}
    log = logs / f"make run {credential}.log"
    with MakeTarget("run", r"Chat: +(http://\S+)", log, variables) as run:
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


def test_core_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: Path) -> None:
    """Where `func` is installed it starts the app, in its folder and with the project's Python."""
    func = tmp_path / "func"
    func.write_text(
        "#!/bin/sh\n"
        f'echo "$@" in "$PWD" > {tmp_path}/called\n'
        'exec python -m emulator.functions_host --app "$PWD" --port "$3"\n'
    )
    func.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path), os.environ["PATH"])))
    port = str(free_port())
    variables = {"PORT": port, "CHAT_PORT": str(free_port())}
    with MakeTarget("run", r"Chat: +(http://\S+)", logs / "core tools.log", variables):
        pass
    assert (tmp_path / "called").read_text() == f"start --port {port} in {ROOT}\n"


def test_port_in_use(logs: Path) -> None:
    """A port that somebody has is named, with the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        variables = {"PORT": str(free_port()), "CHAT_PORT": str(port)}
        target = MakeTarget("run", r"Chat: +(http://\S+)", logs / "in use.log", variables)
        with pytest.raises(AssertionError, match=f"Port {port} is in use"), target:
            pass
