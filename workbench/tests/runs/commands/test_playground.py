"""`make playground`: the user's other local tool, Microsoft's Agents Playground, with the bot."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bot_workbench.commands.playground import PROGRAM
from bot_workbench.emulator.loopback import free_port
from tests.support.bots.app_folder import TEST_BOT
from tests.support.bots.make_target import MakeTarget
from tests.support.project import ROOT
from tests.support.timing.condition import until
from tests.support.wire import chromium

pytestmark = [
    pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING),
    pytest.mark.skipif(
        not PROGRAM.exists() or shutil.which("node") is None,
        reason="The Agents Playground is missing: install node and npm, then make playground",
    ),
]


def test_signing_in(logs: Path) -> None:
    """The bot says that nobody can sign in there; no token service is called."""
    ports = {"PORT": str(free_port()), "PLAYGROUND_PORT": str(free_port())}
    log = logs / "playground sign-in.log"
    with (
        MakeTarget("playground", r"Playground: (http://\S+)", log, ports) as playground,
        chromium.launched() as browser,
    ):
        page = browser.new_page()
        page.goto(playground.found)
        box = page.locator("[role=textbox][contenteditable=true]")
        bubbles = page.locator(".fai-OutputCard")
        expect(bubbles.filter(has_text="I echo what you say")).to_be_visible()
        for text in ("login", "logout"):
            box.fill(text)
            box.press("Enter")
        expect(bubbles.filter(has_text="Users cannot sign in here")).to_be_visible()
        expect(bubbles.filter(has_text="You are signed out")).to_be_visible()
    text = log.read_text("utf-8")
    assert "Users cannot sign in there" in text
    assert "Traceback" not in text


def test_playground(logs: Path) -> None:
    """In its local unauthenticated mode a bot echoes, shows its card and takes its answer."""
    ports = {"PORT": str(free_port()), "PLAYGROUND_PORT": str(free_port())}
    variables = {"BOT": str(TEST_BOT), **ports}
    log = logs / "playground.log"
    with (
        MakeTarget("playground", r"Playground: (http://\S+)", log, variables) as playground,
        chromium.launched() as browser,
    ):
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(playground.found)
        box = page.locator("[role=textbox][contenteditable=true]")
        bubbles = page.locator(".fai-OutputCard")
        # What is typed before the Playground has installed the bot is cleared and never sent.
        expect(bubbles.filter(has_text="Welcome!")).to_be_visible()
        box.fill("good morning")
        box.press("Enter")
        expect(bubbles.filter(has_text="You said: good morning")).to_be_visible()
        box.fill("card")
        box.press("Enter")
        card = page.locator(".ac-adaptiveCard").last
        expect(card).to_contain_text("Press a button")
        card.get_by_role("button", name="Submit").click()
        expect(bubbles.filter(has_text="You submitted: ")).to_be_visible()
        card.get_by_role("button", name="Execute").click()
        expect(page.locator(".ac-adaptiveCard").last).to_contain_text("You executed: ")
        (ROOT / "artifacts").mkdir(exist_ok=True)
        page.screenshot(path=ROOT / "artifacts" / "playground.png")
        line = re.compile(r"[\d:]+  message +12 characters +200 ")
        until(lambda: any(map(line.match, playground.output)))
