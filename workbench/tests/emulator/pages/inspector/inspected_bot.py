"""InspectedBot: a local cloud with its inspector, as the tests of the inspector's page use it."""

import json
import re
import time
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.inspector.inspector import BASE

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class InspectedBot:
    """Sends activities, and reports events as the bot's processes do."""

    thread: CloudThread

    @property
    def url(self) -> str:
        """The page's."""
        return f"{self.thread.cloud.pages.url}/inspector"

    def reset(self) -> None:
        """Remove all turns and faults."""
        self.thread.call(self.thread.cloud.inspector.log.clear)
        for server in self.thread.cloud.servers.values():
            self.thread.call(server.faults.clear)

    def open(self, page: Page) -> None:
        """Open the page, and wait until it is connected."""
        page.goto(self.url)
        expect(page.locator(".bot-state")).not_to_have_text(re.compile("Connecting|Disconnected"))

    def send(self, **activity: Any) -> str:
        """Deliver an activity to the bot; the turn's id."""
        body = json.dumps({"activity": {"type": "message", **activity}}).encode()
        request = urllib.request.Request(  # noqa: S310  # our own URL
            f"{self.thread.cloud.pages.url}{BASE}/send",
            body,
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return str(json.load(response)["turn"])

    def has_recorded_more(self) -> bool:
        """Send one more message; whether the bot's process has reported details of any turn."""
        self.send(text="Are you recorded?")
        return any(turn.detailed for turn in self.thread.cloud.inspector.log.turns)

    def report(self, *events: JsonObject) -> None:
        """Report events as if they had come over the feed."""
        for event in events:
            self.thread.call(self.thread.cloud.inspector.feed.on_event, {"pid": 1, **event})

    def report_turn(
        self,
        *events: JsonObject,
        turn: str = "",
        ms: float = 12.0,
        error: str = "",
        **activity: Any,
    ) -> str:
        """Report a whole turn, in which these events happen.

        Args:
            events: its events, without the turn's id; `at` is now unless they say it.
            turn: its id; empty: a new one.
            ms: how long it takes.
            error: why it fails; empty: it succeeds.
            activity: the activity's properties.

        Returns:
            The turn's id.
        """
        turn, at = turn or uuid.uuid4().hex, time.time()
        sender = {"id": "29:1", "name": "You"}
        incoming = {
            "type": "message",
            "channelId": "msteams",
            "from": sender,
            "conversation": {"id": "a:1"},
            **activity,
        }
        started = {"event": "turn_started", "kind": "queued", "at": at, "activity": incoming}
        ended = {"event": "turn_ended", "at": at + ms / 1000, "ms": ms, "error": error}
        ended["outcome"] = "failed" if error else "done"
        self.report(*({"turn": turn, "at": at, **each} for each in (started, *events, ended)))
        return turn


def rows(page: Page) -> Locator:
    """The rows of the list that are in view."""
    return page.get_by_role("listbox", name="Turns").get_by_role("option")


def row(page: Page, text: str) -> Locator:
    """The newest row that shows this text."""
    return rows(page).filter(has_text=text).last


def open_row(page: Page, text: str) -> Locator:
    """Open the details of the newest row that shows this text; the pane."""
    row(page, text).click()
    pane = page.get_by_role("article", name="Turn")
    expect(pane.get_by_role("tablist")).to_be_visible()
    return pane


def choose(page: Page, tab: str) -> Locator:
    """Show a tab of the details; its content."""
    page.get_by_role("tab", name=tab).click()
    return page.get_by_role("tabpanel")
