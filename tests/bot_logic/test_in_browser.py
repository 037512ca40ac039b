"""The sample bot in the chat page of `make run`, as a user meets it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from emulator.loopback import free_port
from tests.support.bots.make_target import MakeTarget
from tests.support.project import ROOT
from tests.support.wire import chromium
from tests.support.wire.chromium import press, say

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)

ARTIFACTS = ROOT / "artifacts"


def sign_in_and_out(page: Page) -> None:
    """Press the sign-in card, agree on the page that opens, and sign out again."""
    transcript = page.get_by_role("feed")
    say(page, "login")
    with page.expect_popup() as opening:
        press(page, "Sign in")
    popup = opening.value
    popup.get_by_role("button", name="Sign in").click()
    expect(popup.get_by_text("The chat has your code.")).to_be_visible()
    popup.close()
    # The bubbles only: beside each one there is a copy for screen readers.
    signed_in = page.locator(".webchat__bubble", has_text="You are signed in with bot-sign-in.")
    expect(signed_in).to_be_in_viewport(ratio=1)
    page.screenshot(path=ARTIFACTS / "login.png")
    say(page, "logout")
    expect(transcript).to_contain_text("You are signed out of bot-sign-in.")
    page.get_by_label("Single sign-on").check()
    say(page, "login")
    expect(signed_in).to_have_count(2)
    expect(page.locator(".ac-pushButton", has_text="Sign in")).to_have_count(1)


def test_in_the_chat_page(logs: Path, tmp_path: Path) -> None:
    """The chat page shows greeting, echo, what the card's buttons do, and a user's sign-in."""
    ports = {"PORT": str(free_port()), "CHAT_PORT": str(free_port())}
    run = {**ports, "STORAGE": str(tmp_path / "storage")}
    log, complaints = logs / "make run sample.log", list[str]()
    with (
        MakeTarget("run", r"Chat: +(http://\S+)", log, run) as target,
        chromium.launched() as browser,
    ):
        page = chromium.open_chat(browser, target.found, complaints)
        transcript = page.get_by_role("feed")
        expect(transcript).to_contain_text("I echo what you say")
        say(page, "good morning")
        expect(transcript).to_contain_text("You said: good morning")
        say(page, "card")
        page.locator("select.ac-input").select_option("green")
        press(page, "Send as a message")
        expect(transcript).to_contain_text("You submitted: green")
        page.locator("select.ac-input").select_option("orange")
        press(page, "Update this card")
        expect(transcript).to_contain_text("You picked orange.")
        say(page, "whoami")
        expect(transcript).to_contain_text("webchat")
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / "make_run.png")
        sign_in_and_out(page)
        assert not complaints
