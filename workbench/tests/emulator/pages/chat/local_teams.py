"""LocalTeams: a local cloud with its chat page, as the tests of the page use it."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.teams.directory.conversation import TeamsConversation
from tests.support.project import ROOT
from tests.support.timing.condition import until
from tests.support.wire.chromium import press_tool

GREETING = "Welcome!"
ARTIFACTS = ROOT / "artifacts" / "chat"

DROP = """([name, type, content, event]) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  const field = document.querySelector(".composer__field");
  const options = { bubbles: true, cancelable: true };
  field.dispatchEvent(
    event === "drop"
      ? new DragEvent("drop", { ...options, dataTransfer: data })
      : new ClipboardEvent("paste", { ...options, clipboardData: data }),
  );
}"""


@dataclass(frozen=True)
class LocalTeams:
    """Opens the page, and writes as the bot does."""

    thread: CloudThread

    @property
    def url(self) -> str:
        """The page's."""
        return f"{self.thread.cloud.pages.url}/"

    def open(self, page: Page) -> None:
        """Open the page, and wait for the bot's greeting."""
        page.goto(self.url)
        expect(bubble(page, GREETING)).to_be_visible()

    def conversation(self, page: Page) -> TeamsConversation:
        """The conversation that a page shows."""
        kept = page.evaluate("sessionStorage.getItem('local-chat.session')")
        found = json.loads(kept)["conversation"]["id"]
        return self.thread.cloud.teams.directory.conversation(found)

    def bot_says(self, page: Page, text: str = "", **more: Any) -> Activity:
        """Have the bot write a message into the conversation of a page."""
        return self.bot_sends(page, type="message", text=text, **more)

    def bot_sends(self, page: Page, **activity: Any) -> Activity:
        """Have the bot send an activity into the conversation of a page."""
        conversation = self.conversation(page)
        sender = self.thread.cloud.teams.directory.bot
        return self.thread.call(conversation.add, {"from": sender, **activity})

    def update(self, page: Page, activity: Activity, **changes: Any) -> None:
        """Have the bot update a message."""
        conversation = self.conversation(page)
        self.thread.call(conversation.update, activity["id"], {**activity, **changes})

    def received(self, page: Page, text: str) -> Activity:
        """The message with this text in the conversation of a page, once the local cloud has it.

        The page shows its user's messages before that.
        """
        conversation = self.conversation(page)

        def found() -> list[Activity]:
            messages = [each for each in conversation.activities if each["type"] == "message"]
            return [each for each in messages if each.get("text") == text]

        until(lambda: bool(found()))
        return found()[0]


def box(page: Page) -> Locator:
    """Where a person writes."""
    return page.locator(".composer__field")


def bubble(page: Page, text: str) -> Locator:
    """The bubbles with this text; a screen reader's copy is no bubble."""
    return page.locator(".bubble", has_text=text)


def message(page: Page, text: str) -> Locator:
    """The message with this text: its bubble, marks and buttons."""
    return page.locator(".message", has=page.locator(".bubble", has_text=text))


def choose(page: Page, button: str, item: str) -> None:
    """Choose from a menu."""
    page.get_by_role("button", name=button).click()
    page.get_by_role("menu").get_by_text(item, exact=True).click()


def open_group(page: Page) -> None:
    """Start a group chat, and wait until the page is connected with it."""
    choose(page, "New conversation", "New group chat")
    expect(page.get_by_role("heading", level=1)).to_have_text("Group chat")
    expect(page.locator(".status")).not_to_have_text("Connecting")


def choose_for(shown: Locator, button: str, item: str) -> None:
    """Choose from a menu of a message, which a mouse over it shows."""
    press_tool(shown, button)
    shown.get_by_role("menu").get_by_text(item, exact=True).click()


def hand_over(page: Page, name: str, kind: str, content: bytes, event: str) -> None:
    """Drop or paste a file into the composer."""
    page.evaluate(DROP, [name, kind, base64.b64encode(content).decode(), event])


def shoot(page: Page, name: str) -> None:
    """Keep a screenshot."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png")
