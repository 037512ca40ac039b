"""The sample bot in the chat page of `make run`, as a user meets it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot_workbench.emulator.loopback import free_port
from tests.support.bots.make_target import MakeTarget
from tests.support.project import ROOT
from tests.support.wire import chromium
from tests.support.wire.chromium import press, say, transcript

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)

ARTIFACTS = ROOT / "artifacts"


def sign_in_and_out(page: Page) -> None:
    """Press the sign-in card, agree on the page that opens, and sign out again."""
    messages = transcript(page)
    say(page, "login")
    with page.expect_popup() as opening:
        press(page, "Sign in")
    popup = opening.value
    popup.get_by_role("button", name="Sign in").click()
    expect(popup.get_by_text("The chat has your code.")).to_be_visible()
    popup.close()
    signed_in = messages.get_by_text("You are signed in with bot-sign-in.")
    expect(signed_in).to_be_in_viewport(ratio=1)
    page.screenshot(path=ARTIFACTS / "login.png")
    say(page, "logout")
    expect(messages).to_contain_text("You are signed out of bot-sign-in.")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitemcheckbox", name="Single sign-on").click()
    say(page, "login")
    expect(signed_in).to_have_count(2)
    expect(messages.get_by_role("button", name="Sign in", exact=True)).to_have_count(1)


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
        messages = transcript(page)
        expect(messages).to_contain_text("I echo what you say")
        say(page, "good morning")
        expect(messages).to_contain_text("You said: good morning")
        say(page, "card")
        page.locator("select.ac-input").select_option("green")
        press(page, "Send as a message")
        expect(messages).to_contain_text("You submitted: green")
        page.locator("select.ac-input").select_option("orange")
        press(page, "Update this card")
        expect(messages).to_contain_text("You picked orange.")
        say(page, "whoami")
        expect(messages).to_contain_text("msteams")
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / "make_run.png")
        sign_in_and_out(page)
        assert not complaints
