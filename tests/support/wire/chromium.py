"""The browser that tests drive: the machine's own Chromium, headless."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright import async_api, sync_api
from playwright.sync_api import Browser, Locator, Page, sync_playwright

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = "Chromium is missing: apt-get install chromium"

# Playwright's own 5 seconds may be too short on a busy machine.
EXPECT_TIMEOUT_MS = 30_000
sync_api.expect.set_options(timeout=EXPECT_TIMEOUT_MS)
async_api.expect.set_options(timeout=EXPECT_TIMEOUT_MS)


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, for tests without an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        yield browser
        browser.close()


def open_chat(browser: Browser, url: str, complaints: list[str]) -> Page:
    """Open the chat page.

    Args:
        browser: launched.
        url: the page's.
        complaints: gets the errors that the page logs.
    """
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(url)
    return page


def transcript(page: Page) -> Locator:
    """The chat page's messages."""
    return page.get_by_role("region", name="Messages")


def say(page: Page, text: str) -> None:
    """Type a message into the chat page, and send it; in a channel, a post or a reply."""
    box = page.locator(".composer__field")
    box.fill(text)
    box.press("Enter")


def press(page: Page, button: str) -> None:
    """Press a card's button in the chat page."""
    transcript(page).get_by_role("button", name=button, exact=True).last.click()
