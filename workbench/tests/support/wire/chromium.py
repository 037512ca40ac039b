"""The browser that tests drive: the machine's own Chromium, headless."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from playwright import async_api, sync_api
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from maintenance.tools import TEST_FILES

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

ACCESS_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""The tags of axe-core's rules that the pages keep."""

# Playwright's own 5 seconds may be too short on a busy machine.
EXPECT_TIMEOUT_MS = 30_000
sync_api.expect.set_options(timeout=EXPECT_TIMEOUT_MS)
async_api.expect.set_options(timeout=EXPECT_TIMEOUT_MS)


PAINTS_LATE = """
const soon = setTimeout;
requestAnimationFrame = (paint) => soon(paint, 10_000);
setTimeout = (work, ms = 0, ...args) => soon(work, ms > 0 && ms <= 100 ? 10_000 : ms, ...args);
"""
"""An init script: animation frames come ten seconds late, as if the machine were busy. So do short
timers, because Preact's effects wait for a frame 100 ms at most."""


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, for tests without an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def tab(browser: Browser, complaints: list[str], width: int, height: int) -> Iterator[Page]:
    """A tab that may use the clipboard.

    Args:
        browser: launched.
        complaints: gets all that the browser's console says.
        width: of the page, in pixels.
        height: the same.
    """
    viewport = sync_api.ViewportSize(width=width, height=height)
    with closing(browser.new_context(viewport=viewport, locale="en-GB")) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        yield page


def violations(page: Page) -> list[str]:
    """The findings of axe-core in the page: a rule and an element each."""
    page.evaluate((TEST_FILES.folder / "axe.js").read_text("utf-8"))
    report = page.evaluate("rules => axe.run({runOnly: rules})", ACCESS_RULES)
    return [
        f"{found['id']}: {node['html'][:300]}"
        for found in report["violations"]
        for node in found["nodes"]
    ]


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


def press_tool(message: Locator, button: str) -> None:
    """Press a button that a message shows while the mouse is over it."""
    tool = message.get_by_role("button", name=button)
    for _ in range(9):
        message.hover()
        # A reply may move the message from under the mouse.
        with suppress(sync_api.TimeoutError):
            tool.click(timeout=3000)
            return
    message.hover()
    tool.click()


def press(page: Page, button: str) -> None:
    """Press a card's button in the chat page."""
    transcript(page).get_by_role("button", name=button, exact=True).last.click()
