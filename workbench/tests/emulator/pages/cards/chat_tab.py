"""ChatTab: the chat page in a browser's tab, as a person uses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.project import ROOT
from tests.support.wire import chromium

AXE_ERRORS = ("Applying inline style", "Couldn't load preload assets")


class ChatTab:
    """One tab.

    Args:
        page: the tab.

    Attributes:
        page: the same.
        console_errors: errors and warnings of the browser's console.
        invokes: the bodies of the invokes that the page has sent.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console_errors: list[str] = []
        self.invokes: list[dict[str, Any]] = []
        self._examined = False
        page.on("console", lambda said: self._note_console(said.type, said.text))
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url, request.post_data_json))

    @classmethod
    @contextmanager
    def opened(cls, browser: Browser, url: str, **options: Any) -> Iterator["ChatTab"]:
        """Open the page as a new user; at the end, the console must have no errors."""
        page = browser.new_page(**{"viewport": {"width": 1000, "height": 900}, **options})
        tab = cls(page)
        page.goto(url)
        expect(page.get_by_role("textbox", name="Type a message")).to_be_visible()
        yield tab
        page.close()
        assert not tab.console_errors, tab.console_errors

    def say(self, words: str) -> None:
        """Type a message and send it."""
        box = self.page.get_by_role("textbox", name="Type a message")
        box.fill(words)
        box.press("Enter")

    def message(self, words: str) -> Locator:
        """The messages with this text."""
        return self.page.locator(".message", has_text=words)

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def dialog(self, title: str) -> Locator:
        """The open dialog with this title."""
        return self.page.get_by_role("dialog", name=title)

    def box(self, element: Locator) -> dict[str, float]:
        """Where the element is: x, y and width in pixels."""
        expect(element).to_be_visible()
        found = element.bounding_box()
        assert found is not None
        return {"x": found["x"], "y": found["y"], "width": found["width"]}

    def sent(self, name: str) -> dict[str, Any]:
        """The value of the newest invoke with this name."""
        return next(each["value"] for each in reversed(self.invokes) if each["name"] == name)

    def sign_in(self, button: Locator, page: str) -> None:
        """Press a button that opens a page of https://example.com.

        Args:
            button: in the chat page.
            page: the opened page's HTML.
        """
        self.page.context.route(
            "https://example.com/**",
            lambda route: route.fulfill(body=page, content_type="text/html"),
        )
        with self.page.expect_popup():
            button.click()

    def return_code(self, code: str) -> None:
        """Do what the token service's sign-in page does once the user has signed in."""
        self.page.evaluate(
            """code => {
                const { conversation } = JSON.parse(sessionStorage.getItem("local-chat.session"));
                const pages = new BroadcastChannel("sign-in");
                const conversationId = conversation.id;
                pages.postMessage({ conversationId, signin: "1", code });
            }""",
            code,
        )

    def shoot(self, name: str) -> None:
        """Keep a picture of the page."""
        self.page.screenshot(path=ROOT / "artifacts" / name)

    def violations(self) -> list[str]:
        """The findings of axe-core."""
        self._examined = True
        return chromium.violations(self.page)

    def _note_console(self, kind: str, text: str) -> None:
        # The page's policy refuses the styles that axe tries to set.
        if self._examined and any(each in text for each in AXE_ERRORS):
            return
        if kind in ("error", "warning"):
            self.console_errors.append(text)

    def _note(self, url: str, body: Any) -> None:
        if url.endswith("/invoke"):
            self.invokes.append(body)
